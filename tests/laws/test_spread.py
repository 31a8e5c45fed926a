"""The spread behind an average: its mean is the figure, and its parts are those of statistics."""

import statistics
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from processors.figures.spread import MOST_BARS, spread

LISTS = st.lists(st.tuples(st.integers(0, 900), st.integers(0, 3)), max_size=30)


@given(LISTS)
def test_its_mean_is_the_sum_over_the_sum(pairs: list[tuple[int, int]]) -> None:
    there = [(above, below) for above, below in pairs if below]
    found = spread(pairs)
    if not there:
        assert found is None
        return
    assert found is not None
    above, below = (sum(it) for it in zip(*there, strict=True))
    assert found.mean == Fraction(above, below)
    assert len(found.values) == below


@given(st.lists(st.integers(0, 900), min_size=2, max_size=40))
def test_its_median_and_quartiles_are_those_of_statistics(days: list[int]) -> None:
    found = spread((it, 1) for it in days)
    assert found is not None
    exact = [Fraction(it) for it in days]
    assert found.median == statistics.median(exact)
    quartiles = statistics.quantiles(exact, n=4, method="inclusive")
    assert [found.at(Fraction(it, 4)) for it in (1, 2, 3)] == quartiles


@given(st.lists(st.integers(-30, 9_000), min_size=1, max_size=40))
def test_every_value_is_in_one_bar_and_bars_are_as_wide_as_one_another(days: list[int]) -> None:
    found = spread((it, 1) for it in days)
    assert found is not None
    bars = found.bars()
    for bar in bars:
        inside = [it for it in days if bar.start <= it and (bar.end is None or it < bar.end)]
        assert bar.values == len(inside)
    assert sum(bar.values for bar in bars) == len(days)
    assert [bar.end for bar in bars[:-1]] == [bar.start for bar in bars[1:]]
    assert len({bar.end - bar.start for bar in bars if bar.end is not None}) == 1
    assert len(bars) <= MOST_BARS + 1
    assert bars[0].start == 0 or min(days) < 0
