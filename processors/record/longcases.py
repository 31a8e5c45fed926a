"""The rows of a case that has very many, kept so that one more costs no more than the first did.

Of some kinds of row the rules only ask for the first day from some day on (docs/indicators.md): of
a contact the first since receipt, of a worker the first from five working days before it. Whatever
else there is of these kinds changes nothing, so only the rows that may be an answer are looked at.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable
from typing import NamedTuple

from processors.record.rows import (
    ALLOCATION,
    CONTACT,
    DESTINATION,
    NOTIFICATION,
    PLAN,
    REFERRER,
    ROW,
    SUSTAINED,
    WORKER,
)

# (instant, rank, source, id, row): rows in order of time, then source, then id, except that
# allocations come first within an instant, because the holder of a closed case is the latest
# allocation at or before the closure's time (docs/indicators.md, Words).
Ordered = tuple[int, int, str, str, bytes]


class Asked(NamedTuple):
    """From which days on the first row of a kind is asked for.

    `earliest` and `latest` are days after one of a row of `kinds`; rather more than there may be.
    """

    kinds: frozenset[int]
    earliest: int = 0
    latest: int = 0


RECEIVED = frozenset({NOTIFICATION, ALLOCATION})
# In an order in which what an entry is asked from is known before it.
ASKED = {
    CONTACT: Asked(RECEIVED),
    PLAN: Asked(RECEIVED),
    REFERRER: Asked(RECEIVED),
    DESTINATION: Asked(RECEIVED),
    WORKER: Asked(RECEIVED, earliest=-20),  # five working days, over Christmas too
    SUSTAINED: Asked(frozenset({DESTINATION}), earliest=85, latest=100),  # three months
}
_KIND, _DAY = ROW.fields["kind"][1], ROW.fields["day"][1]  # type: ignore[index]


class LongCase:
    """The rows of a case by kind, as far as their kinds are asked for, and all the others."""

    __slots__ = ("_asked", "_others")

    def __init__(self, rows: Iterable[Ordered]) -> None:
        self._others: list[Ordered] = []
        self._asked: dict[int, list[Ordered]] = {kind: [] for kind in ASKED}
        for row in rows:
            self._of_kind(row).append(row)

    def __len__(self) -> int:
        return len(self._others) + sum(map(len, self._asked.values()))

    def add(self, row: Ordered) -> None:
        """Take in a row, in order."""
        insort(self._of_kind(row), row)

    def remove(self, row: Ordered) -> None:
        """Leave out a row that was taken in."""
        remove(self._of_kind(row), row)

    def telling(self) -> list[Ordered]:
        """The rows that rules can tell from all of them, in order."""
        found = {kind: list[Ordered]() for kind in ASKED}
        marks: dict[int, list[int]] = {NOTIFICATION: [], ALLOCATION: [], DESTINATION: []}
        for row in self._others:
            if row[4][_KIND] in marks:
                marks[row[4][_KIND]].append(_day(row))
        for kind, asked in ASKED.items():
            if self._asked[kind]:
                days = sorted(day for of in asked.kinds for day in marks[of])
                found[kind] = _first_from(
                    self._asked[kind], [(it + asked.earliest, it + asked.latest) for it in days]
                )
                if kind in marks:
                    marks[kind] = [_day(row) for row in found[kind]]
        return sorted([*self._others, *(row for of_kind in found.values() for row in of_kind)])

    def named(self) -> list[Ordered]:
        """The rows of what alerts name: notifications, allocations, workers; and a few others."""
        return [*self._others, *self._asked[WORKER]]

    def _of_kind(self, row: Ordered) -> list[Ordered]:
        return self._asked.get(row[4][_KIND], self._others)


def remove(rows: list[Ordered], row: Ordered) -> None:
    """Leave out one of rows that are in order."""
    del rows[bisect_left(rows, row)]


def _first_from(rows: list[Ordered], days: list[tuple[int, int]]) -> list[Ordered]:
    """The first row from each day on that lies in any of the spans of days, which are in order."""
    found: list[Ordered] = []
    at = 0
    for first, last in days:
        # Rows before `at` were looked at for a span that began earlier.
        at = bisect_left(rows, first, lo=at, key=_day)
        while at < len(rows):
            found.append(rows[at])
            day = _day(rows[at])
            at = bisect_left(rows, day + 1, lo=at, key=_day)
            if day >= last:
                break
    return found


def _day(row: Ordered) -> int:
    return int.from_bytes(row[4][_DAY : _DAY + 4], "little", signed=True)
