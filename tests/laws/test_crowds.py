"""A change of a case among very many changes what looking at every pair of them says it does."""

from datetime import date

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.days.calendar import FIRST_DAY, LAST_DAY, NEVER, back, calendar, day_number
from processors.facts.crowds import Crowd, Said, Trait, Traits
from processors.facts.stretches import SUSTAINED_MONTHS, WORKER_AHEAD
from processors.record.longcases import ASKED, LongCase, Ordered
from processors.record.rows import ALLOCATION, DESTINATION, NOTIFICATION, ROW, SUSTAINED, WORKER
from schemas.catalogue import Relation, load_catalogue

RELATIONS = load_catalogue().relation
NAMES = ["C0", "C1", "C2", "C3", "C4"]
FIRST = day_number(date(2015, 1, 1))
DAYS = st.builds(int.__add__, st.sampled_from([0, 30, 340, 365]), st.integers(-3, 3)).map(
    lambda day: FIRST + day
)


@st.composite
def trait(draw: st.DrawFn, relation: Relation) -> Trait:
    """What a case may be for a relation."""
    key = draw(st.integers(1, 2)) if relation.same else 1
    stretches = []
    for begin in draw(st.lists(DAYS, max_size=1)):
        until = draw(st.sampled_from([begin, begin + 30, begin + 30, NEVER]))
        stretches.append((begin, begin if relation.after else until))
    return Trait(key, tuple(stretches), tuple(draw(st.sets(DAYS, max_size=2))))


@st.composite
def traits(draw: st.DrawFn) -> Traits:
    """What a case may be for every relation."""
    return tuple(draw(trait(relation)) for relation in RELATIONS)


def said(relation: Relation, number: int, name: str, all_of: dict[str, Traits]) -> dict[int, int]:
    """What a relation says of a case's anchors, by looking at every other case."""
    own = all_of[name][number]
    found: dict[int, int] = {}
    for anchor in own.anchors:
        earliest = months_back(anchor, relation.months)
        if relation.before is not None:
            found[anchor] = any(
                other[number].key == own.key and begin <= anchor and until > earliest
                for case, other in all_of.items()
                if case != name
                for begin, until in other[number].stretches
            )
        else:
            days = [day for of in all_of.values() for day, _ in of[number].stretches]
            near = (it for it in days if it >= anchor and months_back(it, relation.months) < anchor)
            found[anchor] = min(near, default=NEVER)
    return found


def months_back(day: int, months: int) -> int:
    return int(back(np.array([day]), months)[0])


def all_said(all_of: dict[str, Traits]) -> dict[str, Said]:
    return {
        name: tuple(said(it, number, name, all_of) for number, it in enumerate(RELATIONS))
        for name in all_of
    }


@settings(max_examples=120)
@given(
    st.dictionaries(st.sampled_from(NAMES), traits(), min_size=2),
    st.lists(st.dictionaries(st.sampled_from(NAMES), traits(), min_size=1, max_size=2), max_size=4),
)
def test_a_crowd_says_what_looking_at_every_pair_of_cases_does(
    begun: dict[str, Traits], changes: list[dict[str, Traits]]
) -> None:
    crowd, all_of = Crowd(RELATIONS), dict(begun)
    crowd.add(begun)
    for changed in changes:
        before = all_said(all_of)
        all_of |= changed
        now = all_said(all_of)
        found = crowd.change(changed)
        nothing: Said = tuple({} for _ in RELATIONS)
        assert found.now == {case: now[case] for case in found.now}
        assert found.before == {case: before.get(case, nothing) for case in found.before}
        assert {case for case in now if before.get(case) != now[case]} <= found.now.keys()
        # Of no other case it says anything, however many there are.
        assert {case for case in found.now if before.get(case) == now[case]} <= changed.keys()


def row(kind: int, day: int, number: int) -> Ordered:
    made = np.zeros(1, dtype=ROW)
    made["kind"], made["day"], made["instant"] = kind, day, day * 100 + number
    return day * 100 + number, True, "urn:a", f"e{number}", made.tobytes()


def first_since(days: list[int], since: int) -> int | None:
    return next((day for day in days if day >= since), None)


KINDS = [NOTIFICATION, ALLOCATION, *ASKED]


@settings(max_examples=100)
@given(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 150)), min_size=1, max_size=40))
def test_of_a_long_case_the_rows_that_may_be_an_answer_are_told(
    happened: list[tuple[int, int]],
) -> None:
    rows = sorted(row(kind, day, number) for number, (kind, day) in enumerate(happened))
    telling = LongCase(rows).telling()
    assert telling == sorted(set(telling))
    assert set(telling) <= set(rows)
    of_kind: dict[int, list[int]] = {kind: [] for kind in KINDS}
    told: dict[int, list[int]] = {kind: [] for kind in KINDS}
    for days, them in ((of_kind, rows), (told, telling)):
        for it in them:
            found = np.frombuffer(it[4], dtype=ROW)
            days[int(found["kind"][0])].append(int(found["day"][0]))
    assert [told[it] for it in (NOTIFICATION, ALLOCATION)] == [
        of_kind[it] for it in (NOTIFICATION, ALLOCATION)
    ]
    for kind, asked in ASKED.items():
        for mark in (day for it in asked.kinds for day in told[it]):
            for since in range(mark + asked.earliest, mark + asked.latest + 1):
                assert first_since(told[kind], since) == first_since(of_kind[kind], since)


def test_days_from_which_the_first_row_is_asked_for_are_within_those_of_a_long_case() -> None:
    days = np.arange(FIRST_DAY + 30, LAST_DAY - 130)
    ahead = days - calendar().working_days_before(days, WORKER_AHEAD)
    assert ahead.max() <= -ASKED[WORKER].earliest
    after = calendar().leaves_last_months(days, SUSTAINED_MONTHS) - days
    asked = ASKED[SUSTAINED]
    assert asked.kinds == {DESTINATION}
    assert asked.earliest <= after.min() <= after.max() <= asked.latest
