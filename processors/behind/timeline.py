"""One case from its beginning: its events in order, who holds it, and what it waits for."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from processors.behind.case_waits import CaseWait, case_waits
from processors.behind.listing import ALLOCATED, RECEIVED, about
from processors.days.calendar import date_of
from processors.record.decoding import Event, in_order
from processors.record.record import Record
from processors.rules import Rules
from schemas.events.registry import CASE_TOPIC, RETRACTION, types_on

CASE_TYPES = types_on(CASE_TOPIC) | {RETRACTION}
# What no reader of a timeline needs of a child: how old it is says the age band.
LEFT_OUT = frozenset({"date_of_birth"})


# Of a case with more events, as no real one has, the latest are told.
MOST_STEPS = 1_000


class TimelineStep(NamedTuple):
    """An event of a case: when, what, and what it says. Days are civil dates in London.

    A `revision` above 0 is a correction of what was said before. Of a retraction `retracts` is the
    id of the event that it took out. An allocation `is_transfer` where somebody had the case.
    """

    day: str
    type: str
    instant: int
    source: str
    id: str
    revision: int
    retracts: str | None
    is_transfer: bool
    says: dict[str, Any]


class Timeline(NamedTuple):
    """A case as of a day: its steps by then, and its waits.

    `later` is how many events are dated later, `earlier` how many beyond MOST_STEPS are left out.
    `area` is the district that it was notified in, None where that is not known.
    """

    steps: list[TimelineStep]
    later: int
    earlier: int
    waits: list[CaseWait]
    received: str | None
    service: str | None
    provider: str | None
    team: str | None
    closed: str | None
    area: str | None

    @property
    def corrected(self) -> int:
        """How many of its steps are corrections."""
        return sum(it.revision > 0 for it in self.steps)

    @property
    def retracted(self) -> int:
        """How many events were taken out."""
        return sum(it.retracts is not None for it in self.steps)


def timeline(rules: Rules, child: str, record: Record, case: str, day: int) -> Timeline:
    """A case of a child's as of a day; without steps where there is no such case."""
    of_case = [it for it in record.events if it.subject == case and it.type in CASE_TYPES]
    by_then = in_order(it for it in of_case if it.day <= day)
    waits = case_waits(rules, {child: record}, day)
    first = next((it for it in by_then if it.type == ALLOCATED), None)
    return Timeline(
        [_step(it, it.type == ALLOCATED and it is not first) for it in by_then[-MOST_STEPS:]],
        len(of_case) - len(by_then),
        max(0, len(by_then) - MOST_STEPS),
        waits.get((child, case), []),
        *about(record, case, day),
        _area(rules, by_then),
    )


def _step(event: Event, is_transfer: bool) -> TimelineStep:
    said = {name: value for name, value in event.data.items() if name not in LEFT_OUT}
    retracts = said.pop("retracts", None) if event.type == RETRACTION else None
    return TimelineStep(
        day=str(date_of(event.day)),
        type=event.type,
        instant=event.instant,
        source=event.source,
        id=event.id,
        revision=event.revision,
        retracts=retracts,
        is_transfer=is_transfer,
        says=said,
    )


def _area(rules: Rules, steps: Iterable[Event]) -> str | None:
    """The district of the first notification, if it is one of the tree of areas."""
    for it in steps:
        if it.type == RECEIVED:
            name = it.data.get("district")
            return name if rules.graph.is_district(name) else None
    return None
