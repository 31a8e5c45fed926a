"""What the live fold is given: clients and rules, and what it may allow itself."""

from collections.abc import Callable
from dataclasses import dataclass

from redis.asyncio import Redis

from processors.rules import Rules
from streams.clock import Clock
from streams.kafka.consumer import BatchConsumer
from streams.kafka.deadletters import DeadLetters
from streams.metrics.workers import WorkerMetrics
from streams.worker.garbage import Garbage
from streams.worker.logwatch import LogWatch


@dataclass(frozen=True)
class Limits:
    """What a worker allows itself: records in memory, and seconds until old events are believed.

    Records are limited by how many they are and by about how many bytes they take.
    """

    records_in_memory: int
    bytes_in_memory: int
    calm_seconds: float


@dataclass(frozen=True)
class Given:
    """What the parts of the live fold have in common.

    `consumer` gives the consumer that hands over batches; it is there once the fold is called.
    """

    redis: Redis
    deployment: str
    rules: Rules
    clock: Clock
    limits: Limits
    metrics: WorkerMetrics
    dead_letters: DeadLetters
    logs: LogWatch
    consumer: Callable[[], BatchConsumer]
    garbage: Garbage
