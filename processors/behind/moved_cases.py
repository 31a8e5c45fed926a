"""Why a figure is another one than on an earlier day: what entered it, what left, and by what.

As everything of a past day, the figure of then is worked out as it is known now. So whatever is
counted differs by events dated between the days, or by the days alone that have passed.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from processors.behind.counted_rows import CellSums, Question, Subject, counted_rows
from processors.behind.held_rows import MovedSubject
from processors.record.decoding import Event, in_order
from processors.record.record import Record
from processors.rules import Rules

# Beyond these, events are not tried one by one: of one record, and of those that may be behind.
MOST_EVENTS, MOST_TRIED = 2_000, 60
# What a subject adds that is not there.
NOTHING = (0, 0)


class Balance(NamedTuple):
    """What entered a part of a figure and what left it, and of how many subjects."""

    entered: int
    entered_subjects: int
    left: int
    left_subjects: int

    @property
    def by(self) -> int:
        """How much more there is now."""
        return self.entered - self.left


def balances(moves: Iterable[MovedSubject]) -> tuple[Balance, Balance]:
    """What entered and left the numerator, and the denominator."""
    above, below = [0, 0, 0, 0], [0, 0, 0, 0]
    for move in moves:
        for sums, by in zip((above, below), move.by, strict=True):
            if by:
                at = 0 if by > 0 else 2
                sums[at] += abs(by)
                sums[at + 1] += 1
    return Balance(*above), Balance(*below)


def events_behind(
    rules: Rules,
    question: Question,
    since: int,
    moves: Sequence[MovedSubject],
    records: Mapping[str, Record],
) -> dict[Subject, list[Event]]:
    """The events behind each move since a day, in order; none where it is the days that passed.

    An event is behind a move if without it the subject would add something else now; where events
    only tell together, all of them are.
    """
    tries: dict[str, Record] = {}
    candidates: list[list[Event]] = []
    for number, move in enumerate(moves):
        events = [*records[move.subject.child].events]
        own = _candidates(events, move.subject, since, question.day)
        candidates.append(own)
        if len(events) > MOST_EVENTS or len(own) > MOST_TRIED:
            continue
        tries[_name(number)] = _without(rules, events, own)
        for position, event in enumerate(own):
            tries[_name(number, position)] = _without(rules, events, [event])
    subjects, rows = counted_rows(rules, tries)
    above, below = CellSums(rules, question).sums(rows, len(subjects))
    amounts = {
        (it.child, it.name): (int(above[at]), int(below[at])) for at, it in enumerate(subjects)
    }
    found = {}
    for number, (move, own) in enumerate(zip(moves, candidates, strict=True)):
        name, now = move.subject.name, (move.above, move.below)
        if _name(number) not in tries:
            found[move.subject] = own
            continue
        tried = [
            it
            for position, it in enumerate(own)
            if amounts.get((_name(number, position), name), NOTHING) != now
        ]
        is_of_all = not tried and amounts.get((_name(number), name), NOTHING) != now
        found[move.subject] = own if is_of_all else tried
    return found


def _candidates(events: Iterable[Event], subject: Subject, since: int, day: int) -> list[Event]:
    """The events that may be behind: of the child, or where those are many of the subject alone."""
    dated = in_order(it for it in events if since < it.day <= day)
    return dated if len(dated) <= MOST_TRIED else [it for it in dated if it.subject == subject.name]


def _without(rules: Rules, events: Iterable[Event], some: Sequence[Event]) -> Record:
    left_out = {(it.source, it.id) for it in some}
    record = Record()
    for it in events:
        if (it.source, it.id) not in left_out:
            record.apply(it, rules.make_row)
    record.settle()
    return record


def _name(*numbers: int) -> str:
    return " ".join(map(str, numbers))
