"""Disclosure control under attack: no suppressed count can be worked out of what goes out."""

import random
from datetime import date
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.rules import Rules
from schemas.areas import load_areas
from schemas.catalogue import ALL_AGES, BANDS
from schemas.cells import CellKey
from schemas.release import Release
from snapshots.disclosure.counts import Formulas
from snapshots.disclosure.implied_sums import relations, without_implied
from snapshots.disclosure.public import Issued, PublicRelease
from snapshots.disclosure.suppression import Rule
from tests.support.attack import NEVER_LESS, Attack, Unknown
from tests.support.disclosing import (
    AGES,
    ALDER,
    CATALOGUE,
    COUNTY,
    LEAVES,
    RULE,
    alone,
    everywhere,
    pinned,
    protected,
    small_release,
    step_downs,
    unsecured,
    withheld,
)
from tests.support.examples import good_lines, replayed
from tests.support.releases import Counts, release_from

pytestmark = pytest.mark.long

OCTOBER = Path(__file__).parents[2] / "streams/october/events.jsonl.gz"
NUMBERS = st.lists(st.integers(0, 9), min_size=15, max_size=15)


@lru_cache
def october() -> tuple[Release, Release]:
    """September and October 2015, from the events that ship."""
    rules = Rules(CATALOGUE, load_areas())
    days = date(2015, 9, 30), date(2015, 10, 31)
    units = tuple(it for it in CATALOGUE.indicator if it.bands != "none")
    codes = {it.code for it in units}
    first, second = (
        release_from(
            [row for row in rows if row.code in codes], units, rules.areas, BANDS, f"{day:%Y-%m}"
        )
        for day, rows in zip(days, replayed(rules, good_lines(OCTOBER), days), strict=True)
    )
    return first, second


@lru_cache
def in_public() -> tuple[PublicRelease, PublicRelease]:
    """What goes out of September and October 2015."""
    september, release = october()
    earlier = Issued(september, protected(september).public)
    return earlier.public, protected(release, earlier).public


def counts(numbers: list[int]) -> Counts:
    cells = [(leaf, age) for leaf in LEAVES for age in AGES[1:]]
    return dict(zip(cells, numbers, strict=True))


@pytest.mark.parametrize(("month", "tried"), [(0, 40), (1, 300)], ids=["september", "october"])
def test_no_suppressed_count_of_two_months_in_public_can_be_pinned_down(
    month: int, tried: int
) -> None:
    release, public = october()[month], in_public()[month]
    attack = Attack(CATALOGUE.indicator, release.areas, BANDS)
    for each in in_public():
        attack.read(each)
        attack.know_definitions(each.period)
    sums = withheld(release, public)
    random.Random(2015).shuffle(sums)
    assert len(sums) > 500
    assert pinned(attack, release.period, sums[:tried]) == []


def test_without_secondary_suppression_the_attacker_succeeds_on_october_2015() -> None:
    release = october()[1]
    public = unsecured(release)
    sums = [each for each in withheld(release, public) if each[0][0] in {"EH03", "EH04"}]
    assert len(pinned(alone(release, public), release.period, sums)) > 10


def test_no_more_than_two_in_five_cells_of_october_2015_are_suppressed() -> None:
    public = in_public()[1]
    suppressed = [cell for cell in public.cells if cell.status == "suppressed"]
    assert len(suppressed) < 0.4 * len(public.cells)
    assert not [cell for cell in suppressed if (cell.area, cell.age_band) == ("Kent", ALL_AGES)]


@settings(max_examples=15)
@given(NUMBERS, st.booleans(), st.integers(1, 7))
def test_no_count_of_a_small_table_is_pinned_down_under_any_rule(
    numbers: list[int], zeros_shown: bool, threshold: int
) -> None:
    rule = Rule(zeros_shown=zeros_shown, threshold=threshold)
    release = small_release({"step_downs": counts(numbers)}, "EH04")
    public = protected(release, rule=rule).public
    sums = withheld(release, public, rule)
    assert pinned(alone(release, public), release.period, sums) == []


@settings(max_examples=10)
@given(NUMBERS, NUMBERS)
def test_neither_a_percentage_nor_its_complement_gives_a_count_away(
    over: list[int], within: list[int]
) -> None:
    figures = {
        "open_over_20_weeks": counts(over),
        "open_in_units": counts([a + b for a, b in zip(over, within, strict=True)]),
    }
    release = small_release(figures, "EH05", "EH13", "EH14")
    public = protected(release).public
    assert pinned(alone(release, public), release.period, withheld(release, public)) == []


@settings(max_examples=5)
@given(NUMBERS, NUMBERS)
def test_parts_published_as_percentages_do_not_give_their_sum_away(
    within: list[int], after: list[int]
) -> None:
    step_ups = [a + b for a, b in zip(within, after, strict=True)]
    figures = {
        "step_ups": counts(step_ups),
        "closures": counts([2 * each + 1 for each in step_ups]),
        "step_ups_within_20_weeks": counts(within),
        "step_ups_after_20_weeks": counts(after),
        "all_closures_within_20_weeks": counts([2 * each + 1 for each in within]),
        "all_closures_after_20_weeks": counts([2 * each + 1 for each in after]),
    }
    release = small_release(figures, "EH15", "EH17", "EH18", "EH19", "EH20")
    public = protected(release).public
    assert pinned(alone(release, public), release.period, withheld(release, public)) == []


@settings(max_examples=30)
@given(NUMBERS, st.dictionaries(st.integers(0, 14), st.integers(-2, 2), max_size=4))
def test_a_reader_of_both_releases_who_knows_what_changed_pins_down_no_withheld_count(
    numbers: list[int], changes: dict[int, int]
) -> None:
    later = [max(0, count + changes.get(at, 0)) for at, count in enumerate(numbers)]
    before = small_release({"step_downs": counts(numbers)}, "EH04")
    after = small_release({"step_downs": counts(later)}, "EH04", number=2)
    first = Issued(before, protected(before).public)
    found = protected(after, first)
    rise: dict[Unknown, int] = {
        ("2015-10", "step_downs", leaf, age): count - counts(numbers)[leaf, age]
        for (leaf, age), count in counts(later).items()
    }
    attack = Attack(after.indicators, COUNTY, AGES)
    attack.read(first.public, rise)
    attack.read(found.public)
    told = [
        each for each in withheld(after, found.public) if not first.public.is_suppressed(each[0])
    ]
    exposed = {CellKey("EH04", each.area, each.band) for each in found.exposed}
    assert {key for key, _ in told if found.reasons[key] == "small-count"} <= exposed
    sums = withheld(before, first.public)
    safe = [each for each in sums if each[0] not in exposed]
    assert pinned(attack, "2015-10", safe) == []
    assert pinned(alone(after, found.public), "2015-10", withheld(after, found.public)) == []


def test_a_revision_from_6_to_7_does_not_unmask_its_neighbour() -> None:
    before = step_downs(Alder_04=3, Birch_04=6, Cedar_04=8)
    after = step_downs(Alder_04=3, Birch_04=7, Cedar_04=8, number=2)
    first = protected(before)
    second = protected(after, Issued(before, first.public))
    assert not second.exposed
    assert second.reasons.keys() == first.reasons.keys()
    assert first.public.is_suppressed(ALDER)


def test_a_count_that_rises_out_of_the_small_ones_stays_suppressed_in_the_revision() -> None:
    before = step_downs(Alder_04=5)
    second = protected(step_downs(Alder_04=6, number=2), Issued(before, protected(before).public))
    assert second.reasons[ALDER] == "suppressed-before"


def test_a_published_count_that_becomes_small_is_suppressed_and_named_as_exposed() -> None:
    before, after = step_downs(Alder_04=6), step_downs(Alder_04=5, number=2)
    second = protected(after, Issued(before, protected(before).public))
    assert ("Alder", "0-4") in {(each.area, each.band) for each in second.exposed}
    assert pinned(alone(after, second.public), "2015-10", withheld(after, second.public)) == []


@pytest.mark.parametrize(("more", "less"), NEVER_LESS)
def test_what_a_reader_sees_in_the_definitions_is_drawn_from_the_catalogue(
    more: tuple[str, ...], less: tuple[str, ...]
) -> None:
    drawn = relations(CATALOGUE.case_measures, Formulas(CATALOGUE.indicator))
    seen = tuple(sorted([(slot, 1) for slot in more] + [(slot, -1) for slot in less]))
    assert seen in drawn or seen not in without_implied([seen, *drawn])


def test_later_reports_on_earlier_notifications_do_not_unmask_a_month_of_them() -> None:
    months = ["2015-07", "2015-08", "2015-09", "2015-10"]
    monthly = [everywhere(20), everywhere(20), everywhere(20, Alder_04=3), everywhere(20)]
    issued: list[Issued] = []
    attack = Attack(CATALOGUE.indicator, COUNTY, AGES)
    for period, notified in zip(months, monthly, strict=True):
        quarter = {cell: sum(month[cell] for month in monthly[:3]) for cell in notified}
        figures = {
            "notifications": notified,
            "earlier_notifications": quarter if period == "2015-10" else everywhere(90),
            "earlier_notifications_with_plan": everywhere(30),
        }
        release = small_release(figures, "EH01", "EH08", period=period)
        issued.append(Issued(release, protected(release, *issued).public))
        attack.read(issued[-1].public)
    for area in COUNTY.leaves:
        for age in AGES[1:]:
            terms = attack.terms("2015-10", {"earlier_notifications": 1}, area, age)
            for month in months[:3]:
                terms |= attack.terms(month, {"notifications": -1}, area, age)
            attack.know(terms, 0, 0)
    assert (
        pinned(attack, "2015-09", [(CellKey("EH01", "Alder", "0-4"), {"notifications": 1})]) == []
    )


def test_those_with_no_district_are_not_the_difference_between_levels() -> None:
    release = step_downs(None_04=3)
    attack, slots = alone(release, protected(release).public), {"step_downs": 1}
    least, greatest = attack.about("2015-10", slots).bounds(
        attack.terms("2015-10", slots, None, "0-4")
    )
    assert least <= 1
    assert greatest >= RULE.threshold
