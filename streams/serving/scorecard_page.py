"""The scorecard as a page shows it: a table a place, by family, a row an indicator."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from processors.figures.figure_text import LEGEND, MISSING, UNITS, value_text
from processors.rules import Rules
from schemas.catalogue import ALL_AGES, BANDS, Indicator
from schemas.places import PROVIDER
from schemas.scorecard import ScorecardRow

# What divides by fewer moves by more than 5 percentage points with each case: "low reliability",
# [u], by the Government Statistical Service's symbols.
LEAST_RELIABLE = 20
MARKS = f"{LEGEND}; [u] low reliability: of fewer than {LEAST_RELIABLE}"
# Places on one page; more are asked for one by one.
MOST_PLACES = 30
SUPPRESSED = "[c]"
LEVEL_NAMES = {"childrens-centre": "Children's centres", "youth-hub": "Youth hubs"}
SIGNS = {"up": "▲", "down": "▼", "level": "▶", "better": "▲", "worse": "▼", "same": "▶"}
STATUS_WORDS = {
    "reported": "",
    "supplied": "supplied",
    "no-cases": "no cases",
    "not-available": "not available",
    "to-be-supplied": "to be supplied",
    "not-at-this-level": "not at this level",
    "suppressed": "suppressed",
}


@dataclass(frozen=True)
class Line:
    """A row as it is read."""

    code: str
    title: str
    definition: str
    band: str
    value: str
    rests_on: str
    previous: str
    direction: str
    sign: str
    target: str
    rag: str
    mark: str
    status: str


@dataclass(frozen=True)
class PlaceTable:
    """A place's rows, by family."""

    place: str
    level: str
    families: list[tuple[str, list[Line]]]
    has_bands: bool

    @property
    def lines(self) -> Iterator[Line]:
        """Its rows, one after another."""
        return (line for _, lines in self.families for line in lines)


def tables(rules: Rules, rows: Sequence[ScorecardRow]) -> list[PlaceTable]:
    """A table a place, of what exists there."""
    indicators = {it.code: it for it in rules.catalogue.indicator}
    by_place: dict[tuple[str, str], list[ScorecardRow]] = {}
    for row in rows:
        if row.status != "not-at-this-level":
            by_place.setdefault((row.level, row.area), []).append(row)
    return [_table(*place, found, indicators) for place, found in by_place.items()]


def _table(
    level: str, place: str, rows: Sequence[ScorecardRow], indicators: dict[str, Indicator]
) -> PlaceTable:
    families: dict[str, list[Line]] = {}
    for row in rows:
        indicator = indicators[row.code]
        families.setdefault(indicator.family, []).append(_line(indicator, row))
    has_bands = any(row.age_band != ALL_AGES for row in rows)
    return PlaceTable(place, level, list(families.items()), has_bands)


def _line(indicator: Indicator, row: ScorecardRow) -> Line:
    is_hidden = row.status == "suppressed"
    missing = SUPPRESSED if is_hidden else MISSING.get(row.status, "")
    mark = _reliability(indicator, row)
    return Line(
        code=row.code,
        title=row.title,
        definition=indicator.definition,
        band="all ages" if row.age_band == ALL_AGES else row.age_band,
        value=value_text(indicator, row.value) or missing,
        rests_on=_rests_on(indicator, row),
        previous=value_text(indicator, row.previous),
        direction=row.direction or "",
        sign=SIGNS.get(row.direction or "", ""),
        target="" if row.target is None else f"{row.target:,g}{UNITS[indicator.unit]}",
        rag=row.rag or "",
        mark=mark,
        status=", ".join(filter(None, (STATUS_WORDS[row.status], mark))),
    )


def _reliability(indicator: Indicator, row: ScorecardRow) -> str:
    """That a figure rests on few; nothing of one whose denominator is not shown."""
    if indicator.denominator is None or row.denominator is None:
        return ""
    return "[u]" if 0 < row.denominator < LEAST_RELIABLE else ""


def _rests_on(indicator: Indicator, row: ScorecardRow) -> str:
    """The numerator and denominator of what divides."""
    if indicator.denominator is None or row.numerator is None or row.denominator is None:
        return ""
    return f"{row.numerator:,} of {row.denominator:,}" if row.denominator else ""


@dataclass(frozen=True)
class AcrossPlaces:
    """An indicator and band at each of some places; None at a place where there is no such row."""

    code: str
    title: str
    band: str
    cells: list[Line | None]


def across_places(
    rules: Rules, found: Sequence[PlaceTable]
) -> list[tuple[str, list[AcrossPlaces]]]:
    """The rows of tables side by side, a cell for each table, by family."""
    rows: dict[tuple[str, str], AcrossPlaces] = {}
    for index, table in enumerate(found):
        for line in table.lines:
            row = rows.setdefault(
                (line.code, line.band),
                AcrossPlaces(line.code, line.title, line.band, [None] * len(found)),
            )
            row.cells[index] = line
    by_code: dict[str, list[AcrossPlaces]] = {}
    for row in rows.values():
        by_code.setdefault(row.code, []).append(row)
    families: dict[str, list[AcrossPlaces]] = {}
    for indicator in rules.catalogue.indicator:
        if indicator.code in by_code:
            families.setdefault(indicator.family, []).extend(by_code[indicator.code])
    return list(families.items())


@dataclass(frozen=True)
class Options:
    """What a form offers to choose from, each with its heading."""

    places: list[tuple[str, list[str]]]
    bands: tuple[str, ...]
    families: list[str]


def options(rules: Rules, rows: Iterable[ScorecardRow]) -> Options:
    """Places that there are rows of, bands and families."""
    by_level: dict[str, dict[str, None]] = {}
    for row in rows:
        by_level.setdefault(row.level, {})[row.area] = None
    groups = [
        (level_name(rules, level), list(by_level[level]))
        for level in rules.graph.levels
        if level in by_level and not level.startswith(f"{PROVIDER}-")
    ]
    families = list(dict.fromkeys(it.family for it in rules.catalogue.indicator))
    return Options(groups, tuple(BANDS), families)


def level_name(rules: Rules, level: str) -> str:
    """What places of a level are called together."""
    if level == rules.areas.levels[0]:
        return "Whole"
    return LEVEL_NAMES.get(level) or f"{level.replace('-', ' ').capitalize()}s"
