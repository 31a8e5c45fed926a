"""Live figures for those who may not see small numbers: none shows, and none is a difference."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from processors.rules import Rules
from schemas.catalogue import AGE_BANDS, ALL_AGES
from schemas.scorecard import ScorecardRow
from snapshots.disclosure.live_suppression import deciding, key_of, suppressed
from snapshots.disclosure.suppression import Rule
from streams.jobs.replay import Replay
from streams.kafka.eventfiles import read_events
from streams.serving.identity import Identity, is_within
from streams.serving.roles import Role

DATA = Path(__file__).parents[1] / "data"
DAY = date(2017, 6, 30)
Known = Callable[[ScorecardRow], bool]


@pytest.fixture(scope="module")
def rows(rules: Rules) -> list[ScorecardRow]:
    replay = Replay(rules)
    for judged in read_events(DATA / "all-21.jsonl.gz"):
        replay.add(judged.good)
    return replay.rows(DAY, rules.graph.levels)


def owned_by(rules: Rules, *places: str) -> Known:
    identity = Identity("a manager", frozenset({Role.MANAGER}), frozenset(places))
    return lambda row: is_within(row.area, identity.own_places, rules.areas)


OWN = [(), ("Thanet", "Dover")]


@pytest.mark.parametrize("own", OWN)
def test_what_is_small_is_hidden_but_for_those_whose_it_is(
    own: tuple[str, ...], rows: list[ScorecardRow], rules: Rules
) -> None:
    is_known, rule = owned_by(rules, *own), Rule()
    hidden = suppressed(rules, rows, rule, is_known)
    indicators = {it.code: it for it in rules.catalogue.indicator}
    small = {key_of(row) for row in rows if rule.reason(indicators[row.code], row)}
    known = {key_of(row) for row in rows if is_known(row)}
    assert len(small) > 500
    assert small - known <= hidden
    assert not hidden & known
    assert bool(known) == bool(own)


def sums(
    rules: Rules, rows: list[ScorecardRow]
) -> Iterator[tuple[ScorecardRow, list[ScorecardRow]]]:
    """Counts that others add up to, by other code than that under test."""
    counts = {it.code for it in rules.catalogue.indicator if it.denominator is None}
    there = {(it.code, it.level, it.area, it.age_band): it for it in rows if it.code in counts}
    for (code, level, area, band), whole in there.items():
        if band == ALL_AGES:
            yield whole, [it for at in AGE_BANDS if (it := there.get((code, level, area, at)))]
        if level in rules.areas.levels:
            below = [it for it in rules.areas.area if it.parent == area]
            parts = [there.get((code, it.level, it.name, band)) for it in below]
            yield whole, [it for it in parts if it]


@pytest.mark.parametrize("own", OWN)
def test_of_an_indicator_the_rows_that_decide_say_what_the_whole_scorecard_says(
    own: tuple[str, ...], rows: list[ScorecardRow], rules: Rules
) -> None:
    is_known = owned_by(rules, *own)
    hidden = suppressed(rules, rows, Rule(), is_known)
    for indicator in rules.catalogue.indicator:
        codes = deciding(rules, {indicator.code})
        some = [row for row in rows if row.code in codes]
        found = suppressed(rules, some, Rule(), is_known)
        assert {it for it in found if it.indicator == indicator.code} == {
            it for it in hidden if it.indicator == indicator.code
        }, indicator.code


@pytest.mark.parametrize("own", OWN)
def test_no_count_is_what_is_left_of_a_sum(
    own: tuple[str, ...], rows: list[ScorecardRow], rules: Rules
) -> None:
    hidden = suppressed(rules, rows, Rule(), owned_by(rules, *own))
    looked_at = 0
    for whole, parts in sums(rules, rows):
        if not parts or whole.value is None or any(it.value is None for it in parts):
            continue
        rest = whole.value - sum(it.value or 0 for it in parts)
        unknown = [it for it in (whole, *parts) if key_of(it) in hidden]
        if rest < 0 or not unknown:
            continue  # people counted once in each place, which do not add up; or nothing hidden
        looked_at += 1
        # A small number of no part, such as of no district, keeps one company.
        company = len(unknown) - 1 + (1 <= rest <= 5)
        assert company or (own and unknown == [whole]), (unknown, rest)
    assert looked_at > 100


def test_what_is_no_figure_of_a_place_neither_is_suppressed_nor_changes_what_is(
    rows: list[ScorecardRow], rules: Rules
) -> None:
    hidden = suppressed(rules, rows, Rule(), owned_by(rules))
    none = {key_of(row) for row in rows if row.status == "not-at-this-level"}
    assert none
    assert not hidden & none
    last = sorted(rows, key=lambda row: row.status == "not-at-this-level")
    assert suppressed(rules, last, Rule(), owned_by(rules)) == hidden


def test_much_is_shown_still(rows: list[ScorecardRow], rules: Rules) -> None:
    hidden = suppressed(rules, rows, Rule(), owned_by(rules))
    top = [it for it in rows if it.area == "Kent" and it.age_band == ALL_AGES and it.value]
    assert sum(key_of(it) in hidden for it in top) < len(top) / 2
