"""What a change of a record's events changes of what it adds as a person, or as sessions.

Each session counts on its own. Of a person of whom little is known all is counted before and after;
of one of whom very much is, only the days on which something may count otherwise: all else is the
same before and after, and cancels out.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from processors.days.intervals import Interval, Intervals, union, without
from processors.facts.counting import Counted, Counting
from processors.facts.lives import MOST_DAYS, Flows, Life, Piece, is_life
from processors.facts.people import CLOSED, Happened
from processors.record.decoding import Event
from processors.record.personal import Personal, is_session


class CountedChange(NamedTuple):
    """What was counted that may have changed, and what is now.

    `whole` is all that the person adds now, `life` what is known of them in order: one of the two,
    or neither.
    """

    before: tuple[Counted, ...]
    now: tuple[Counted, ...]
    whole: tuple[Counted, ...] | None
    life: Life | None


def counted_change(
    counting: Counting,
    personal: Personal,
    whole: tuple[Counted, ...] | None,
    life: Life | None,
) -> CountedChange:
    """The change since the record's events were looked at last; `whole` and `life` are of then."""
    before = [event for event in personal.was.values() if event]
    now = [event for identity in personal.was if (event := personal.get(identity))]
    sessions, sessions_now = (counting.counted(filter(is_session, it)) for it in (before, now))
    gone, new = ([it for it in of if not is_session(it)] for of in (before, now))
    if not gone and not new:
        return CountedChange(sessions, sessions_now, whole, life)
    if not counting.is_passing or not is_life(len(gone) + len(new), personal.known):
        if whole is None:
            whole = counting.counted(personal.earlier())
        after = counting.counted(personal.of_person())
        return CountedChange(sessions + whole, sessions_now + after, after, None)
    if life is None:
        life = Life(personal.earlier(), counting.distinctions)
    was, is_now = _change(counting, life, gone, new)
    return CountedChange(sessions + was, sessions_now + is_now, None, life)


def _change(
    counting: Counting, life: Life, gone: Collection[Event], new: Collection[Event]
) -> tuple[tuple[Counted, ...], tuple[Counted, ...]]:
    """What was counted of the days on which something may count otherwise, and what is now.

    Which days these are is known only of before and after together, so the life is brought on, back
    to be counted as it was, and on again.
    """
    both = [*gone, *new]
    spans, saying = [*life.counting(gone)], defaultdict[str, list[Interval]](list)
    for name, span in life.saying(gone):
        saying[name].append(span)
    openings, firsts = life.openings_near(both), life.first_recorded(both)
    life.change(gone, new)
    states = life.changes()
    spans += life.counting(new)
    for name, span in life.saying(new):
        saying[name].append(span)
    openings_now = life.openings_near(both)
    spans += [(day, day + MOST_DAYS) for _, day in firsts ^ life.first_recorded(both)]
    asked = {name: union(of_name) for name, of_name in saying.items()}
    said = {name: life.said(name, days) for name, days in asked.items()}
    life.change(new, gone)
    life.changes()
    being = [
        span
        for name, days in asked.items()
        for span in _differences(life.said(name, days), said[name])
    ]
    if counting.flows_ask_scs:
        being += states
    # What a person is decides of every opening and closing whether, and where, it counts. Where
    # that is as it was, only those count otherwise that came, went, or come after another now.
    every = union(being)
    some = without(union([*spans, *states]), every)
    was = Flows(list((openings - openings_now).elements()), _closings(gone))
    found = _counted(counting, life, every, some, was)
    life.change(gone, new)
    life.changes()
    is_now = Flows(list((openings_now - openings).elements()), _closings(new))
    return found, _counted(counting, life, every, some, is_now)


def _counted(
    counting: Counting, life: Life, every: Intervals, some: Intervals, flows: Flows
) -> tuple[Counted, ...]:
    """What is counted of days: of openings and closings all on every day, those given on some."""
    return tuple(
        it
        for spans, of_flows in ((every, None), (some, flows))
        for days in spans
        for it in counting.counted_of(life.within(*days, of_flows), days)
    )


def _closings(events: Iterable[Event]) -> list[Happened]:
    return [Happened(it.day, it.subject, it.data) for it in events if it.type == CLOSED]


def _differences(one: list[Piece], other: list[Piece]) -> Iterator[Interval]:
    """The days on which something else is said, of pieces of the same days."""
    at = to = 0
    while at < len(one) and to < len(other):
        begin, end = max(one[at][0], other[to][0]), min(one[at][1], other[to][1])
        if begin < end and one[at][2] != other[to][2]:
            yield begin, end
        if one[at][1] <= other[to][1]:
            at += 1
        else:
            to += 1
