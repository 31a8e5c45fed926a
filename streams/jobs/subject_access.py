"""Subject access: all that the log and the state have of one child, as one document.

What is of the child is in it whole. A message that only names the child, such as an event of a
brother's that says so in a text, is someone else's: it is said where it lies, for a person to look
at. The document says how far it was searched, so that nothing found is told from nothing there.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from redis.asyncio import Redis

from processors.alerts.toldalerts import read_told
from processors.record.record import decode_record
from processors.rules import Rules
from schemas.alerts import ALERTS_TOPIC, DECISIONS_TOPIC, CaseChange
from schemas.audit_entries import AUDIT_TOPIC
from schemas.connection_settings import Brokers
from schemas.events.registry import VALIDATORS, topic_names
from snapshots.releases.topic import TOPIC as RELEASES
from streams.jobs.belonging import Belonging, plain, value_of
from streams.kafka.batches import TP, KafkaRecord
from streams.kafka.deadletters import dead_letter_topic
from streams.kafka.logreading import LogReader, log_reader
from streams.keys import of_deployment
from streams.state.open_alerts import open_changes, parsed, prefixes
from streams.state.reading import known_shards
from streams.state.store import ShardStore

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOT_SEARCHED = (
    "publications, and the folder of releases, which has what the topic releases has",
    "what has gone out to receivers of alerts, and backups",
)
# What a key of receivers may have: how it is read, whole.
READ = {b"hash": "hgetall", b"list": "lrange", b"zset": "zrange"}

Document = dict[str, Any]


@dataclass
class FoundInLog:
    """What was found of a child in the log, and how far each partition was searched."""

    child: str
    messages: dict[str, list[Document]] = field(default_factory=dict)
    mentions: list[Document] = field(default_factory=list)
    searched: list[Document] = field(default_factory=list)
    alerts: set[str] = field(default_factory=set)
    cases: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._belonging = Belonging([self.child], self.alerts)
        # Releases name a late event by what it is about, and not by whom.
        self._cases = Belonging((), set())

    def know_cases(self) -> None:
        """From now on messages that name one of the child's cases name the child."""
        self._cases = Belonging(self.cases, set())

    def take(self, tp: TP, record: KafkaRecord) -> None:
        """Keep a message that is the child's, and where one lies that names them."""
        if self._belonging.has(tp, record):
            message = _message(tp, record)
            self.messages.setdefault(tp.topic, []).append(message)
            value = message["value"]
            if tp.topic in VALIDATORS and isinstance(value, dict) and value.get("subject"):
                self.cases.add(str(value["subject"]))
        elif self._belonging.is_named_in(record) or self._cases.is_named_in(record):
            self.mentions.append(
                {"topic": tp.topic, "partition": tp.partition, "offset": record.offset}
            )


async def everything_of(
    brokers: Brokers, redis: Redis, deployment: str, rules: Rules, child: str, now: datetime
) -> Document:
    """All that the log and a deployment's state have of a child.

    Raises redis.RedisError, aiokafka.errors.KafkaError, streams.kafka.logreading.ReadTimedOut, or
    what a state that cannot be read raises.
    """
    state = await _state(redis, deployment, rules, child)
    found = FoundInLog(child, alerts={it["alert"] for it in state["alerts"]})
    events = topic_names()
    letters = [dead_letter_topic(topic) for topic in (*events, ALERTS_TOPIC)]
    # Decisions late: which alerts they may be about is known by then; and releases last.
    topics = [*events, *letters, ALERTS_TOPIC, DECISIONS_TOPIC, AUDIT_TOPIC, RELEASES]
    for topic in topics:
        if topic == RELEASES:
            found.know_cases()
        async with log_reader(brokers, [topic]) as reader:
            await _search(reader, found)
    return {
        "child": child,
        "deployment": deployment,
        "made": now.isoformat(),
        "log": {topic: found.messages.get(topic, []) for topic in topics},
        "state": {**state, "receivers": await receivers(redis, deployment, child, found.alerts)},
        "named_in": found.mentions,
        "searched": found.searched,
        "not_there": sorted({*topics} - {it["topic"] for it in found.searched}),
        "not_searched": NOT_SEARCHED,
    }


def counts_in(document: Document) -> dict[str, int]:
    """How much a document has of each kind."""
    log = {topic: len(messages) for topic, messages in document["log"].items() if messages}
    state = {f"state: {name}": len(found) for name, found in document["state"].items() if found}
    named = {"only named in": len(document["named_in"])} if document["named_in"] else {}
    return log | state | named


async def _search(reader: LogReader, found: FoundInLog) -> None:
    for tp, (first, end) in sorted((await reader.bounds()).items()):
        async for _, records in reader.read(tp, first, end):
            for record in records:
                found.take(tp, record)
        found.searched.append(
            {"topic": tp.topic, "partition": tp.partition, "first": first, "end": end}
        )


async def _state(redis: Redis, deployment: str, rules: Rules, child: str) -> Document:
    """What the state has: the child's records, the alerts told of them, and what is on its way."""
    records: list[Document] = []
    alerts: list[Document] = []
    for shard in await known_shards(redis, deployment):
        store = ShardStore(redis, deployment, shard, rules)
        head = await store.head()
        if head is None:
            continue
        ((stored, told, _),) = await store.children(head, [child])
        if stored is not None:
            records.append({"shard": f"{shard.topic}[{shard.partition}]", **_record(stored)})
        for alert in read_told(told).alerts.values():
            _, text = rules.wording.change(child, alert, alert.stand_at)
            alerts.append(json.loads(text))
    active = [
        it.model_dump(mode="json")
        for it in await open_changes(redis, deployment)
        if isinstance(it, CaseChange) and it.child == child
    ]
    outgoing = [it async for it in _outgoing(redis, deployment, child)]
    return {"records": records, "alerts": alerts, "active_alerts": active, "outgoing": outgoing}


async def receivers(redis: Redis, deployment: str, child: str, alerts: set[str]) -> list[Document]:
    """What is kept of what receivers were told, or are to be told, of the child's alerts.

    Raises redis.RedisError.
    """
    client: Any = redis
    theirs, found = Belonging({child, *alerts}, set()), list[Document]()
    async for key in client.scan_iter(match=f"{of_deployment(deployment)}:delivery:*", count=1_000):
        read = READ.get(await client.type(key))
        if read is None:
            continue
        stored = await getattr(client, read)(key, *((0, -1) if read != "hgetall" else ()))
        parts = stored.items() if isinstance(stored, dict) else ((b"", it) for it in stored)
        for name, text in parts:
            if theirs.is_named(name) or theirs.is_named(text):
                receiver, _, part = key.decode().partition(":delivery:")[2].rpartition(":")
                of = {"receiver": receiver, "part": part}
                found.append({**of, "alert": plain(name) or None, "value": value_of(text)})
    return found


def _record(stored: bytes) -> Document:
    """A stored record: the events that count, and the identities that were retracted."""
    record = decode_record(stored, lambda _: b"")
    events = [
        {
            "source": it.source,
            "id": it.id,
            "revision": it.revision,
            "time": (EPOCH + timedelta(microseconds=it.instant)).isoformat(),
            "type": it.type,
            "subject": it.subject,
            "data": it.data,
        }
        for it in record.events
    ]
    return {"events": events, "retracted": sorted(map(list, record.retracted))}


async def _outgoing(redis: Redis, deployment: str, child: str) -> AsyncIterator[Document]:
    """The child's changes of alerts that are still to go to the topic."""
    client: Any = redis
    for prefix in await prefixes(redis, deployment):
        for _, fields in await client.xrange(f"{prefix}:alerts:outbox"):
            change = parsed(fields.get(b"change", b""))
            if isinstance(change, CaseChange) and change.child == child:
                yield change.model_dump(mode="json")


def _message(tp: TP, record: KafkaRecord) -> Document:
    """A message with all that it carries."""
    at = record.timestamp
    return {
        "topic": tp.topic,
        "partition": tp.partition,
        "offset": record.offset,
        "arrived": (EPOCH + timedelta(milliseconds=at)).isoformat() if at >= 0 else None,
        "key": plain(record.key),
        "headers": [[name, plain(text)] for name, text in record.headers],
        "value": value_of(record.value),
    }
