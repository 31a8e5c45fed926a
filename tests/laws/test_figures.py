"""Values as they are printed, and the direction of travel, from exact fractions."""

from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from processors.figures.direction import Polarity, direction_of_travel
from processors.figures.evaluate import rounded_half_up, shown
from schemas.catalogue import load_catalogue
from schemas.schemes import DirectionScheme
from schemas.scorecard import Direction
from tests.reference import printed
from tests.support.agreement import PART_A

INDICATORS = {it.code: it for it in load_catalogue().indicator if it.code in PART_A}
COUNTS = st.integers(0, 10**7)


@given(st.integers(0, 10**9), st.integers(1, 10**7))
@example(1, 20)  # 0.05: up
@example(3, 20)  # 0.15, which no binary fraction is
@example(1, 3)
@example(499_999, 10**7)
def test_a_fraction_is_rounded_half_up_from_its_exact_value(
    numerator: int, denominator: int
) -> None:
    with localcontext(prec=60):
        exact = (Decimal(numerator) / denominator).quantize(Decimal("0.1"), ROUND_HALF_UP)
    assert f"{rounded_half_up(numerator, denominator):.1f}" == str(exact)


@given(st.sampled_from(sorted(INDICATORS)), COUNTS, st.integers(0, 10**6))
def test_every_indicator_of_part_a_prints_its_value_as_the_answers_do(
    code: str, numerator: int, denominator: int
) -> None:
    indicator = INDICATORS[code]
    is_count = indicator.denominator is None
    exact = (numerator, 1) if is_count else (indicator.scale * numerator, denominator)
    value = shown(indicator, exact)
    text = "" if value is None else str(value)
    assert text == printed(code, numerator, denominator)


@pytest.mark.parametrize(
    ("now", "before", "change", "higher_is_better", "lower_is_better"),
    [
        ((2, 1), (1, 1), "up", "better", "worse"),
        ((1, 1), (2, 1), "down", "worse", "better"),
        ((1, 2), (2, 4), "level", "same", "same"),
        ((0, 5), (0, 7), "level", "same", "same"),
        ((3333, 10_000), (1, 3), "down", "worse", "better"),  # both print as 0.3
        ((1, 0), (1, 1), None, None, None),
        ((1, 1), (0, 0), None, None, None),
    ],
)
def test_the_direction_of_travel_by_scheme_and_polarity(
    now: tuple[int, int],
    before: tuple[int, int],
    change: Direction | None,
    higher_is_better: Direction | None,
    lower_is_better: Direction | None,
) -> None:
    for polarity in ("H", "L", "T"):
        assert direction_of_travel(now, before, "change", polarity) == change
    assert direction_of_travel(now, before, "improvement", "H") == higher_is_better
    assert direction_of_travel(now, before, "improvement", "L") == lower_is_better
    assert direction_of_travel(now, before, "improvement", "T") is None


@given(
    st.tuples(COUNTS, st.integers(1, 10**7)),
    st.tuples(COUNTS, st.integers(1, 10**7)),
    st.sampled_from(["change", "improvement"]),
    st.sampled_from(["H", "L"]),
)
def test_the_direction_is_that_of_the_exact_fractions(
    now: tuple[int, int], before: tuple[int, int], scheme: DirectionScheme, polarity: Polarity
) -> None:
    words = ("down", "level", "up") if scheme == "change" else ("worse", "same", "better")
    difference = Fraction(*now) - Fraction(*before)
    if scheme == "improvement" and polarity == "L":
        difference = -difference
    sign = (difference > 0) - (difference < 0)
    assert direction_of_travel(now, before, scheme, polarity) == words[sign + 1]
