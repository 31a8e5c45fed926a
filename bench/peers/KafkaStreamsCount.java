import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * Contestant: Kafka Streams, one thread. An event whose id was seen before is left out, the others
 * are counted by key; both tables are RocksDB with a changelog, as Kafka Streams ships.
 *
 * <p>Run with broker, topic, group, state folder and guarantee ("exactly_once_v2" or
 * "at_least_once"). Prints "counting" at its first event, and runs until it is told to end.
 */
public final class KafkaStreamsCount {
  private static final String SEEN = "seen";
  private static final ObjectMapper JSON = new ObjectMapper();
  private static boolean isCounting;

  private KafkaStreamsCount() {}

  /** Passes on the first event of each id. */
  private static final class FirstOfItsId
      implements FixedKeyProcessor<String, JsonNode, JsonNode> {
    private FixedKeyProcessorContext<String, JsonNode> context;
    private KeyValueStore<String, Long> seen;

    @Override
    public void init(FixedKeyProcessorContext<String, JsonNode> given) {
      context = given;
      seen = given.getStateStore(SEEN);
    }

    @Override
    public void process(FixedKeyRecord<String, JsonNode> event) {
      if (!isCounting) {
        isCounting = true;
        System.out.println("counting");
      }
      if (seen.putIfAbsent(event.value().get("id").asText(), event.timestamp()) == null) {
        context.forward(event);
      }
    }
  }

  private static JsonNode read(byte[] value) {
    try {
      return JSON.readTree(value);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  public static void main(String[] arguments) throws InterruptedException {
    var builder = new StreamsBuilder();
    builder.addStateStore(
        Stores.keyValueStoreBuilder(
            Stores.persistentKeyValueStore(SEEN), Serdes.String(), Serdes.Long()));
    builder.stream(arguments[1], Consumed.with(Serdes.String(), Serdes.ByteArray()))
        .mapValues(KafkaStreamsCount::read)
        .processValues(FirstOfItsId::new, SEEN)
        .groupByKey()
        .count(Materialized.as("counts"));

    var settings = new Properties();
    settings.putAll(
        Map.of(
            StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0],
            StreamsConfig.APPLICATION_ID_CONFIG, arguments[2],
            StreamsConfig.STATE_DIR_CONFIG, arguments[3],
            StreamsConfig.PROCESSING_GUARANTEE_CONFIG, arguments[4],
            // Its own default where exactly once is asked; the other's is 30 seconds.
            StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100,
            StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class,
            StreamsConfig.REPLICATION_FACTOR_CONFIG, 1,
            "auto.offset.reset", "earliest"));
    var streams = new KafkaStreams(builder.build(), settings);
    var told = new CountDownLatch(1);
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  streams.close();
                  told.countDown();
                }));
    streams.start();
    told.await();
  }
}
