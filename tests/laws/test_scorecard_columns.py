"""All cells of a scorecard worked out together are as each is alone, whatever the numbers."""

from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.days.calendar import day_number
from processors.figures import scorecard_rows
from processors.figures.evaluate import AsOf, known
from processors.figures.held_figures import HeldFigures
from processors.figures.scorecard_rows import MOST_ABOVE, MOST_BELOW, scorecard
from processors.ledger.tables import Stock, keys
from processors.record.decoding import Event
from processors.rules import Rules
from schemas.areas import load_areas
from schemas.catalogue import AGE_BANDS, BANDS, Indicator, load_catalogue
from schemas.places import PROVIDER, Locality, load_places
from schemas.scorecard import ScorecardRow, rows_json

RULES = Rules(load_catalogue(), load_areas(), places=load_places())
LEVELS = [*RULES.areas.levels[:2], PROVIDER]
TODAY, BEFORE = date(2017, 6, 30), date(2017, 5, 31)
CODES = [it.code for it in RULES.catalogue.indicator]
PROVIDERS = RULES.places.provider[:2]
AREAS = [*RULES.areas.names[:3], *PROVIDERS]
# Small, about as many as columns take, and beyond what products of 64 bits are made of.
COUNTS = st.integers(0, 30) | st.sampled_from(
    [MOST_ABOVE - 1, MOST_ABOVE, MOST_BELOW - 1, MOST_BELOW, 3**25, 7**15]
)
NUMBERS = st.one_of(
    st.integers(0, 500),
    st.integers(0, 5_000).map(lambda it: it / 10),
    st.sampled_from([10**25, 1e25, 1e-7, 0.123456789]),
)
# An indicator, a district, a provider and a band; what each term above and below holds.
HELD = st.tuples(
    st.sampled_from([it for it in RULES.catalogue.indicator if it.numerator]),
    st.sampled_from(RULES.areas.leaves[:2]),
    st.sampled_from([*PROVIDERS, None]),
    st.integers(0, len(AGE_BANDS) - 1),
    COUNTS,
    COUNTS,
)
Holding = tuple[Indicator, str, str | None, int, int, int]


def event(kind: str, **data: Any) -> Event:
    return Event("urn:law", f"{kind}{data}", 0, 0, day_number(BEFORE), kind, "", data)


BAND = st.sampled_from(BANDS)
EVENTS = st.one_of(
    st.builds(
        lambda area, band, count: event(
            "population.published", area=area, age_band=band, year=2017, count=count
        ),
        st.sampled_from(AREAS),
        BAND,
        COUNTS | st.just(10**25),
    ),
    st.builds(
        lambda provider, fte: event("workforce.reported", provider=provider, fte=fte),
        st.sampled_from(PROVIDERS),
        NUMBERS,
    ),
    st.builds(
        lambda code, area, band, period, figure: event(
            "measure.supplied",
            code=code,
            area=area,
            age_band=band,
            period=period,
            status="supplied",
            provenance="",
            **figure,
        ),
        st.sampled_from(CODES),
        st.sampled_from(AREAS),
        BAND,
        st.sampled_from(["2017-05", "2017-06", "2017"]),
        st.dictionaries(st.sampled_from(["numerator", "denominator", "value"]), NUMBERS),
    ),
    st.builds(
        lambda code, area, aim: event("target.set", code=code, area=area, year=2017, target=aim),
        st.sampled_from(CODES),
        st.sampled_from(AREAS),
        NUMBERS,
    ),
)


def stock_of(held: list[Holding]) -> Stock:
    cells = []
    for indicator, district, provider, age, above, below in held:
        summed = indicator.denominator if isinstance(indicator.denominator, dict) else {}
        locality = RULES.localities.number(Locality(district, provider))
        for terms, count in ((summed, below), (indicator.numerator, above)):
            cells += [(RULES.slots.index(it), locality, age, count) for it in terms]
    columns = np.array(cells, dtype=np.int64).reshape(-1, 4).T
    return Stock(keys(*columns[:3]), columns[3])


def alone(now: AsOf, before: AsOf) -> list[ScorecardRow]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scorecard_rows, "MOST_ABOVE", 0)  # nothing is as small as that
        return scorecard(RULES, now, before, LEVELS)


HISTORIES = st.tuples(
    st.lists(st.tuples(HELD, COUNTS, COUNTS), max_size=30), st.lists(EVENTS, max_size=12)
)


@settings(max_examples=30)
@given(st.lists(st.tuples(HELD, COUNTS, COUNTS), max_size=30), st.lists(EVENTS, max_size=12))
def test_all_cells_together_are_as_each_is_alone(
    held: list[tuple[Holding, int, int]], events: list[Event]
) -> None:
    now, before = of_both(held, events)
    rows = scorecard(RULES, now, before, LEVELS)
    assert rows_json(rows) == rows_json(alone(now, before))


def of_both(
    held: list[tuple[Holding, int, int]],
    events: list[Event],
    dates: tuple[date, date] = (TODAY, BEFORE),
) -> tuple[AsOf, AsOf]:
    today, before = dates
    now = known(RULES, today, stock_of([it for it, *_ in held]), events)
    earlier = [(*it[:4], above, below) for it, above, below in held]
    return now, known(RULES, before, stock_of(earlier), events)


@settings(max_examples=30)
@given(
    HISTORIES,
    st.lists(
        st.tuples(
            st.booleans(),
            st.booleans(),
            HISTORIES,
            st.sampled_from([(TODAY, BEFORE), (BEFORE, BEFORE.replace(day=1))]),
            st.sampled_from([LEVELS, LEVELS[:1]]),
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_rows_held_of_earlier_scorecards_are_as_all_made_anew(
    first: tuple[list[tuple[Holding, int, int]], list[Event]],
    changes: list[tuple[bool, bool, Any, tuple[date, date], list[str]]],
) -> None:
    figures, (held, events) = HeldFigures(), first
    # As a reader does that holds what others supplied, by date, as long as nobody supplies more.
    supplied: dict[date, AsOf] = {}
    for is_counted, is_supplied, (more_held, more_events), dates, levels in changes:
        held = [*held, *more_held] if is_counted else held
        if is_supplied:
            events = [*events, *more_events]
            supplied.clear()
        now, before = of_both(held, events, dates)
        once, once_before = (supplied.setdefault(it.date, it) for it in (now, before))
        assert scorecard(
            RULES,
            once._replace(stock=now.stock),
            once_before._replace(stock=before.stock),
            levels,
            held=figures,
        ) == scorecard(RULES, now, before, levels)


def test_rows_that_nothing_changed_of_are_not_made_again_and_a_list_is_the_readers_own() -> None:
    figures, indicator = HeldFigures(), next(it for it in RULES.catalogue.indicator if it.numerator)
    one, other = ((indicator, it, PROVIDERS[0], 1, 1, 1) for it in RULES.areas.leaves[:2])
    now, before = of_both([(one, 1, 1)], [])
    rows = scorecard(RULES, now, before, LEVELS, held=figures)
    rows.reverse()
    now = now._replace(stock=stock_of([one, other]))
    changed = scorecard(RULES, now, before, LEVELS, held=figures)
    again = [it for it, as_it_was in zip(changed, reversed(rows), strict=True) if it is as_it_was]
    assert 0 < len(changed) - len(again) < len(changed) / 10
