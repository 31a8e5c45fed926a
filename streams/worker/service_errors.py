"""What Redis and Kafka do when they do not answer: nothing that a message is to blame for."""

from aiokafka.errors import KafkaError
from redis.exceptions import RedisError

from streams.kafka.deadletters import NotWrittenNow
from streams.kafka.logreading import ReadTimedOut
from streams.state.quarantine import NotQuarantined

# What a shard cannot be taken for just now, and is tried again for.
TROUBLE = (RedisError, OSError)
# Whatever may be raised where Kafka is asked too, or where a busy shard is told something.
SERVICES = (*TROUBLE, KafkaError, ReadTimedOut, NotWrittenNow, NotQuarantined)
