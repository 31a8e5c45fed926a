"""Measures applied to columns all at once against each measure applied to each fact by itself."""

from collections import Counter
from datetime import date
from typing import Any, NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from processors.days.calendar import NEVER, calendar, day_number
from processors.facts.columns import Columns, twins
from processors.ledger.plan import BITS, MOST_TESTS, Plan
from schemas.catalogue import FACTS, Limit, Match, Measure, Span, Start, Window

# Few, so that most of what changes is read by some measure.
DAYS = FACTS["case"].days[:4]
FLAGS = ("troubled_families_evidence", "earlier")
HOLDERS = [Match(any_of=(name,)) for name in ("unit", "family-support", "other")]
OUTCOMES = [Match(contains_any=(word,)) for word in ("achieved", "Escalation")]
FIRST = day_number(date(2015, 1, 20))
SOME_DAYS = st.integers(FIRST, FIRST + 120) | st.integers(FIRST, FIRST + 900) | st.just(NEVER)
# As many further tests of each text as there may be, so that days share what bits are left.
PADDING = [Match(any_of=(f"never {number}",)) for number in range(26)]


class Fact(NamedTuple):
    """One row of columns; bits of `holder` and `outcome` are of tests, in their order."""

    locality: int
    band: int
    begin: int
    end: int
    is_closed: bool
    holder: int
    outcome: int
    flags: tuple[bool, ...]
    days: tuple[int, ...]


FACT = st.builds(
    Fact,
    locality=st.integers(0, 2),
    band=st.integers(0, 4),
    begin=st.integers(FIRST, FIRST + 100),
    end=st.just(NEVER) | SOME_DAYS,
    is_closed=st.booleans(),
    holder=st.sampled_from([7, 7, 7, *range(7)]),
    outcome=st.sampled_from([3, 3, *range(3)]),
    flags=st.sampled_from([(True, True), (True, True), (True, False), (False, True)]),
    days=st.tuples(*[SOME_DAYS] * len(DAYS)),
)


@st.composite
def alike(draw: st.DrawFn, fact: Fact) -> Fact:
    """The same fact, or one that is another in one respect."""
    name = draw(st.sampled_from([None, *["days"] * 8, *Fact._fields]))
    if name is None:
        return fact
    if name == "days":
        at, day = draw(st.integers(0, len(DAYS) - 1)), draw(SOME_DAYS)
        return fact._replace(days=(*fact.days[:at], day, *fact.days[at + 1 :]))
    return fact._replace(**{name: getattr(draw(FACT), name)})


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Fact], list[Fact]]:
    """The facts of a case before and now: often the same ones, but for a little."""
    before = draw(st.lists(FACT, max_size=3))
    if draw(st.integers(0, 4)) == 0:
        return before, draw(st.lists(FACT, max_size=3))
    now = [draw(alike(fact)) for fact in before]
    return before, now[: draw(st.integers(0, 3))] + draw(st.lists(FACT, max_size=1))


DAY = st.sampled_from(DAYS)
KINDS = ["month", "last-months", "months-after", "month-after", "financial-year", "until-year-end"]


@st.composite
def limits(draw: st.DrawFn) -> Limit:
    """Any limit."""
    unit = draw(st.sampled_from(["days", "working-days", "months"]))
    asked: dict[str, Any] = {"from": draw(DAY), "to": draw(DAY), "unit": unit}
    if unit != "months" and draw(st.booleans()):
        asked |= {"more_than": draw(st.integers(-1, 30)), "unended": draw(st.booleans())}
    return Limit(**asked, at_most=draw(st.integers(0, 100) if unit != "months" else st.just(3)))


@st.composite
def measures(draw: st.DrawFn) -> list[Measure]:
    """Some measures of cases, as the grammar has them."""
    found = []
    for number in range(draw(st.integers(1, 6))):
        state: Any = draw(st.sampled_from(["open", "closed", None, None]))
        outcome = draw(st.none() | st.sampled_from(OUTCOMES)) if state == "closed" else None
        window = st.builds(
            Window, day=DAY, kind=st.sampled_from(KINDS), months=st.sampled_from([1, 3, 12])
        )
        start = st.builds(
            Start,
            day=DAY,
            days=st.sampled_from([0, 0, 28]),
            working_days=st.sampled_from([None, None, 10]),
        )
        total = st.builds(lambda first, last: Span(**{"from": first, "to": last}), DAY, DAY)
        found.append(
            Measure(
                name=f"m{number}",
                of="case",
                state=state,
                holder=draw(st.none() | st.sampled_from(HOLDERS)),
                outcome=outcome,
                flags=tuple(draw(st.lists(st.sampled_from(FLAGS), unique=True, max_size=1))),
                starts=tuple(draw(st.lists(start, max_size=2))),
                window=draw(st.none() | window),
                limit=draw(st.none() | st.none() | limits()),
                total=draw(st.none() | total),
            )
        )
    return found


def columns(facts: list[tuple[int, int, Fact]], changed: int) -> Columns:
    """Columns of (group, sign, fact), in order of groups."""

    def column(values: list[Any], dtype: Any = np.int64) -> Any:
        return np.array(values, dtype=dtype)

    group = column([group for group, _, _ in facts])
    each = [fact for _, _, fact in facts]
    none = column([0] * len(facts))
    return Columns(
        sign=column([sign for _, sign, _ in facts]),
        twins=twins(group, changed),
        group=group,
        locality=column([it.locality for it in each]),
        band=column([it.band for it in each]),
        begin=column([it.begin for it in each]),
        end=column([it.end for it in each]),
        days={name: column([it.days[at] for it in each]) for at, name in enumerate(DAYS)},
        passes={
            "holder": column([it.holder for it in each], np.uint32),
            "outcome": column([it.outcome for it in each], np.uint32),
        },
        flags={name: column([it.flags[at] for it in each], bool) for at, name in enumerate(FLAGS)},
        is_closed=column([it.is_closed for it in each], bool),
        district=none,
        episode=none,
        service=none,
    )


Sums = dict[tuple[str, int, int, int], int]


def by_itself(measure: Measure, sign: int, fact: Fact) -> Sums:
    """What one measure enters of one fact, by (slot, locality, band, day)."""
    day = dict(zip(DAYS, fact.days, strict=True))
    if measure.state and fact.is_closed != (measure.state == "closed"):
        return {}
    if measure.holder and not fact.holder >> HOLDERS.index(measure.holder) & 1:
        return {}
    if measure.outcome and not fact.outcome >> OUTCOMES.index(measure.outcome) & 1:
        return {}
    if not all(fact.flags[FLAGS.index(name)] for name in measure.flags):
        return {}
    if measure.limit and not is_within(measure.limit, day):
        return {}
    begin, end = fact.begin, fact.end
    for start in measure.starts:
        since = day[start.day] + start.days
        if start.working_days is not None:
            since = one(calendar().working_day_after, since, start.working_days)
        begin = max(begin, since)
    if measure.limit and not measure.limit.unended:
        begin = max(begin, day[measure.limit.end])  # until then nobody knows that it is kept
    if measure.window:
        opens, shuts = window(measure.window, day[measure.window.day])
        begin, end = max(begin, opens), min(end, shuts)
    if begin >= end:
        return {}
    amounts = {measure.name: sign}
    if measure.total:
        amounts[measure.slots[1]] = sign * (day[measure.total.end] - day[measure.total.start])
    found: Sums = {}
    for slot, amount in amounts.items():
        found[slot, fact.locality, fact.band, begin] = amount
        if end < NEVER:
            found[slot, fact.locality, fact.band, end] = -amount
    return found


def one(function: Any, day: int, *asked: int) -> int:
    """A question of the calendar about one day."""
    return int(function(np.array([day]), *asked)[0])


def is_within(limit: Limit, day: dict[str, int]) -> bool:
    first, last = day[limit.start], day[limit.end]
    if limit.unit == "months":
        return last < one(calendar().leaves_last_months, first, limit.at_most)
    if limit.unended and last >= NEVER:
        return True
    if limit.unit == "days":
        taken = NEVER if last >= NEVER else last - first
    else:
        taken = int(calendar().working_days(np.array([first]), np.array([last]))[0])
    return limit.more_than < taken <= limit.at_most


def window(asked: Window, day: int) -> tuple[int, int]:
    tables = calendar()
    match asked.kind:
        case "month":
            return day, one(tables.first_of_month, day, 1)
        case "last-months":
            return day, one(tables.leaves_last_months, day, asked.months)
        case "months-after":
            first = one(tables.first_of_month, day, 1)
            return first, one(tables.first_of_month, day, asked.months + 1)
        case "month-after":
            first = one(tables.first_of_month, day, asked.months)
            return first, one(tables.first_of_month, day, asked.months + 1)
        case "financial-year":
            return day, one(tables.first_of_financial_year, day, 1)
        case "until-year-end":
            return -NEVER, one(tables.first_of_financial_year, day, 1)


@given(
    st.lists(histories(), min_size=1, max_size=5),
    st.lists(FACT, max_size=2),
    measures(),
    st.sampled_from([0, 10, 26]),
)
def test_measures_applied_at_once_enter_what_each_enters_of_each_fact(
    cases: list[tuple[list[Fact], list[Fact]]],
    unchanged: list[Fact],
    asked: list[Measure],
    further: int,
) -> None:
    count = len(cases)
    facts = [(number, -1, fact) for number, (before, _) in enumerate(cases) for fact in before]
    facts += [(count + number, 1, it) for number, (_, now) in enumerate(cases) for it in now]
    facts += [(2 * count + number, 0, fact) for number, fact in enumerate(unchanged)]
    slots = [slot for measure in asked for slot in measure.slots]
    padding = PADDING[:further]
    texts = {
        "holder": [*HOLDERS, *padding],
        "outcome": [*OUTCOMES, *padding],
        "notification_type": [],
    }
    plan = Plan(asked, {slot: at for at, slot in enumerate(slots)}, texts, calendar())

    found: Counter[tuple[str, int, int, int]] = Counter()
    counts = plan.counts(columns(facts, count))
    for slot, group, locality, band, begin, end, amount in zip(*counts, strict=True):
        assert group < 2 * count
        found[slots[slot], int(locality), int(band), int(begin)] += int(amount)
        if end < NEVER:
            found[slots[slot], int(locality), int(band), int(end)] -= int(amount)

    expected: Counter[tuple[str, int, int, int]] = Counter()
    for measure in asked:
        for _, sign, fact in facts:
            if sign:
                expected.update(by_itself(measure, sign, fact))
    assert {cell: it for cell, it in found.items() if it} == {
        cell: it for cell, it in expected.items() if it
    }


def test_as_many_tests_fit_as_are_allowed_and_days_share_the_bits_that_are_left() -> None:
    assert 1 + len(FLAGS) + len(HOLDERS) + len(OUTCOMES) + 2 * len(PADDING) <= MOST_TESTS
    assert 1 + len(FLAGS) + len(HOLDERS) + len(OUTCOMES) + 2 * len(PADDING) + len(DAYS) > BITS


@given(st.integers(0, 4), st.data())
def test_a_twin_has_the_same_place_in_its_case_at_the_other_time(
    changed: int, data: st.DataObject
) -> None:
    groups = data.draw(st.lists(st.integers(0, 2 * changed + 2), max_size=20).map(sorted))
    places = [groups[:at].count(group) for at, group in enumerate(groups)]
    before, now = (it.tolist() for it in twins(np.array(groups, dtype=np.int64), changed))
    rows = list(zip(groups, places, strict=True))
    expected = [
        (at, rows.index((group + changed, place)))
        for at, (group, place) in enumerate(rows)
        if group < changed and (group + changed, place) in rows
    ]
    assert list(zip(before, now, strict=True)) == expected
