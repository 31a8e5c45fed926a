"""States of subjects from event to event, kept in order of days from change to change.

Each subject is in some state from one of its events until its next, such as registered somewhere.
Of a person with very many subjects, or events of one, a change costs what it changes, and what
holds on some days is found among those that begin or end there, and by counting all others.
"""

from array import array
from bisect import bisect_left, bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Any, Generic, NamedTuple, TypeVar

from processors.days.calendar import NEVER
from processors.days.intervals import Interval
from processors.record.decoding import Event, place_in_order

S = TypeVar("S")
# About how much memory a subject takes, and each stretch of its states.
BYTES_A_SUBJECT, BYTES_A_STRETCH = 450, 350
# A state that the rules can tell from others.
Key = tuple[Any, ...]


class Stretch(NamedTuple):
    """The days from one on until another on which a subject is in a state."""

    begin: int
    end: int
    subject: str
    key: Key


class Chains(Generic[S]):
    """The states of subjects, each from an event until the subject's next.

    `step` gives the state after an event from the one before it, `first` is that before any. `key`
    says what of a state counts, None for one that does not.
    """

    def __init__(
        self, first: S, step: Callable[[S, Event], S], key: Callable[[S], Key | None]
    ) -> None:
        self._first, self._step, self._key = first, step, key
        self._of: dict[str, _Chain[S]] = {}
        # Each stretch by a number of its own; the numbers by first days, and by ends.
        self._stretches: dict[int, Stretch] = {}
        self._last = 0
        self._begins: list[tuple[int, int]] = []
        self._ends: list[tuple[int, int]] = []
        self._days: dict[Key, tuple[array[int], array[int]]] = {}
        # By how much the number of stretches of a subject in a state changed, from a day on.
        self._changed: dict[tuple[str, Key], Counter[int]] = defaultdict(Counter)

    @property
    def size(self) -> int:
        """About how many bytes of memory it takes."""
        return BYTES_A_SUBJECT * len(self._of) + BYTES_A_STRETCH * len(self._stretches)

    def add(self, event: Event) -> None:
        """Take in an event of its subject."""
        chain = self._of.setdefault(event.subject, _Chain())
        at = bisect_left(chain.events, place_in_order(event), key=place_in_order)
        chain.events.insert(at, event)
        chain.numbers.insert(at, None)
        chain.states.insert(at, self._step(chain.before(at, self._first), event))
        self._renew(chain, at, at + 1)

    def remove(self, event: Event) -> None:
        """Leave out an event that was taken in."""
        chain = self._of[event.subject]
        at = bisect_left(chain.events, place_in_order(event), key=place_in_order)
        self._drop(chain, at)
        for column in (chain.events, chain.numbers, chain.states):
            del column[at]
        self._renew(chain, at, at)
        if not chain.events:
            del self._of[event.subject]

    def changes(self) -> Iterator[Interval]:
        """The days on which a subject is in another state than when this was asked last."""
        for edges in self._changed.values():
            depth, since = 0, 0
            for day in sorted(edges):
                if depth:
                    yield since, day
                depth, since = depth + edges[day], day
        self._changed.clear()

    def within(self, first: int, end: int) -> tuple[list[Stretch], dict[Key, int]]:
        """The stretches that begin or end within days, and how many others last all of them."""
        found = [
            self._stretches[number]
            for _, number in self._begins[
                bisect_left(self._begins, (first, 0)) : bisect_left(self._begins, (end, 0))
            ]
        ]
        ended = Counter[Key]()
        for _, number in self._ends[
            bisect_left(self._ends, (first + 1, 0)) : bisect_left(self._ends, (end, 0))
        ]:
            it = self._stretches[number]
            if it.begin < first:
                found.append(it)
                ended[it.key] += 1
        lasting: dict[Key, int] = {}
        for key, (begins, ends) in self._days.items():
            number = bisect_left(begins, first) - bisect_right(ends, first) - ended[key]
            if number:
                lasting[key] = number
        return found, lasting

    def _renew(self, chain: "_Chain[S]", at: int, known: int) -> None:
        """Have the states from a position on follow from those before; those until `known` do."""
        until = known
        while until < len(chain.events):
            state = self._step(chain.before(until, self._first), chain.events[until])
            if state == chain.states[until]:
                break
            chain.states[until] = state
            until += 1
        for position in range(max(at - 1, 0), until):
            self._drop(chain, position)
            self._put(chain, position)

    def _drop(self, chain: "_Chain[S]", at: int) -> None:
        number = chain.numbers[at]
        if number is None:
            return
        chain.numbers[at] = None
        it = self._stretches.pop(number)
        del self._begins[bisect_left(self._begins, (it.begin, number))]
        del self._ends[bisect_left(self._ends, (it.end, number))]
        days = self._days[it.key]
        for of_key, day in zip(days, (it.begin, it.end), strict=True):
            del of_key[bisect_left(of_key, day)]
        if not days[0]:
            del self._days[it.key]
        self._note(it, -1)

    def _put(self, chain: "_Chain[S]", at: int) -> None:
        event = chain.events[at]
        following = at + 1 < len(chain.events)
        end = chain.events[at + 1].day if following else NEVER
        key = self._key(chain.states[at])
        if key is None or event.day >= end:
            return
        self._last += 1
        it = Stretch(event.day, end, event.subject, key)
        chain.numbers[at], self._stretches[self._last] = self._last, it
        insort(self._begins, (it.begin, self._last))
        insort(self._ends, (it.end, self._last))
        days = self._days.setdefault(key, (array("q"), array("q")))
        for of_key, day in zip(days, (it.begin, it.end), strict=True):
            insort(of_key, day)
        self._note(it, 1)

    def _note(self, it: Stretch, sign: int) -> None:
        edges = self._changed[it.subject, it.key]
        edges[it.begin] += sign
        edges[it.end] -= sign


class _Chain(Generic[S]):
    """A subject's events in order, with the state after each and the number of its stretch."""

    __slots__ = ("events", "numbers", "states")

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.states: list[S] = []
        self.numbers: list[int | None] = []

    def before(self, at: int, first: S) -> S:
        return self.states[at - 1] if at else first
