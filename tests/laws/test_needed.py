"""What would meet a target is the least that does: tried out one by one, and rated."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from processors.figures.evaluate import Figure
from processors.figures.needed import Needed, needed
from processors.figures.rating import YearTarget, rating
from schemas.catalogue import Indicator, load_catalogue

CATALOGUE = load_catalogue().indicator
UNITS = ("count", "percent", "rate", "days", "ratio")
OF_UNIT = {unit: next(it for it in CATALOGUE if it.unit == unit) for unit in UNITS}


def of(unit: str, polarity: str) -> Indicator:
    return OF_UNIT[unit].model_copy(update={"polarity": polarity})


def figure(indicator: Indicator, above: int, below: int) -> Figure:
    if indicator.unit == "count":
        return Figure(above, above, (above, 1), "reported")
    value = (indicator.scale * above, below)
    return Figure(above, below, value, "reported" if below else "no-cases")


@given(
    st.sampled_from(UNITS),
    st.sampled_from("HL"),
    st.integers(0, 60),
    st.integers(1, 60),
    st.integers(0, 1500).map(lambda it: it / 10),
)
def test_it_is_the_least_change_that_is_rated_green(
    unit: str, polarity: str, above: int, below: int, aim: float
) -> None:
    indicator = of(unit, polarity)
    found = needed(indicator, figure(indicator, above, below), Fraction(str(aim)))
    assert found is not None
    step = 1 if polarity == "H" else -1
    assert found.change * step >= 0

    def is_met(change: int) -> bool:
        value = Fraction(*figure(indicator, above + change, below).value)
        return rating(indicator, value, YearTarget(aim, None)) == "Green"

    assert is_met(found.change)
    if found.change:
        assert not is_met(found.change - step)
    can_be = above + found.change >= 0 and (unit != "percent" or above + found.change <= below)
    assert found.is_in_reach == can_be


def test_more_than_all_is_out_of_reach() -> None:
    high = of("percent", "H")
    assert needed(high, figure(high, 8, 10), Fraction(90)) == Needed(1, True)
    assert needed(high, figure(high, 8, 10), Fraction(101)) == Needed(3, False)


def test_there_is_nothing_to_say_without_a_value_or_a_way_that_is_better() -> None:
    low, near = of("percent", "L"), of("percent", "T")
    assert needed(low, figure(low, 0, 0), Fraction(1)) is None
    assert needed(near, figure(near, 1, 2), Fraction(1)) is None
    alone = Figure(None, None, (12, 1), "supplied")
    assert needed(low, alone, Fraction(1)) is None
