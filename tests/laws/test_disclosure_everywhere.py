"""Disclosure control under attack at every kind of place: by provider, at sites, of people once.

The attacker's unknowns are their own (tests/support/attack_everywhere.py): what is counted in each
district for each provider or none, at each site, or once at each place.
"""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.places import PROVIDER, Place
from schemas.release import Release
from snapshots.disclosure.counts import NotProtected
from snapshots.disclosure.disclose import disclose, primary
from snapshots.disclosure.public import Issued, PublicRelease, public_release
from snapshots.disclosure.suppression import Rule
from snapshots.disclosure.texts import Texts
from tests.support.attack_everywhere import Reader, secrets_of
from tests.support.wide_releases import (
    CASES,
    INDICATORS,
    YearToDate,
    attenders,
    by_provider,
    cell,
    of_sites,
    supplied,
    to_date,
    year_to_date,
)

RULE = Rule()
NUMBERS = st.lists(st.integers(0, 9), min_size=15, max_size=15)


def public_of(release: Release, *issued: Issued) -> PublicRelease:
    return disclose(release, release.measures, RULE, issued).public


def pinned(release: Release, *public: PublicRelease) -> list[str]:
    """The withheld counts of a release of which a reader of public ones is left a single value."""
    reader = Reader(release)
    for each in public:
        reader.read(each)
    return reader.pinned(secrets_of(release, public[-1], RULE))


@settings(max_examples=4)
@given(NUMBERS, NUMBERS)
def test_no_count_by_district_and_provider_is_pinned_down(
    counts: list[int], parts: list[int]
) -> None:
    release = by_provider(
        counts, [min(one, other) for one, other in zip(parts, counts, strict=True)]
    )
    assert pinned(release, public_of(release)) == []


def test_without_secondary_suppression_a_provider_is_the_difference_of_the_others() -> None:
    release = by_provider([3, *[20] * 14], [1, *[10] * 14])
    bare = public_release(release, RULE, primary(release, RULE), ())
    assert pinned(release, bare)
    assert pinned(release, public_of(release)) == []


def test_what_has_no_provider_is_not_the_difference_of_a_district_and_its_providers() -> None:
    release = by_provider([20] * 12 + [3, 20, 20], [10] * 15)
    assert pinned(release, public_of(release)) == []


@settings(max_examples=4)
@given(st.lists(st.integers(0, 12), min_size=4, max_size=4), st.integers(0, 12))
def test_no_count_at_a_site_is_pinned_down_by_its_share_of_its_district(
    registered: list[int], in_district: int
) -> None:
    release = of_sites(registered, in_district)
    assert pinned(release, public_of(release)) == []


@settings(max_examples=4)
@given(NUMBERS)
def test_people_counted_once_at_each_place_are_not_pinned_down(numbers: list[int]) -> None:
    release = attenders(numbers)
    assert pinned(release, public_of(release)) == []


def test_a_count_to_date_does_not_give_the_month_away_by_its_difference() -> None:
    before, now = to_date("2015-09", 40, 2), to_date("2015-10", 43, 3)
    first = public_of(before)
    assert pinned(now, first, public_of(now))
    assert pinned(now, first, public_of(now, Issued(before, first))) == []


def gone_out(months: Sequence[YearToDate]) -> list[Issued]:
    """Months that went out, one after the other, as each was protected then."""
    issued: list[Issued] = []
    for each in months:
        release = each.release
        issued.append(Issued(release, public_of(release, *issued)))
    return issued


def pinned_of_any(issued: Sequence[Issued]) -> list[str]:
    """The small counts of any month of which a reader of all of them is left one value.

    And counts of any size that the last one withholds; of earlier months, those that were withheld
    for others' sake may come out once the others are safe without.
    """
    reader = Reader(issued[0].release)
    for each in issued:
        reader.read(each.public)
    return reader.pinned(
        secret
        for each in issued
        for secret in secrets_of(each.release, each.public, RULE, small_alone=each != issued[-1])
    )


def few_in(new: int, *, else_new: int = 20) -> list[int]:
    """So many new at Quince in Alder, and others elsewhere."""
    return [new if leaf == ("Alder", "Quince") else else_new for leaf in CASES]


def test_cases_since_april_do_not_give_the_new_ones_of_a_month_away_by_their_difference() -> None:
    months = year_to_date("2017-05", 40, [few_in(20), few_in(3)])
    bare = [
        Issued(each, public_release(each, RULE, primary(each, RULE), ()))
        for each in (it.release for it in months)
    ]
    assert pinned_of_any(bare)
    assert pinned_of_any(gone_out(months)) == []


def test_a_month_is_not_given_away_by_those_before_and_after_it() -> None:
    months = year_to_date("2017-05", 40, [few_in(20), few_in(3), few_in(20), few_in(20)])
    assert pinned_of_any(gone_out(months)) == []


def test_a_month_that_never_went_out_does_not_give_the_next_away() -> None:
    months = year_to_date("2017-05", 40, [few_in(20), few_in(0), few_in(1)])
    assert pinned_of_any(gone_out([months[0], months[2]])) == []


def test_cases_since_april_do_not_give_those_new_in_april_away_beside_those_open_in_march() -> None:
    months = year_to_date("2017-03", 40, [few_in(20), few_in(3)])
    assert pinned_of_any(gone_out(months)) == []


def test_cases_since_april_and_the_open_ones_do_not_give_the_closed_ones_away() -> None:
    (month,) = year_to_date("2017-05", 40, [few_in(20)])
    at = CASES.index(("Alder", "Quince"))
    closed = [1 if it == at else 13 for it in range(len(CASES))]
    held = [since - 1 if it == at else 40 for it, since in enumerate(month.since_april)]
    narrow = month._replace(open=held, closed=closed)
    assert pinned_of_any(gone_out([narrow])) == []


@settings(max_examples=2)
@given(st.lists(NUMBERS, min_size=4, max_size=4), st.integers(0, 9), st.integers(0, 3))
def test_no_month_of_a_year_to_date_is_pinned_down_by_those_that_went_out(
    months: list[list[int]], opened: int, left_out: int
) -> None:
    found = year_to_date("2017-03", opened, months)
    assert pinned_of_any(gone_out([it for at, it in enumerate(found) if at != left_out])) == []


@pytest.mark.parametrize("values", [[7, 3, 9, 12], [5, 20, 30, 40]])
def test_where_a_supplied_count_is_small_only_that_of_the_whole_goes_out(values: list[int]) -> None:
    release = supplied(values)
    shown = {
        cell.area: cell.value for cell in public_of(release).cells if cell.status == "supplied"
    }
    assert shown == {"County": sum(values)}
    large = supplied([max(6, it) for it in values])
    assert all(cell.status == "supplied" for cell in public_of(large).cells)


def test_a_supplied_share_of_few_is_withheld_with_its_like() -> None:
    release = supplied([50, 60, 70, 80], denominators=[100, 64, 100, 100])
    shown = {cell.area for cell in public_of(release).cells if cell.status == "supplied"}
    assert shown == {"County"}


def test_an_indicator_without_its_smallest_places_is_refused_with_what_to_do() -> None:
    release = by_provider([20] * 15, [10] * 15)
    by_district = ("provider-area", "provider-district")
    indicators = tuple(
        it.model_copy(
            update={"levels": tuple(each for each in it.levels if each not in by_district)}
        )
        for it in release.indicators
    )
    cells = tuple(it for it in release.cells if it.level not in by_district)
    lacking = release.model_copy(update={"cells": cells, "indicators": indicators})
    with pytest.raises(NotProtected, match=r"give CEH04 the level .*provider-district"):
        public_of(lacking)


@pytest.mark.parametrize("level", [PROVIDER, "provider-district"])
def test_what_lacks_a_level_that_it_is_made_up_of_does_not_go_out(level: str) -> None:
    release = by_provider([20] * 15, [10] * 15)
    kept = tuple(cell for cell in release.cells if cell.level != level)
    levels = [it for it in release.indicators[0].levels if it != level]
    indicators = tuple(it.model_copy(update={"levels": tuple(levels)}) for it in release.indicators)
    lacking = release.model_copy(update={"cells": kept, "indicators": indicators})
    with pytest.raises(NotProtected, match=r"made up of|add up"):
        public_of(lacking)


@pytest.mark.parametrize(
    ("release", "text"),
    [
        (supplied([7, 3, 39, 12]), "There were 39 this month."),
        (supplied([50, 60, 70, 80], denominators=[100, 64, 100, 100]), "It came to 70 %."),
    ],
)
def test_a_text_that_says_a_withheld_figure_of_others_is_stopped(
    release: Release, text: str
) -> None:
    found = disclose(release, release.measures, RULE)
    code = release.indicators[0].code
    (finding, *_) = Texts(release, found, RULE).findings("Cedar", code, text)
    assert f"withheld, {code} of Cedar" in str(finding)


def test_a_withheld_average_of_staff_is_stopped_in_a_text() -> None:
    release = by_provider([1, 9, 9] * 3 + [0, 9, 9] * 2, [0] * 15)
    average = cell("CEH02", Place(PROVIDER, "Poplar"), 3, 2).model_copy(update={"value": 1.5})
    more = {
        "cells": (*release.cells, average),
        "indicators": (*release.indicators, INDICATORS["CEH02"]),
    }
    wide = release.model_copy(update=more)
    found = disclose(wide, wide.measures, RULE)
    assert found.public.is_suppressed(average.key)
    findings = Texts(wide, found, RULE).findings("Poplar", "CEH02", "Caseloads are 1.5 each.")
    assert "withheld, CEH02 of Poplar" in str(findings[0])
