"""Releases made from a few numbers: what slots count by leaf area (None for none) and band."""

from collections.abc import Iterable, Mapping
from datetime import date

from processors.figures.direction import direction_of_travel
from processors.figures.evaluate import value_of
from schemas.areas import Areas
from schemas.catalogue import ALL_AGES, Indicator, load_catalogue
from schemas.release import FORMAT, Release, ReleaseCell
from schemas.scorecard import ScorecardRow

Counts = Mapping[tuple[str | None, str], int]
Figures = Mapping[str, Counts]


def release_of(
    figures: Figures,
    indicators: Iterable[Indicator],
    areas: Areas,
    bands: tuple[str, ...],
    *,
    period: str = "2015-10",
    number: int = 1,
    before: Figures | None = None,
) -> Release:
    """A release of the indicators over these figures; without `before` nothing changed."""
    cells = [
        _cell(
            indicator,
            area,
            band,
            *(
                _fraction(indicator, each, areas, area, band)
                for each in (figures, before or figures)
            ),
        )
        for indicator in indicators
        for area in areas.names
        for band in bands
    ]
    return bare_release(cells, tuple(indicators), areas, bands, period, number)


def release_from(
    rows: Iterable[ScorecardRow],
    indicators: tuple[Indicator, ...],
    areas: Areas,
    bands: tuple[str, ...],
    period: str,
) -> Release:
    """A first release of scorecard rows."""
    cells = [
        ReleaseCell(**row.model_dump(exclude={"title"}), target=None, rag=None) for row in rows
    ]
    return bare_release(cells, indicators, areas, bands, period, 1)


def bare_release(
    cells: Iterable[ReleaseCell],
    indicators: tuple[Indicator, ...],
    areas: Areas,
    bands: tuple[str, ...],
    period: str,
    number: int,
) -> Release:
    """A release with nothing but its cells."""
    day = date.fromisoformat(f"{period}-28")
    return Release(
        format=FORMAT,
        period=period,
        number=number,
        kind="first" if number == 1 else "revised",
        as_of=day,
        released_on=day,
        author="analyst",
        reason="late data",
        previous_release=None,
        catalogue_version="0",
        calendar_version="0",
        direction_scheme="change",
        indicators=indicators,
        areas=areas,
        age_bands=bands,
        cut=(),
        cells=tuple(cells),
        commentary=(),
        quality={},
        changes=(),
        measures=load_catalogue().measure,
    )


def total(terms: Mapping[str, int], figures: Figures, areas: Areas, area: str, band: str) -> int:
    """A sum of slots in an area and band; those with no leaf area are in the top one alone."""
    leaves: set[str | None] = {*areas.leaves_under(area)}
    if area == areas.top:
        leaves.add(None)
    return sum(
        times * count
        for slot, times in terms.items()
        for (leaf, age), count in figures[slot].items()
        if leaf in leaves and band in (age, ALL_AGES)
    )


def _fraction(
    indicator: Indicator, figures: Figures, areas: Areas, area: str, band: str
) -> tuple[int, int]:
    if indicator.denominator == "population":
        denominator = 1000
    else:
        denominator = total(
            indicator.denominator or indicator.numerator, figures, areas, area, band
        )
    return total(indicator.numerator, figures, areas, area, band), denominator


def _cell(
    indicator: Indicator, area: str, band: str, now: tuple[int, int], before: tuple[int, int]
) -> ReleaseCell:
    is_count = indicator.denominator is None
    direction = direction_of_travel(
        (now[0], 1) if is_count else now, (before[0], 1) if is_count else before, "change", "T"
    )
    return ReleaseCell(
        code=indicator.code,
        area=area,
        age_band=band,
        numerator=now[0],
        denominator=now[1],
        value=value_of(indicator, now),
        status="reported" if is_count or now[1] else "no-cases",
        previous=value_of(indicator, before),
        direction=direction,
        target=None,
        rag=None,
    )
