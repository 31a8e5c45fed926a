"""Tests on real services: Kafka, Redis, Prometheus and Alertmanager."""
