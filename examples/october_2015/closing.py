"""Classes of closure, each a range of receipt and closure dates on which every measure agrees.

For one class every closure has the same answer to: closed in October or in September, within the
20-week standard or beyond it, received early enough to leave the six-month windows of October and
September, and already beyond 20 weeks at the end of September.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from .workdays import day, is_late, last_late

MARCH_END, APRIL_END = day(2015, 3, 31), day(2015, 4, 30)
JULY_END, AUGUST_END, SEPTEMBER_END = day(2015, 7, 31), day(2015, 8, 31), day(2015, 9, 30)
OCTOBER_END = day(2015, 10, 31)
LATE_IN_SEPTEMBER = last_late(SEPTEMBER_END)
"""The latest receipt that is beyond 20 weeks at the end of September."""
OLDEST = day(2014, 12, 1)
SHORTEST = 21
"""Days: no unit case of the history closes sooner."""


@dataclass(frozen=True)
class ClosureClass:
    """Receipt and closure ranges (inclusive day numbers) and, where it matters, lateness."""

    name: str
    received: tuple[int, int]
    closed: tuple[int, int]
    late: bool | None

    def dates(self, duration: int) -> list[tuple[int, int]]:
        """The receipt and closure dates of this class that lie `duration` days apart."""
        return _dates(self).get(duration, [])

    @property
    def durations(self) -> tuple[int, int]:
        """The shortest and the longest duration in days; all between them are possible."""
        return min(_dates(self)), max(_dates(self))

    @property
    def in_october_window(self) -> bool:
        """Received in the six months to the end of October."""
        return self.received[0] > APRIL_END

    @property
    def in_september_window(self) -> bool:
        """Received in the six months to the end of September and closed by then."""
        return self.received[0] > MARCH_END and self.closed[1] <= SEPTEMBER_END


@cache
def _dates(kind: ClosureClass) -> dict[int, list[tuple[int, int]]]:
    found: dict[int, list[tuple[int, int]]] = {}
    for received, closed in _pairs(kind):
        found.setdefault(closed - received, []).append((received, closed))
    return found


def _pairs(kind: ClosureClass) -> Iterator[tuple[int, int]]:
    for received in range(kind.received[0], kind.received[1] + 1):
        for closed in range(kind.closed[0], kind.closed[1] + 1):
            suits = kind.late is None or is_late(received, closed) == kind.late
            if suits and closed - received >= SHORTEST:
                yield received, closed


_OCTOBER = (SEPTEMBER_END + 1, OCTOBER_END)
_SEPTEMBER = (AUGUST_END + 1, SEPTEMBER_END)
_BEFORE = (day(2015, 5, 20), AUGUST_END)
_APRIL = (MARCH_END + 1, APRIL_END)
_SINCE_MAY = (APRIL_END + 1, AUGUST_END)

OCTOBER_CLASSES = (
    ClosureClass("october within", (LATE_IN_SEPTEMBER + 1, AUGUST_END), _OCTOBER, late=False),
    ClosureClass("october newly late", (LATE_IN_SEPTEMBER + 1, AUGUST_END), _OCTOBER, late=True),
    ClosureClass("october late", (APRIL_END + 1, LATE_IN_SEPTEMBER), _OCTOBER, late=True),
    ClosureClass("october old", (OLDEST, APRIL_END), _OCTOBER, late=True),
)
SEPTEMBER_CLASSES = (
    ClosureClass("september within, April", _APRIL, _SEPTEMBER, late=False),
    ClosureClass("september within", _SINCE_MAY, _SEPTEMBER, late=False),
    ClosureClass("september late, April", _APRIL, _SEPTEMBER, late=True),
    ClosureClass("september late", _SINCE_MAY, _SEPTEMBER, late=True),
    ClosureClass("september old", (OLDEST, MARCH_END), _SEPTEMBER, late=True),
)
EARLIER_CLASSES = (
    ClosureClass("earlier, April", _APRIL, _BEFORE, late=None),
    ClosureClass("earlier", _SINCE_MAY, _BEFORE, late=None),
)
CLASSES = (*OCTOBER_CLASSES, *SEPTEMBER_CLASSES, *EARLIER_CLASSES)
LATE_AT_SEPTEMBER_END = frozenset({"october late", "october old"})
