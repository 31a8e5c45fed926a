"""Where Caseline runs: Kafka, Redis-backed tables, the Faust application and the command line."""
