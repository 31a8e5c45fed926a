"""Which messages of the log go when children are erased, and which only name one and stay."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from schemas.alerts import ALERTS_TOPIC, DECISIONS_TOPIC
from schemas.events.registry import DEAD_LETTER_SUFFIX, EVENT_TYPES, VALIDATORS, topic_names
from streams.jobs.belonging import Belonging, value_of
from streams.kafka.batches import TP, KafkaRecord
from streams.kafka.deadletters import dead_letter_topic
from streams.kafka.logreading import LogReader
from streams.state import admission

# Types of events that are keyed by a place, a provider or an area.
OF_OTHERS = frozenset(name for it in EVENT_TYPES if it.key != "child" for name in it.names)
# Decisions last: which alerts they may be about is known by then.
SEARCHED = (
    *topic_names(),
    *(dead_letter_topic(topic) for topic in (*topic_names(), ALERTS_TOPIC)),
    ALERTS_TOPIC,
    DECISIONS_TOPIC,
)


@dataclass
class ErasureSearch:
    """Finds what is of some children; `offsets` by partition, and where others name one.

    `cases` has what their events are about, `no_child` the types of those that are keyed by
    anything but a child. What is no event for anyone, and names a child, goes as well: it is kept
    for its bytes alone.
    """

    children: Collection[str]
    alerts: set[str] = field(default_factory=set)
    cases: set[str] = field(default_factory=set)
    no_child: set[str] = field(default_factory=set)
    offsets: dict[TP, list[int]] = field(default_factory=dict)
    mentions: list[tuple[TP, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._belonging = Belonging(self.children, self.alerts)

    @property
    def counts(self) -> dict[str, int]:
        """How many messages go of each topic."""
        counts: Counter[str] = Counter()
        for tp, offsets in self.offsets.items():
            counts[tp.topic] += len(offsets)
        return dict(counts)

    async def search(self, reader: LogReader, bounds: dict[TP, tuple[int, int]]) -> None:
        """Search partitions between these offsets."""
        for tp, (first, end) in sorted(bounds.items()):
            async for _, records in reader.read(tp, first, end):
                for record in records:
                    self.take(tp, record)

    def take(self, tp: TP, record: KafkaRecord) -> None:
        """Look at a message: whether it goes, stays and is told of, or is nothing of theirs."""
        if self._belonging.has(tp, record) and not self._is_of_others_too(tp, record):
            self.offsets.setdefault(tp, []).append(record.offset)
            if tp.topic in VALIDATORS:
                events = admission.read(tp.topic, [record]).events
                self.cases.update(event.subject for _, event in events)
                self.no_child.update(event.type for _, event in events if event.type in OF_OTHERS)
        elif self._belonging.is_named_in(record):
            if tp.topic.endswith(DEAD_LETTER_SUFFIX) or self._is_no_event(tp, record):
                self.offsets.setdefault(tp, []).append(record.offset)
            else:
                self.mentions.append((tp, record.offset))

    def _is_of_others_too(self, tp: TP, record: KafkaRecord) -> bool:
        """Whether a decision is about alerts of others as well: it goes on for those."""
        value = value_of(record.value) if tp.topic == DECISIONS_TOPIC else None
        about = value.get("alerts") if isinstance(value, dict) else None
        return isinstance(about, list) and not self.alerts.issuperset(map(str, about))

    def _is_no_event(self, tp: TP, record: KafkaRecord) -> bool:
        return tp.topic in VALIDATORS and not admission.read(tp.topic, [record]).events
