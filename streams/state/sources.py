"""Which logs a shard's state was made from, so that no other is taken for one of them.

Of each topic the head keeps

- the IDs of the cluster and of the topic, which a topic that was made again under its name has not;
- a hash of the last record folded, which must still lie where it lay: IDs outlive a log that was
  cut short and written on, and very old brokers give none;
- how far the dead-letter topic was known when dead letters were written last.

The number of partitions belongs to a group of topics: with another one a child is in another shard.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Self

from redis.asyncio import Redis

from schemas.events.registry import topics_in
from streams import keys
from streams.kafka.batches import TP, KafkaRecord
from streams.kafka.private import Described

LOG, MARK, LETTERS = "log:", "mark:", "letters:"
HASH_DIGITS = 32
WAY_OUT = "If this is the right one, `caseline rebuild` makes the state anew from it"


class Mark(NamedTuple):
    """The last record folded: where it lies, and a hash of it."""

    offset: int
    hash: str

    @classmethod
    def of(cls, record: KafkaRecord) -> Self:
        """The mark of a record."""
        digest = hashlib.sha256(f"{record.offset} {record.timestamp}".encode())
        parts = [record.key, record.value]
        for name, text in record.headers:
            parts += [name.encode(), text]
        for part in parts:
            digest.update(b"-" if part is None else b"%d:%s" % (len(part), part))
        return cls(record.offset, digest.hexdigest()[:HASH_DIGITS])


class Source(NamedTuple):
    """What a shard's state remembers of one topic's log.

    `log` has the IDs of cluster and topic, "" for one that is not known; `letters` is the end of
    the topic's dead letters in its dead-letter topic, as of the last that was written.
    """

    log: str = ""
    mark: Mark | None = None
    letters: int = 0


def log_name(described: Described, topic: str) -> str:
    """The IDs of the log that a topic is."""
    found = described.logs.get(topic)
    return f"{described.cluster}/{found.id if found else ''}"


def source_fields(sources: Mapping[str, Source]) -> dict[str, str | int]:
    """Sources as fields of a head."""
    fields: dict[str, str | int] = {}
    for topic, source in sources.items():
        fields |= {f"{LOG}{topic}": source.log, f"{LETTERS}{topic}": source.letters}
        if source.mark:
            fields[f"{MARK}{topic}"] = f"{source.mark.offset}:{source.mark.hash}"
    return fields


def sources_in(fields: Mapping[str, bytes]) -> dict[str, Source]:
    """The sources among the fields of a head."""
    found: dict[str, Source] = {}
    for name, value in fields.items():
        if name.startswith(LOG):
            topic = name.removeprefix(LOG)
            mark = fields.get(f"{MARK}{topic}", b"").decode().partition(":")
            found[topic] = Source(
                value.decode(),
                Mark(int(mark[0]), mark[2]) if mark[0] else None,
                int(fields.get(f"{LETTERS}{topic}", 0)),
            )
    return found


def other_log(tp: TP, source: Source, described: Described) -> str | None:
    """Why a topic is not the one that a shard's state was made from; None if it may be."""
    if tp.topic not in described.logs:
        return None
    was, now = source.log.partition("/"), log_name(described, tp.topic).partition("/")
    for known, found, what in (
        (was[0], now[0], "it is on another Kafka cluster"),
        (was[2], now[2], "the topic was deleted and made again under its name"),
    ):
        if known and found and known != found:
            return (
                f"{name_of(tp)}: this is not the log that the state was made from: {what} "
                f"(ID {found}, not {known}). Nothing is read from it. {WAY_OUT}"
            )
    return None


def other_record(tp: TP, source: Source, record: KafkaRecord | None) -> str | None:
    """Why a partition is not the one read before, by the record at the mark; None if it may be."""
    if source.mark is None or record is None or Mark.of(record) == source.mark:
        return None
    return (
        f"{name_of(tp)}: this is not the log that the state was made from: the record at offset "
        f"{source.mark.offset} is another one. Nothing is read from it. {WAY_OUT}"
    )


def other_partitions(group: str, known: int | None, described: Described) -> str | None:
    """What is wrong with a group's numbers of partitions, of which the state knows one."""
    counts = {it: described.logs[it].partitions for it in topics_in(group) if it in described.logs}
    if len(set(counts.values())) > 1:
        shown = ", ".join(f"{topic} has {count}" for topic, count in counts.items())
        return (
            f"topics that share children have different numbers of partitions: {shown}. Nothing is "
            "read from them. Make them equal (docs/runbook.md, Partitions changed)"
        )
    for topic, count in counts.items():
        if known and count != known:
            return (
                f"{topic}: it has {count} partitions, but the state was made with {known}: what is "
                "known of one child would be scattered. Nothing is read from it. Make the topic "
                "anew, send its events again, and `caseline rebuild` (docs/runbook.md, Partitions "
                "changed)"
            )
    return None


def name_of(tp: TP) -> str:
    """A partition as messages name it."""
    return f"{tp.topic}[{tp.partition}]"


def counts_key(deployment: str) -> str:
    """Where the numbers of partitions of a deployment's groups are."""
    return f"{keys.of_deployment(deployment)}:partition-counts"


async def known_counts(redis: Redis, deployment: str) -> dict[str, int]:
    """The number of partitions of each group that the deployment's state is made with."""
    stored: Any = await redis.hgetall(counts_key(deployment))
    return {group.decode(): int(count) for group, count in stored.items()}


async def keep_counts(
    redis: Redis, deployment: str, groups: Iterable[str], described: Described
) -> dict[str, int]:
    """The known numbers, after those of groups that had none were made what they are now."""
    known = await known_counts(redis, deployment)
    # What is known needs no write, which a Redis that takes none would refuse.
    for group in set(groups) - known.keys():
        found = described.logs.get(group)
        if found and not other_partitions(group, None, described):
            await redis.hsetnx(counts_key(deployment), group, str(found.partitions))
    return await known_counts(redis, deployment)
