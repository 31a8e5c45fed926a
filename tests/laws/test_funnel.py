"""Funnel limits: the exact chances of brute force, and what must hold at any size."""

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from processors.figures.funnel import (
    FunnelVerdict,
    NotAProportionError,
    PlaceShare,
    funnel_limits,
    funnel_verdicts,
)
from tests.reference.funnel import tails, verdict

SHARES = st.fractions(0, 1, max_denominator=60)
LIMITS = (Fraction(1, 1000), Fraction(25, 1000))


@st.composite
def places(draw: st.DrawFn) -> PlaceShare:
    size = draw(st.integers(1, 60))
    return PlaceShare("a place", draw(st.integers(0, size)), size)


@given(SHARES, st.lists(places(), min_size=1, max_size=4))
def test_a_place_is_beyond_a_limit_where_chance_seldom_takes_it(
    share: Fraction, found: list[PlaceShare]
) -> None:
    for it in found:  # a chance of just a limit's is as the last binary digit has it
        both = tails(it.denominator, share, it.numerator)
        assume(all(abs(tail - limit) > Fraction(1, 10**12) for tail in both for limit in LIMITS))
    expected = [verdict(it.denominator, share, it.numerator) for it in found]
    assert [it.name for it in funnel_verdicts(share, found)] == expected


@given(SHARES, st.integers(1, 5_000))
def test_limits_lie_in_order_round_the_whole_and_within_what_can_be(
    share: Fraction, size: int
) -> None:
    (it,) = funnel_limits(share, [size])
    assert 0 <= it.lower_998 <= it.lower_95 <= it.upper_95 <= it.upper_998 <= size
    assert it.lower_95 - 1 <= share * size <= it.upper_95 + 1


@pytest.mark.parametrize("share", [Fraction(0), Fraction(1)])
def test_where_the_whole_is_none_or_all_a_place_like_it_is_within(share: Fraction) -> None:
    here = PlaceShare("a place", 7 * int(share), 7)
    assert funnel_verdicts(share, [here]) == [FunnelVerdict.WITHIN]


def test_one_of_one_is_nothing_special() -> None:
    assert funnel_verdicts(Fraction(3, 10), [PlaceShare("small", 1, 1)]) == [FunnelVerdict.WITHIN]


def test_a_place_without_cases_is_not_judged() -> None:
    assert funnel_verdicts(Fraction(1, 2), [PlaceShare("none", 0, 0)]) == [FunnelVerdict.NOT_JUDGED]


@pytest.mark.parametrize("place", [PlaceShare("over", 3, 2), PlaceShare("under", -1, 2)])
def test_what_is_no_proportion_is_refused_by_name(place: PlaceShare) -> None:
    with pytest.raises(NotAProportionError, match=place.place):
        funnel_verdicts(Fraction(1, 2), [place])
    with pytest.raises(NotAProportionError, match="no proportion"):
        funnel_limits(Fraction(3, 2), [1])
