"""Late entry: how many days pass from an event to its arrival in the log, by provider and type."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from processors.days.calendar import london_days
from processors.record.completeness import ALLOCATED
from processors.record.decoding import Event

# A case, and what has no case: by its key and subject.
Of = tuple[str, str]


class Late(NamedTuple):
    """The events of a type that concern a provider, empty for none: how late they came.

    `days` are those from event to arrival, added up; one dated after its arrival has none.
    """

    type: str
    provider: str
    events: int
    days: int
    longest: int


class Arrivals:
    """Events as they arrive, added up; one that comes again counts as it came first.

    The provider is that of the case's latest allocation, or else the one that the event names.
    """

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._allocated: dict[Of, tuple[tuple[int, str, str], str]] = {}
        self._late: dict[tuple[Of, str, str], list[int]] = defaultdict(lambda: [0, 0, 0])

    def add(self, arrivals: Sequence[tuple[str, Event, int]]) -> None:
        """Add events with their keys and when they arrived, in milliseconds from 1970."""
        instants = np.array([arrived * 1_000 for _, _, arrived in arrivals], dtype=np.int64)
        for (key, event, _), day in zip(arrivals, london_days(instants).tolist(), strict=True):
            self._add(key, event, day)

    def _add(self, key: str, event: Event, day: int) -> None:
        identity = hash((key, event.source, event.id, event.revision))
        if identity in self._seen:
            return
        self._seen.add(identity)
        of = key, event.subject
        named = event.data.get("provider", "")
        order = event.instant, event.source, event.id
        if event.type == ALLOCATED and order >= self._allocated.get(of, ((0, "", ""), ""))[0]:
            self._allocated[of] = order, named
        days = max(day - event.day, 0)
        sums = self._late[of, event.type, named]
        sums[0] += 1
        sums[1] += days
        sums[2] = max(sums[2], days)

    def found(self) -> list[Late]:
        """By type and then by provider, of all providers first."""
        totals: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
        for (of, kind, named), (events, days, longest) in self._late.items():
            provider = self._allocated.get(of, ((), named))[1]
            for place in {"", provider}:
                sums = totals[kind, place]
                sums[0] += events
                sums[1] += days
                sums[2] = max(sums[2], longest)
        return [Late(*key, *sums) for key, sums in sorted(totals.items())]
