// An aggregate by aws-kinesis-agg, and plain records. Run in a folder of its own:
//   npm install aws-kinesis-agg@4.2.8 && node aggregate.mjs > node.json
import { createRequire } from "node:module";

const { RecordAggregator } = createRequire(`${process.cwd()}/`)("aws-kinesis-agg");

const page = (seq, url, status) => ({
  event_type: "page_viewed",
  event_id: `01a22d3d-5c00-7000-8000-00000000000${seq}`,
  schema_version: 1,
  event_time: new Date(Date.UTC(2026, 10, 24, 10, 0, seq)).toISOString(),
  source: "node",
  producer_id: "node-1",
  epoch: Date.UTC(2026, 10, 24, 9),
  seq,
  payload: { client_address: "198.18.0.1", url, status },
});

const events = [page(1, "/", 200), page(2, "/größe\u2028?a=<1>&b=2", 404), page(3, "/🛋", 200), page(4, "/plain", 200)];
const aggregator = new RecordAggregator();
for (const event of events.slice(0, 3)) {
  aggregator.addUserRecord({ partitionKey: event.payload.client_address, data: Buffer.from(JSON.stringify(event)) });
}
const packed = aggregator.build();
console.log(JSON.stringify([
  { key: packed.partitionKey ?? packed.PartitionKey, data: Buffer.from(packed.data ?? packed.Data).toString("base64") },
  { key: "198.18.0.1", data: Buffer.from(JSON.stringify(events[3])).toString("base64") },
], null, 1));
