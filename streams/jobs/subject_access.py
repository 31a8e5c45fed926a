"""Subject access: all that the log and the state have of one child, as one document.

What is of the child is in it whole. A message that only names the child, such as an event of a
brother's that says so in a text, is someone else's: it is said where it lies, for a person to look
at. The document says how far it was searched, so that nothing found is told from nothing there.
"""

import base64
import json
import re
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from redis.asyncio import Redis

from processors.alerts.changes import decode_alerts
from processors.record.record import decode_record
from processors.rules import Rules
from schemas.alerts import ALERTS_TOPIC, DECISIONS_TOPIC, CaseChange
from schemas.connection_settings import Brokers
from schemas.events.registry import topic_names
from streams.kafka.batches import TP, KafkaRecord
from streams.kafka.deadletters import dead_letter_topic
from streams.kafka.logreading import LogReader, log_reader
from streams.state.open_alerts import open_changes, parsed, prefixes
from streams.state.reading import known_shards
from streams.state.store import ShardStore

PARTITION_KEY_HEADER = "ce_partitionkey"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A value that is nested deeper is kept as text: no event is.
DEEPEST = 50
NOT_SEARCHED = (
    "releases and publications, which hold sums; of late changes they name the event",
    "what has gone out to receivers of alerts, and backups",
)

Document = dict[str, Any]


@dataclass
class FoundInLog:
    """What was found of a child in the log, and how far each partition was searched."""

    child: str
    messages: dict[str, list[Document]] = field(default_factory=dict)
    mentions: list[Document] = field(default_factory=list)
    searched: list[Document] = field(default_factory=list)
    alerts: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        spellings = {self.child, json.dumps(self.child)[1:-1]}
        parts = "|".join(re.escape(it) for it in sorted(spellings))
        # As a word of its own: child-1 is not named where child-12 is.
        self._named = re.compile(rf"(?<![\w-])(?:{parts})(?![\w-])".encode())

    def take(self, tp: TP, record: KafkaRecord) -> None:
        """Keep a message that is the child's, and where one lies that names them."""
        message = _message(tp, record)
        if self._is_of_child(tp, record, message):
            self.messages.setdefault(tp.topic, []).append(message)
        elif any(self._named.search(it) for it in _parts(record)):
            self.mentions.append({name: message[name] for name in ("topic", "partition", "offset")})

    def _is_of_child(self, tp: TP, record: KafkaRecord, message: Document) -> bool:
        if tp.topic == DECISIONS_TOPIC:
            return self._is_about_alerts(record, message)
        value = message["value"]
        named = {message["key"], dict(message["headers"]).get(PARTITION_KEY_HEADER)}
        if isinstance(value, dict):
            attribute = "child" if tp.topic.startswith(ALERTS_TOPIC) else "partitionkey"
            named.add(_text(value.get(attribute)))
        is_found = self.child in named
        if is_found and tp.topic == ALERTS_TOPIC and isinstance(value, dict):
            self.alerts.add(str(value.get("alert")))
        return is_found

    def _is_about_alerts(self, record: KafkaRecord, message: Document) -> bool:
        """Whether someone decided about an alert of the child's, under whatever deployment."""
        number = (record.key or b"").decode("utf-8", "replace").rpartition("/")[2]
        value = message["value"]
        about = value.get("alerts") if isinstance(value, dict) else None
        of_several = {str(it) for it in about} if isinstance(about, list) else set()
        return bool(self.alerts & {number, *of_several})


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
    # Decisions last: which alerts they may be about is known by then.
    topics = [*events, *letters, ALERTS_TOPIC, DECISIONS_TOPIC]
    for topic in topics:
        async with log_reader(brokers, [topic]) as reader:
            await _search(reader, found)
    return {
        "child": child,
        "deployment": deployment,
        "made": now.isoformat(),
        "log": {topic: found.messages.get(topic, []) for topic in topics},
        "state": state,
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
        ((stored, told),) = await store.children(head, [child])
        if stored is not None:
            records.append({"shard": f"{shard.topic}[{shard.partition}]", **_record(stored)})
        for alert in decode_alerts(told) if told else ():
            _, text = rules.wording.change(child, alert, alert.stand_at)
            alerts.append(json.loads(text))
    active = [
        it.model_dump(mode="json")
        for it in await open_changes(redis, deployment)
        if isinstance(it, CaseChange) and it.child == child
    ]
    outgoing = [it async for it in _outgoing(redis, deployment, child)]
    return {"records": records, "alerts": alerts, "active_alerts": active, "outgoing": outgoing}


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


def _parts(record: KafkaRecord) -> Collection[bytes]:
    parts = (record.key, record.value, *(text for _, text in record.headers))
    return [it for it in parts if it is not None]


def _message(tp: TP, record: KafkaRecord) -> Document:
    """A message with all that it carries."""
    at = record.timestamp
    return {
        "topic": tp.topic,
        "partition": tp.partition,
        "offset": record.offset,
        "arrived": (EPOCH + timedelta(milliseconds=at)).isoformat() if at >= 0 else None,
        "key": _plain(record.key),
        "headers": [[name, _plain(text)] for name, text in record.headers],
        "value": _value(record.value),
    }


def _value(value: bytes | None) -> Any:
    """A message's value as JSON where it is JSON."""
    try:
        read = json.loads(value or b"", parse_constant=_refuse)
    except (ValueError, RecursionError):
        return _plain(value)
    return read if _is_flatter(read, DEEPEST) else _plain(value)


def _refuse(constant: str) -> None:
    """What Python reads as JSON and is none: NaN and infinities."""
    raise ValueError(constant)


def _is_flatter(part: object, depth: int) -> bool:
    """Whether a value is nested at most so deep."""
    inside = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return depth > 0 and all(_is_flatter(it, depth - 1) for it in inside)


def _plain(part: bytes | None) -> str | None:
    """Bytes as text, or as base64 where they are none."""
    if part is None:
        return None
    try:
        return part.decode()
    except UnicodeDecodeError:
        return f"base64:{base64.b64encode(part).decode()}"


def _text(part: object) -> str | None:
    return part if isinstance(part, str) else None
