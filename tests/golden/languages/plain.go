// Plain records by encoding/json: go run plain.go > go.json
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

type item struct {
	ProductID  string `json:"product_id"`
	Quantity   int    `json:"quantity"`
	PriceMinor int64  `json:"price_minor"`
}

type order struct {
	OrderID       string `json:"order_id"`
	ClientAddress string `json:"client_address"`
	Items         []item `json:"items"`
	TotalMinor    int64  `json:"total_minor"`
	Currency      string `json:"currency"`
	UserID        string `json:"user_id,omitempty"`
}

type event struct {
	EventType     string    `json:"event_type"`
	EventID       string    `json:"event_id"`
	SchemaVersion int       `json:"schema_version"`
	EventTime     time.Time `json:"event_time"`
	Source        string    `json:"source"`
	ProducerID    string    `json:"producer_id"`
	Epoch         int64     `json:"epoch"`
	Seq           int64     `json:"seq"`
	Payload       order     `json:"payload"`
}

type record struct {
	Key  string `json:"key"`
	Data []byte `json:"data"` // encoding/json writes bytes in base64
}

func main() {
	started := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	berlin := time.FixedZone("CET", 3600)
	var records []record
	for seq := int64(1); seq <= 3; seq++ {
		data, err := json.Marshal(event{
			EventType:     "order_placed",
			EventID:       fmt.Sprintf("01a22d3d-5c00-7000-8000-0000000001%02d", seq),
			SchemaVersion: 1,
			EventTime:     time.Date(2026, 11, 24, 11, 0, int(seq), 120_000_000, berlin),
			Source:        "go",
			ProducerID:    "go-1",
			Epoch:         started.UnixMilli(),
			Seq:           seq,
			Payload: order{
				OrderID: fmt.Sprintf("order-%d", seq), ClientAddress: "2001:db8::1", Currency: "EUR", TotalMinor: 700 * seq,
				Items: []item{{"sku-00001", int(seq), 700}}, UserID: "Jörg <&>",
			},
		})
		if err != nil {
			panic(err)
		}
		records = append(records, record{"2001:db8::1", data})
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", " ")
	if err := out.Encode(records); err != nil {
		panic(err)
	}
}
