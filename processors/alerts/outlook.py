"""When the cases of a child who has very many of them are to be judged again.

What is true of a case's alerts changes by its events, or on a day that is known when it is judged.
So of a crowd of cases only those are judged that an event touches, and those whose day has come.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Mapping, Set

from processors.days.calendar import NEVER

# About how much memory each case takes.
BYTES_A_CASE = 200


class Outlook:
    """The first day on which each case's alerts change if no event comes, as judged by a day.

    `day` is that day. `waiting` are the cases of which something may not be told yet.
    """

    __slots__ = ("_by_day", "_next", "day", "waiting")

    def __init__(self) -> None:
        self.day = -NEVER
        self.waiting: set[str] = set()
        self._next: dict[str, int] = {}
        self._by_day: list[tuple[int, str]] = []

    @property
    def size(self) -> int:
        """About how many bytes of memory it takes."""
        return BYTES_A_CASE * len(self._next)

    @property
    def next(self) -> int:
        """The first day on which an alert of any case changes, NEVER if on none."""
        return self._by_day[0][0] if self._by_day else NEVER

    def due(self, day: int, *, is_withheld: bool) -> Iterator[str]:
        """The cases to be judged on a day, which is not before the last; some may come twice.

        Those that wait go on waiting while what is told of the child is withheld.
        """
        for _, case in self._by_day[: bisect_right(self._by_day, day, key=_day)]:
            yield case
        if not is_withheld:
            yield from self.waiting

    def note(self, day: int, following: Mapping[str, int], waiting: Set[str]) -> None:
        """Cases were judged as of a day: when each changes next, and which of them wait."""
        self.day = day
        self.waiting -= following.keys()
        self.waiting |= waiting
        for case, on in following.items():
            before = self._next.get(case, NEVER)
            if before == on:
                continue
            self._next[case] = on
            if before < NEVER:
                del self._by_day[bisect_left(self._by_day, (before, case))]
            if on < NEVER:
                insort(self._by_day, (on, case))


def _day(it: tuple[int, str]) -> int:
    return it[0]
