"""The services of the tests themselves: they answer, and keep what they have through a kill."""

import pytest
import redis
from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.producer import KafkaProducer

from tests.support.patience import SECONDS
from tests.support.servers import Server

pytestmark = pytest.mark.services


def write(kafka: Server, topic: str, values: list[bytes]) -> None:
    """Write `values` to partition 0 of `topic`; returns when the broker has acknowledged all."""
    producer = KafkaProducer(bootstrap_servers=kafka.address, enable_idempotence=True)
    sent = [producer.send(topic, value=value, partition=0) for value in values]
    for future in sent:
        future.get(timeout=SECONDS)
    producer.close()


def read(kafka: Server, topic: str) -> list[bytes]:
    """Everything in partition 0 of `topic`, oldest first."""
    consumer = KafkaConsumer(bootstrap_servers=kafka.address, enable_auto_commit=False)
    partition = TopicPartition(topic, 0)
    consumer.assign([partition])
    consumer.seek_to_beginning(partition)
    end = consumer.end_offsets([partition])[partition]
    values = []
    while consumer.position(partition) < end:
        for records in consumer.poll(timeout_ms=1000).values():
            values += [record.value for record in records]
    consumer.close()
    return values


def test_kafka_keeps_acknowledged_messages_through_a_kill(kafka: Server, deployment: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=kafka.address)
    admin.create_topics([NewTopic(deployment, num_partitions=1, replication_factor=1)])
    admin.close()
    values = [b"%d" % number for number in range(1000)]
    write(kafka, deployment, values)

    kafka.kill()
    kafka.start()

    assert read(kafka, deployment) == values


def test_redis_keeps_acknowledged_writes_through_a_kill(
    redis_server: Server, deployment: str
) -> None:
    with redis.Redis.from_url(redis_server.address) as client:
        client.set(deployment, "kept")

    redis_server.kill()
    redis_server.start()

    with redis.Redis.from_url(redis_server.address) as client:
        assert client.get(deployment) == b"kept"
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_a_service_left_stopped_by_one_test_runs_again_in_the_next(redis_server: Server) -> None:
    redis_server.stop()
    with pytest.raises(redis.ConnectionError), redis.Redis.from_url(redis_server.address) as client:
        client.ping()


def test_the_next_test_finds_it_running(redis_server: Server) -> None:
    with redis.Redis.from_url(redis_server.address) as client:
        assert client.ping()
