"""EH21 of 2017: notifications since April, and those of children who had a case with a unit."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from examples.october_2015.geography import AREAS
from examples.october_2015.milp import total, value_of

from .events import Event, event
from .fitting import Key, Wishes
from .printed import MONTHS, Row, tenths

CODE = "EH21@2017"
MOST = 3_000
FEWEST = 20
EARLIER, OVER = date(2016, 10, 10), date(2017, 1, 20)


def referrals(rows: Iterable[Row]) -> tuple[list[Event], dict[Key, Wishes]]:
    """The events, and the printed cells that no numbers give."""
    own = {row.place: row for row in rows if row.code == CODE and any(row.figures)}
    leaves = [it for it in own if it not in AREAS]
    leaves += [it for it in own if it in AREAS and not set(leaves).intersection(AREAS[it])]
    wishes = Wishes()
    counts, again = (
        {(leaf, at): wishes.model.integer(0, MOST, 1) for leaf in leaves for at in range(3)}
        for _ in range(2)
    )
    for leaf in leaves:
        wishes.model.within(counts[leaf, 0], low=FEWEST)
        for at in range(3):
            wishes.model.at_most(again[leaf, at], counts[leaf, at])
            if at:
                more, more_again = (it[leaf, at] - it[leaf, at - 1] for it in (counts, again))
                wishes.model.within(more_again, low=0)
                wishes.model.at_most(more_again, more)
    for place, row in own.items():
        inside = [it for it in leaves if it in (place, *AREAS.get(place, ()))]
        for at, text in enumerate(row.figures):
            if text:
                part, whole = (total(it[leaf, at] for leaf in inside) for it in (again, counts))
                wishes.share((row.block, CODE, MONTHS[at]), part, whole, tenths(text))
    values = wishes.solve()
    events = [
        it
        for leaf in leaves
        for at in range(3)
        for it in _events(
            leaf,
            at,
            *(
                value_of(each[leaf, at], values)
                - (value_of(each[leaf, at - 1], values) if at else 0)
                for each in (counts, again)
            ),
        )
    ]
    return events, wishes.left_out


def _events(leaf: str, at: int, number: int, again: int) -> Iterator[Event]:
    hidden = AREAS.get(leaf, (leaf,))
    first = date.fromisoformat(f"{MONTHS[at]}-01")
    for position in range(number):
        child = f"referred {leaf} {MONTHS[at]} {position}"
        told = {"notification_type": "EHN", "district": hidden[position % len(hidden)]}
        if position < again:
            case = f"earlier case {child}"
            yield event("notification.received", case, child, EARLIER, told)
            yield event("case.allocated", case, child, EARLIER, {"service": "unit"})
            yield event("case.closed", case, child, OVER, {"outcome": "Outcomes achieved"})
        day = first + timedelta(days=position % 28)
        yield event("notification.received", f"case {child}", child, day, told)
