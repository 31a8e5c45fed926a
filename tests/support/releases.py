"""Releases made from a few numbers: what slots count by leaf area (None for none) and band."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path

from processors.figures.direction import direction_of_travel
from processors.figures.evaluate import shown
from schemas.areas import Areas
from schemas.catalogue import ALL_AGES, Indicator, load_catalogue
from schemas.release import FORMAT, Position, Release, ReleaseCell, ReleaseKind
from schemas.scorecard import Rag, ScorecardRow
from snapshots.making.freeze import as_of_period
from snapshots.releases.chain import Sealed, seal

PERIOD = "2015-10"

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


def released(row: ScorecardRow, target: float | None, rag: Rag | None) -> ReleaseCell:
    """A row of one of the areas as a cell of a release, with this target and rating."""
    shared = ReleaseCell.model_fields.keys() - {"level", "target", "rag"}
    return ReleaseCell(**{it: getattr(row, it) for it in shared}, target=target, rag=rag)


def release_from(
    rows: Iterable[ScorecardRow],
    indicators: tuple[Indicator, ...],
    areas: Areas,
    bands: tuple[str, ...],
    period: str,
) -> Release:
    """A first release of scorecard rows."""
    cells = [released(row, None, None) for row in rows]
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
        released_on=day + timedelta(days=4),
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
        measures=load_catalogue().released.measure,
        relations=load_catalogue().released.relation,
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
    numerator = total(indicator.numerator, figures, areas, area, band)
    if indicator.denominator is None:
        return numerator, numerator
    if isinstance(indicator.denominator, dict):
        return numerator, total(indicator.denominator, figures, areas, area, band)
    return numerator, 1000


def _cell(
    indicator: Indicator, area: str, band: str, now: tuple[int, int], before: tuple[int, int]
) -> ReleaseCell:
    value, value_before = _value(indicator, now), _value(indicator, before)
    return ReleaseCell(
        code=indicator.code,
        area=area,
        age_band=band,
        numerator=now[0],
        denominator=now[1],
        value=shown(indicator, value),
        status="reported" if value[1] else "no-cases",
        previous=shown(indicator, value_before),
        direction=direction_of_travel(value, value_before, "change", "T"),
        target=None,
        rag=None,
    )


def _value(indicator: Indicator, figure: tuple[int, int]) -> tuple[int, int]:
    """The exact value of a numerator and denominator; a lower number of 0 for none."""
    if indicator.denominator is None:
        return figure[0], 1
    return indicator.scale * figure[0], figure[1]


def chain_of(*kinds: ReleaseKind, period: str = PERIOD) -> list[Sealed]:
    """A period's chain of small releases."""
    chain: list[Sealed] = []
    for number, kind in enumerate(kinds, start=1):
        release = Release(
            format=FORMAT,
            period=period,
            number=number,
            kind=kind,
            as_of=as_of_period(period),
            released_on=date(2015, 11, number),
            author="analyst",
            reason=f"reason {number}",
            previous_release=chain[-1].sha256 if chain else None,
            catalogue_version="c",
            calendar_version="w",
            direction_scheme="change",
            indicators=load_catalogue().indicator[:1],
            areas=Areas.model_validate(
                {"levels": ["county"], "area": [{"name": "Kent", "level": "county"}]}
            ),
            age_bands=("all",),
            cut=(Position(topic="case-events", partition=0, offset=number),),
            cells=()
            if kind == "withdrawn"
            else (
                ReleaseCell(
                    code="EH01",
                    area="Kent",
                    age_band="all",
                    numerator=number,
                    denominator=number,
                    value=number,
                    status="reported",
                    previous=None,
                    direction=None,
                    target=5.0,
                    rag=None,
                ),
            ),
            commentary=(),
            quality={},
            changes=(),
            measures=load_catalogue().measure[:1],
            bank_holidays=(date(2015, 8, 31),),
        )
        chain.append(seal(release))
    return chain


def rewritten(path: Path, text: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(text)
