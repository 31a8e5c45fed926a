"""Ratings under any figure, target and tolerance are what the words say, worked out another way."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from processors.figures.direction import direction_of_travel
from processors.figures.rating import YearTarget, rating, rating_since
from schemas.catalogue import Indicator, load_catalogue

HIGH = next(it for it in load_catalogue().indicator if it.polarity == "H")
VALUES = st.fractions(-1_000, 1_000, max_denominator=60)
# Numbers as people write targets and shares.
WRITTEN = st.integers(-10_000, 10_000).map(lambda it: it / 10)
SHARES = st.integers(0, 100).map(lambda it: it / 100)
WORSE = {"Green": 0, "Amber": 1, "Red": 2}


def of(polarity: str, amber: float | None) -> Indicator:
    return HIGH.model_copy(update={"polarity": polarity, "amber": amber})


@given(st.sampled_from("HL"), VALUES, WRITTEN, SHARES, st.none() | st.integers(0, 50).map(float))
def test_a_figure_is_green_at_its_target_and_amber_as_far_as_is_tolerated(
    polarity: str, value: Fraction, aim: float, share: float, amber: float | None
) -> None:
    exact = Fraction(str(aim))
    slack = abs(exact) * Fraction(str(share)) if amber is None else Fraction(str(amber))
    short = exact - value if polarity == "H" else value - exact
    expected = "Green" if short <= 0 else "Amber" if short <= slack else "Red"
    assert rating(of(polarity, amber), value, YearTarget(aim, None), share) == expected


@given(st.sampled_from("HL"), VALUES, VALUES, SHARES)
def test_a_figure_that_is_better_than_before_is_green_and_the_same_is_amber(
    polarity: str, now: Fraction, before: Fraction, share: float
) -> None:
    found = rating_since(of(polarity, None), now, before, share)
    pairs = now.as_integer_ratio(), before.as_integer_ratio()
    direction = direction_of_travel(*pairs, "improvement", "H" if polarity == "H" else "L")
    if direction == "worse":
        fell_by = abs(now - before)
        assert found == ("Amber" if fell_by <= abs(before) * Fraction(str(share)) else "Red")
    else:
        assert found == {"better": "Green", "same": "Amber"}[direction or ""]


@given(st.sampled_from("HL"), VALUES, VALUES, WRITTEN, SHARES)
def test_a_better_figure_is_never_rated_worse(
    polarity: str, one: Fraction, other: Fraction, aim: float, share: float
) -> None:
    better, worse = max(one, other), min(one, other)
    if polarity == "L":
        better, worse = worse, better
    ratings = [
        rating(of(polarity, None), it, YearTarget(aim, None), share) or "" for it in (better, worse)
    ]
    assert WORSE[ratings[0]] <= WORSE[ratings[1]]


@given(VALUES, VALUES, VALUES)
def test_of_polarity_t_a_figure_is_better_if_it_is_nearer_its_target(
    now: Fraction, before: Fraction, aim: Fraction
) -> None:
    pairs = now.as_integer_ratio(), before.as_integer_ratio()
    near, far = abs(now - aim), abs(before - aim)
    expected = "better" if near < far else "worse" if near > far else "same"
    assert direction_of_travel(*pairs, "improvement", "T", aim) == expected
