"""What a table of rows says of each case, against looking at the rows one after another."""

from datetime import date

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from processors.days.calendar import NEVER, calendar, day_number
from processors.facts.columns import Wanted
from processors.facts.table import Table
from processors.record.localities import Localities
from processors.record.rows import CONTACT, NOTIFICATION, PLAN, ROW
from schemas.areas import load_areas
from schemas.places import PlaceGraph

FIRST = day_number(date(2015, 1, 1))
DAYS = st.integers(FIRST, FIRST + 12)
# (kind, day) of the rows of a case in order of time, a notification somewhere among them.
CASE = st.lists(st.tuples(st.sampled_from([CONTACT, PLAN]), DAYS), max_size=8).flatmap(
    lambda rows: DAYS.map(lambda day: sorted([*rows, (NOTIFICATION, day)], key=lambda row: row[1]))
)
NOTHING = Wanted(days=frozenset(), relations=(), holder_bits={}, spell_tests=0)


def table(cases: list[list[tuple[int, int]]]) -> Table:
    rows = np.zeros(sum(map(len, cases)), dtype=ROW)
    flat = [row for case in cases for row in case]
    rows["kind"], rows["day"] = [kind for kind, _ in flat], [day for _, day in flat]
    return Table(
        rows=rows,
        case=np.repeat(np.arange(len(cases)), [len(case) for case in cases]),
        kind=rows["kind"].copy(),
        day=rows["day"].astype(np.int64),
        sign=np.ones(len(cases), dtype=np.int64),
        changed=len(cases),
        localities=Localities(PlaceGraph(load_areas())),
        calendar=calendar(),
        wanted=NOTHING,
    )


@given(st.lists(CASE, min_size=1, max_size=4), st.sampled_from([CONTACT, PLAN]), st.data())
def test_the_first_of_a_kind_since_a_day_is_the_first_that_one_comes_to(
    cases: list[list[tuple[int, int]]], kind: int, data: st.DataObject
) -> None:
    found = table(cases)
    received = [next(day for kind, day in case if kind == NOTIFICATION) for case in cases]
    assert found.received.tolist() == received
    asked = data.draw(st.lists(st.integers(0, len(cases) - 1), max_size=6))
    since = [data.draw(st.integers(received[case], FIRST + 14) | st.just(NEVER)) for case in asked]
    expected = [
        next((day for it, day in cases[case] if it == kind and day >= first), NEVER)
        for case, first in zip(asked, since, strict=True)
    ]
    columns = np.array(asked, dtype=np.int64), np.array(since, dtype=np.int64)
    assert found.first_since(kind, *columns).tolist() == expected
