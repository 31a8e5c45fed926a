"""Events in and out of Kafka: topics, consuming, reading the log, ingest and dead letters."""
