"""What has one key as the log knows it: messages decoded, and the set of events these make."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from processors.record.decoding import Event, decode
from processors.record.record import RETRACTION, Record
from schemas.release import Cause, Position
from snapshots.recount.disk import LogRecord

# What tells an event from every other: its source and id.
Identity = tuple[str, str]
Offsets = Mapping[tuple[str, int], int]
# Where something lies in the log: topic, partition, offset.
Spot = tuple[str, int, int]
# All of a key lies in one bucket: nothing more comes of the subjects in those before.
MOST_SUBJECTS = 5_000


class Placed(NamedTuple):
    """An event and where it lies in the log."""

    event: Event
    topic: str
    partition: int
    offset: int

    @property
    def spot(self) -> Spot:
        """Where in the log it lies."""
        return self.topic, self.partition, self.offset

    @property
    def cause(self) -> Cause:
        """The event as a release names it."""
        return Cause(
            topic=self.topic,
            partition=self.partition,
            offset=self.offset,
            source=self.event.source,
            id=self.event.id,
            revision=self.event.revision,
            type=self.event.type,
            subject=self.event.subject,
        )


def offsets_of(cut: Iterable[Position]) -> Offsets:
    """A cut as offsets by (topic, partition)."""
    return {(it.topic, it.partition): it.offset for it in cut}


def by_key(records: Sequence[LogRecord]) -> dict[str, list[Placed]]:
    """The events among records by key, a topic after the other and each in the log's order."""
    of_topic: dict[str, list[LogRecord]] = defaultdict(list)
    for record in records:
        of_topic[record.topic].append(record)
    found: dict[str, list[Placed]] = defaultdict(list)
    for topic, its_records in of_topic.items():
        for key, placed in _of_topic(topic, its_records):
            found[key].append(placed)
    return found


def _of_topic(topic: str, records: Sequence[LogRecord]) -> Iterator[tuple[str, Placed]]:
    decoded = decode(topic, [(it.key, it.value, it.headers) for it in records], MOST_SUBJECTS)
    rejected = {position for position, _ in decoded.rejected}
    places = (it for position, it in enumerate(records) if position not in rejected)
    for (key, event), at in zip(decoded.events, places, strict=True):
        yield key, Placed(event, at.topic, at.partition, at.offset)


def known(events: Iterable[Event]) -> list[Event]:
    """The events that count (docs/events.md, Identity rules)."""
    came, found = list(events), dict[Identity, Event]()
    contested: dict[Identity, list[Event]] = {}
    for event in came:
        if event.type == RETRACTION:
            return list(_record(came).events)
        identity = event.source, event.id
        known_as = found.setdefault(identity, event)
        if known_as is not event and known_as != event:
            contested.setdefault(identity, [known_as]).append(event)
    for identity, versions in contested.items():
        (found[identity],) = _record(versions).events
    return list(found.values())


def before(placed: Sequence[Placed], cut: Offsets) -> list[Placed]:
    """Those that lie before a cut."""
    return [it for it in placed if _is_before(it, cut)]


def news(placed: Sequence[Placed], cut: Offsets) -> list[Placed]:
    """Those from a cut on that say something new, and still count: retractions, and winners."""
    record = _record(it.event for it in before(placed, cut))
    later = [it for it in placed if not _is_before(it, cut)]
    fresh = [it for it in later if record.apply(it.event, _no_row)]
    winners = list(record.events)
    return [it for it in fresh if it.event.type == RETRACTION or it.event in winners]


def _is_before(placed: Placed, cut: Offsets) -> bool:
    return placed.offset < cut.get((placed.topic, placed.partition), 0)


def _record(events: Iterable[Event]) -> Record:
    record = Record()
    for event in events:
        record.apply(event, _no_row)
    return record


def _no_row(_: Event) -> bytes:
    return b""
