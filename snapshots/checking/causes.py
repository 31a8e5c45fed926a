"""Why a figure moved between two cuts of the log: the events behind each difference.

A child without an event between the cuts cannot have moved anything, so only the others are looked
at. An event is behind a difference if the later cut without it, or the earlier cut with nothing
but it added, gives another amount; where events only tell together, all of them are.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from processors.record.decoding import Event
from snapshots.recount.children import Offsets, Place, Placed, before, known, news
from snapshots.recount.definitions import Definitions, Share, cases

# What one case adds, by the date's position and where it is added.
CaseShare = tuple[str, int, Share]
Amounts = Counter[CaseShare]


class Moves:
    """The events behind each sum's difference, gathered child by child.

    Events are told by their places; `placed` has each that is behind any difference.
    """

    def __init__(self, definitions: Definitions, dates: Sequence[int], since: Offsets) -> None:
        self._definitions, self._dates, self._since = definitions, dates, since
        self._behind: list[dict[Share, set[Place]]] = [defaultdict(set) for _ in dates]
        self.placed: dict[Place, Placed] = {}

    def add(self, placed: Sequence[Placed]) -> None:
        """Take in one child's events, up to the later cut."""
        earlier = before(placed, self._since)
        candidates = news(placed, self._since) if len(earlier) < len(placed) else []
        if not candidates:
            return
        was, now = self._amounts(earlier), self._amounts(placed)
        moved = differing(was, now)
        behind: dict[CaseShare, list[Placed]] = defaultdict(list)
        for candidate in candidates:
            without = self._amounts(it for it in placed if it.event != candidate.event)
            alone = self._amounts([*earlier, candidate])
            for share in moved & (differing(now, without) | differing(was, alone)):
                behind[share].append(candidate)
        for share in moved:
            _, date, where = share
            causes = behind.get(share, candidates)
            self._behind[date][where].update(it.place for it in causes)
            self.placed.update((it.place, it) for it in causes)

    def causes(self, date: int, shares: Iterable[Share]) -> set[Place]:
        """The events behind differences, as of one of the dates, in any of the sums."""
        return set[Place]().union(*(self._behind[date].get(share, ()) for share in shares))

    def _amounts(self, placed: Iterable[Placed]) -> Amounts:
        events: list[Event] = known(it.event for it in placed)
        amounts: Amounts = Counter()
        for case, of_case in cases(events).items():
            for position, day in enumerate(self._dates):
                for share, amount in self._definitions.shares(of_case, day):
                    amounts[case, position, share] += amount
        return amounts


def differing(some: Amounts, others: Amounts) -> set[CaseShare]:
    """Where two sets of amounts differ."""
    return {share for share in some.keys() | others.keys() if some[share] != others[share]}
