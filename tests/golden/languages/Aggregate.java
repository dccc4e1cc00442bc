// An aggregate by the protobuf classes of the Kinesis Client Library, and a plain record by Jackson. With a pom.xml
// that depends on software.amazon.kinesis:amazon-kinesis-client:3.0.3:
//   mvn dependency:build-classpath -Dmdep.outputFile=classpath && java -cp $(cat classpath) Aggregate.java > java.json

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.ByteString;
import java.io.ByteArrayOutputStream;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Base64;
import software.amazon.kinesis.retrieval.kpl.Messages.AggregatedRecord;
import software.amazon.kinesis.retrieval.kpl.Messages.Record;

public class Aggregate {
    private static final byte[] MAGIC = {(byte) 0xF3, (byte) 0x89, (byte) 0x9A, (byte) 0xC2};
    private static final ObjectMapper JSON = new ObjectMapper();

    static byte[] product(int seq, String category) throws Exception {
        ObjectNode event = JSON.createObjectNode();
        event.put("event_type", "product_viewed");
        event.put("event_id", String.format("01a22d3d-5c00-7000-8000-0000000002%02d", seq));
        event.put("schema_version", 1);
        event.put("event_time", Instant.parse("2026-11-24T10:00:00Z").plusSeconds(seq).toString());
        event.put("source", "java");
        event.put("producer_id", "java-1");
        event.put("epoch", Instant.parse("2026-11-24T09:00:00Z").toEpochMilli());
        event.put("seq", seq);
        event.putObject("payload").put("product_id", "sku-0000" + seq).put("category", category)
            .put("client_address", "198.18.0.2").put("price_minor", 1999L * seq).put("currency", "USD");
        return JSON.writeValueAsBytes(event);
    }

    static ObjectNode record(String key, byte[] data) {
        return JSON.createObjectNode().put("key", key).put("data", Base64.getEncoder().encodeToString(data));
    }

    public static void main(String[] arguments) throws Exception {
        AggregatedRecord.Builder packed = AggregatedRecord.newBuilder().addPartitionKeyTable("198.18.0.2");
        for (int seq = 1; seq <= 3; seq++) {
            packed.addRecords(Record.newBuilder().setPartitionKeyIndex(0)
                .setData(ByteString.copyFrom(product(seq, seq == 2 ? "lamps \"für\" innen" : "lamps"))));
        }
        byte[] message = packed.build().toByteArray();
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        whole.write(MAGIC);
        whole.write(message);
        whole.write(MessageDigest.getInstance("MD5").digest(message));
        System.out.println(JSON.writerWithDefaultPrettyPrinter().writeValueAsString(
            JSON.createArrayNode().add(record("198.18.0.2", whole.toByteArray())).add(record("198.18.0.2", product(4, "rugs")))));
    }
}
