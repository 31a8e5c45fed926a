"""The events that flow meanwhile: of every topic, messy, some in transactions that are undone."""

import gzip
import json
import random
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from schemas.events.registry import CASE_TOPIC, VALIDATORS, topics_of
from streams.kafka.batches import TP
from tests.support.bad_messages import BAD
from tests.support.examples import log_file
from tests.support.topics import Headers

LOGS = ("all-21", "all-22")
# Types whose partition key is a place and no child: the same in every round.
KEYED_BY_PLACE = {
    "session.held",
    "population.published",
    "target.set",
    "commentary.written",
    "workforce.reported",
    "measure.supplied",
}
# What stands in every child's key, and in nothing else, before which copy of a log they are of.
COPY = "/copy-"
SECONDS = 120.0
TRANSACTION_MS = 600_000
# How many of what was sent before are sent again at once, as a producer that was restored does.
REPEATS = 400
TICK_SECONDS = 0.05


class Sending(NamedTuple):
    """A message on its way to a topic."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


def messages(most: int) -> list[Sending]:
    """So many messages of the example logs in turn, again and again of other children."""
    found: list[Sending] = []
    for number in count():
        log, copy = LOGS[number % len(LOGS)], number // len(LOGS)
        for text in gzip.decompress(log_file(log).read_bytes()).splitlines():
            found += _sent(text, f"{log[-2:]}-{copy}")
        if len(found) >= most:
            return found[:most]
    raise AssertionError


def _sent(text: bytes, copy: str) -> Iterator[Sending]:
    """A line of a log as a producer sends it, to each topic that it is on."""
    try:
        event = json.loads(text)
        topics = topics_of(event["type"])
    except (ValueError, KeyError, TypeError):
        topics = ()
    if not topics:
        yield Sending(CASE_TOPIC, b"bad", text)
        return
    if event["type"] not in KEYED_BY_PLACE and isinstance(event.get("partitionkey"), str):
        event["partitionkey"] = f"{event['partitionkey']}{COPY}{copy}"
    key = str(event.get("partitionkey")).encode()
    for topic in topics:
        yield Sending(topic, key, json.dumps(event, ensure_ascii=False).encode())


class Traffic:
    """Sends all messages over some seconds, in order but for those held back; in a thread.

    One in twenty comes late, one in fifty twice. `undecided` is a transaction that is open.
    """

    def __init__(self, brokers: str, sent: list[Sending], seconds: float, seed: int) -> None:
        self._brokers, self._seconds = brokers, seconds
        self._rng = random.Random(seed)
        self._plan = _disordered(sent, self._rng)
        self._producer = self._new_producer()
        self._lock = threading.Lock()
        self._failures: list[str] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._is_ended = threading.Event()
        self.sent = 0

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def finish(self) -> None:
        """Wait until all is sent and acknowledged. Fails if anything was not."""
        self._thread.join(self._seconds + SECONDS)
        assert not self._thread.is_alive(), "the messages are not all sent"
        assert self._producer.flush(SECONDS) == 0, "the broker did not take all messages"
        assert not self._failures, self._failures[0]

    def close(self) -> None:
        """End sending, wherever it is."""
        self._is_ended.set()
        self._thread.join(SECONDS)

    def repeat(self) -> int:
        """Send again some of what was sent, at once; how many."""
        past = self._plan[: self.sent]
        again = self._rng.sample(past, min(REPEATS, len(past)))
        self._send(again)
        return len(again)

    def poison(self) -> int:
        """Send a message of every kind that is no event; how many."""
        letters = [Sending(CASE_TOPIC, it.sent.key, it.sent.value, it.sent.headers) for it in BAD]
        self._send(letters)
        return len(letters)

    @contextmanager
    def undecided(self, size: int, *, is_to_count: bool) -> Iterator[None]:
        """A transaction that has written messages, and is open; in the end committed or aborted.

        One that is to count repeats what was sent; one that is not says what nothing else says.
        """
        past = [it for it in self._plan[: self.sent] if it.topic in VALIDATORS and it.value]
        chosen = self._rng.sample(past, min(size, len(past)))
        producer = Producer(
            {
                **_common(self._brokers),
                "transactional.id": f"chaos-{uuid.uuid4().hex}",
                "transaction.timeout.ms": TRANSACTION_MS,
            }
        )
        producer.init_transactions(SECONDS)
        producer.begin_transaction()
        for it in chosen:
            value = it.value if is_to_count else _never(it.value or b"")
            producer.produce(it.topic, value, it.key, headers=list(it.headers))
            producer.poll(0)
        assert producer.flush(SECONDS) == 0
        yield
        end = producer.commit_transaction if is_to_count else producer.abort_transaction
        _patiently(end)

    def _run(self) -> None:
        began, share = time.monotonic(), len(self._plan) / self._seconds
        while self.sent < len(self._plan) and not self._is_ended.is_set():
            due = min(len(self._plan), int((time.monotonic() - began) * share) + 1)
            self._send(self._plan[self.sent : due])
            self.sent = max(self.sent, due)
            time.sleep(TICK_SECONDS)

    def _send(self, chosen: list[Sending]) -> None:
        with self._lock:
            for it in chosen:
                self._producer.produce(
                    it.topic, it.value, it.key, headers=list(it.headers), on_delivery=self._done
                )
                self._producer.poll(0)

    def _done(self, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            self._failures.append(error.str())

    def _new_producer(self) -> Producer:
        return Producer(
            {
                **_common(self._brokers),
                "enable.idempotence": True,
                "message.timeout.ms": int(SECONDS * 1000),
                "linger.ms": 5,
            }
        )


def _common(brokers: str) -> dict[str, str | int | float | bool | object]:
    return {
        "bootstrap.servers": brokers,
        "partitioner": "murmur2_random",
        "error_cb": lambda _: None,
        "log_level": 0,
        "reconnect.backoff.max.ms": 500,
    }


def _patiently(end: object) -> None:
    """End a transaction, however often the broker has to be asked."""
    assert callable(end)
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            end(10.0)
        except KafkaException as error:
            if not error.args[0].retriable() or time.monotonic() > deadline:
                raise
        else:
            return


def _never(value: bytes) -> bytes:
    """What an aborted transaction says: an event like another, of an identity of its own."""
    with suppress(ValueError):
        event = json.loads(value)
        if isinstance(event, dict):
            return json.dumps({**event, "id": f"never {uuid.uuid4().hex}"}).encode()
    return value


def _disordered(sent: list[Sending], rng: random.Random) -> list[Sending]:
    """What was sent in another order: some late, some twice."""
    at: list[tuple[float, int, Sending]] = []
    numbers = count()
    for number, it in enumerate(sent):
        late = rng.expovariate(1 / 500) if rng.random() < 0.05 else 0.0
        at.append((number + late, next(numbers), it))
        if rng.random() < 0.02:
            at.append((number + late + rng.expovariate(1 / 200), next(numbers), it))
    return [it for _, _, it in sorted(at)]


def committed(brokers: str, topics: list[str]) -> dict[TP, list[tuple[int, Message]]]:
    """What is in topics and not undone, with its offsets, read by a client of its own."""
    found: dict[TP, list[tuple[int, Message]]] = {}
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": "chaos",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "enable.auto.commit": False,
        }
    )
    try:
        listed = consumer.list_topics(timeout=SECONDS).topics
        waiting = {
            TP(topic, partition) for topic in topics for partition in listed[topic].partitions
        }
        found = {tp: [] for tp in waiting}
        consumer.assign([TopicPartition(*tp, 0) for tp in waiting])
        while waiting:
            message = consumer.poll(SECONDS)
            assert message is not None, f"{topics} fell silent"
            tp = TP(str(message.topic()), message.partition() or 0)
            error = message.error()
            if error is None:
                found[tp].append((message.offset() or 0, message))
            elif error.code() == KafkaError._PARTITION_EOF:
                waiting.discard(tp)
            else:
                raise AssertionError(error.str())
    finally:
        consumer.close()
    return found
