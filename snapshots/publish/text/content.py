"""What stands on each page, whatever the format it is written in."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from schemas.areas import Area
from schemas.catalogue import ALL_AGES, Indicator
from schemas.cells import CellKey
from schemas.places import Place
from schemas.release import Change, Commentary, Release
from snapshots.publish.text.charts import TrendLine, line_chart, share_of, sparkline
from snapshots.publish.text.shown_figures import ShownCell, symbol
from snapshots.publish.text.view import Point, ShownChange, View
from snapshots.publish.text.wording import KIND_TITLES, LEVEL_TITLES, Symbol, long_date, month_title

# Changed cells that are listed; the open data has every one.
CHANGES_ON_FRONT, CHANGES_IN_LOG = 10, 500


@dataclass(frozen=True)
class PublishedRow:
    """A line of a scorecard: an indicator's figures for one place, by the bands of its family."""

    indicator: Indicator
    cells: tuple[ShownCell, ...]
    spark: TrendLine

    @property
    def whole(self) -> ShownCell:
        """The figure of all ages."""
        return self.cells[0]


@dataclass(frozen=True)
class Family:
    """Indicators that belong together, the age bands any of them has, and their lines."""

    name: str
    indicators: tuple[Indicator, ...]
    bands: tuple[str, ...]
    rows: tuple[PublishedRow, ...]


@dataclass(frozen=True)
class PlacesCompared:
    """Indicators of one family, side by side in several places of a kind, all ages."""

    name: str
    places: tuple[str, ...]
    rows: tuple[tuple[Indicator, tuple[ShownCell | None, ...]], ...]


@dataclass(frozen=True)
class Tile:
    """A headline: an indicator of an area with its trend."""

    indicator: Indicator
    cell: ShownCell
    spark: TrendLine
    chart: TrendLine


@dataclass(frozen=True)
class Bar:
    """A line of a chart by area; its length is from 0 to 100."""

    name: str
    level: str
    cell: ShownCell
    length: float


@dataclass(frozen=True)
class BarChart:
    """An indicator by area; `reference` is where the whole lies, for what is no count."""

    indicator: Indicator
    rows: tuple[Bar, ...]
    reference: float | None


@dataclass(frozen=True)
class StatedFact:
    """A value of the table that identifies a release; `code` asks for fixed-width type."""

    text: str
    code: bool = False


def families(view: View, place: Place | None = None) -> list[Family]:
    """The indicators by family, with their lines of the scorecard of a place, if one is given.

    At a place, those that exist there.
    """
    indicators = view.release.indicators if place is None else view.at(place)
    names = dict.fromkeys(indicator.family for indicator in indicators)
    members = {name: tuple(one for one in indicators if one.family == name) for name in names}
    return [_family(view, name, members[name], place) for name in names]


def _family(view: View, name: str, members: tuple[Indicator, ...], place: Place | None) -> Family:
    is_banded = any(one.bands != "none" for one in members)
    bands = tuple(view.bands if is_banded else view.bands[:1])
    rows = tuple(scorecard_row(view, one, place, bands) for one in members) if place else ()
    return Family(name, members, bands, rows)


def scorecard_row(
    view: View, indicator: Indicator, place: Place, bands: Sequence[str]
) -> PublishedRow:
    """An indicator's line of a place's scorecard, overall first and then by age band."""
    name, level = place.name, place.level
    whole = view.cell(indicator.code, name, level=level)
    cells = tuple(
        view.cell(indicator.code, name, band, level)
        if view.has(indicator.code, name, band, level)
        else without_bands(whole)
        for band in bands
    )
    return PublishedRow(indicator, cells, sparkline(view.trend(indicator.code, name, level=level)))


def without_bands(whole: ShownCell) -> ShownCell:
    """What stands under an age band of an indicator that has none."""
    nothing = symbol(Symbol.NOT_APPLICABLE)
    return replace(whole, figure=nothing, printed=nothing, marks=())


def comparisons(view: View, places: Sequence[Place], names: Sequence[str]) -> list[PlacesCompared]:
    """The families of all that exists at any of some places, side by side."""
    indicators = [
        one
        for one in view.release.indicators
        if any(view.has(one.code, it.name, level=it.level) for it in places)
    ]
    return [
        PlacesCompared(
            family,
            tuple(names),
            tuple(
                (one, tuple(_cell_or_none(view, one, it) for it in places))
                for one in indicators
                if one.family == family
            ),
        )
        for family in dict.fromkeys(one.family for one in indicators)
    ]


def _cell_or_none(view: View, indicator: Indicator, place: Place) -> ShownCell | None:
    key = CellKey(indicator.code, place.name, ALL_AGES, place.level)
    return view.cell_of(view.release.period, key)


def side_by_side(view: View) -> list[tuple[str, list[PlacesCompared]]]:
    """Providers as wholes, and places of each kind, with what they are called."""
    found = []
    for level, title in LEVEL_TITLES.items():
        places = [it for it in view.places if it.level == level]
        if places:
            found.append((title, comparisons(view, places, [it.name for it in places])))
    return found


def of_provider(view: View, name: str) -> list[PlacesCompared]:
    """A provider's figures in each area and district, side by side, in the order of the tree."""
    order = {area.name: at for at, area in enumerate(in_tree_order(view))}
    inside = {it.name.removeprefix(f"{name} / "): it for it in view.of_provider(name)}
    areas = sorted(inside, key=lambda it: order.get(it, len(order)))
    return comparisons(view, [inside[it] for it in areas], areas)


def elsewhere(view: View) -> str:
    """Which indicators no area has, and where they are; empty where areas have them all."""
    missing = [one for one in view.release.indicators if one not in view.in_areas]
    if not missing:
        return ""
    codes = ", ".join(one.code for one in missing)
    return f"Not worked out for areas, but by provider or place: {codes}."


def tiles(view: View, area: str) -> list[Tile]:
    """The headlines of an area."""
    found = []
    for indicator in view.headlines:
        points = view.trend(indicator.code, area)
        found.append(
            Tile(
                indicator,
                view.cell(indicator.code, area),
                sparkline(points),
                line_chart(points),
            )
        )
    return found


def trend_rows(view: View, area: str) -> list[tuple[Indicator, list[Point]]]:
    """Every indicator's months of an area."""
    return [(one, view.trend(one.code, area)) for one in view.in_areas]


def bar_charts(view: View) -> list[BarChart]:
    """A chart by area and district for each headline."""
    return [_bar_chart(view, indicator) for indicator in view.headlines]


def _bar_chart(view: View, indicator: Indicator) -> BarChart:
    areas = in_tree_order(view)
    cells = {area.name: view.cell(indicator.code, area.name) for area in areas}
    top = view.release.areas.top
    counted = indicator.unit == "count"
    # The whole of a count would dwarf its parts, so it has a figure and no bar.
    values = [
        cell.figure.value or 0 for name, cell in cells.items() if not (counted and name == top)
    ]
    greatest = max(values, default=0)
    bars = []
    for area in areas:
        value = None if counted and area.name == top else cells[area.name].figure.value
        level = _level(view, area)
        bars.append(Bar(area.name, level, cells[area.name], share_of(value, greatest)))
    reference = None if counted else share_of(cells[top].figure.value, greatest) or None
    return BarChart(indicator, tuple(bars), reference)


def _level(view: View, area: Area) -> str:
    if area.name == view.release.areas.top:
        return "county"
    return "" if area.name in view.release.areas.leaves else "area"


def in_tree_order(view: View) -> list[Area]:
    """Every area, each followed by those below it."""

    def below(area: Area) -> list[Area]:
        return [area, *(one for child in view.children(area.name) for one in below(child))]

    return below(view.release.areas.area[0])


def trail(view: View, area: Area) -> list[str]:
    """The areas that one lies in, the top first."""
    parents = {one.name: one.parent for one in view.release.areas.area}
    found: list[str] = []
    name = area.parent
    while name is not None:
        found.insert(0, name)
        name = parents[name]
    return found


def siblings(view: View, area: Area) -> list[Area]:
    """The other areas right below the one that an area lies in."""
    return [one for one in view.children(area.parent or "") if one.name != area.name]


def makeup(view: View, area: Area) -> str:
    """What an area is made of, in a sentence."""
    names = [child.name for child in view.children(area.name)]
    if names:
        return f"Made up of {', '.join(names[:-1])} and {names[-1]}." if names[1:] else ""
    return f"A district of the {area.parent} area." if area.parent else ""


def comments(view: View, area: str) -> list[tuple[Indicator, list[Commentary]]]:
    """What was written about each indicator of an area."""
    said = ((one, view.commentary(area, one.code)) for one in view.release.indicators)
    return [(indicator, notes) for indicator, notes in said if notes]


def causes(change: Change) -> str:
    """The events behind a change: how many of each type, and how many more are not named."""
    types = Counter(cause.type for cause in change.causes)
    told = [f"{number} {kind}" for kind, number in sorted(types.items())]
    if change.more_causes:
        told.append(f"{change.more_causes:,} more")
    return ", ".join(told) or "none known"


def has_equals(changes: Sequence[ShownChange]) -> bool:
    """Whether any changed figure is printed as it was before."""
    return any(one.before == one.after for one in changes)


def change_log(view: View) -> list[tuple[Release, list[ShownChange]]]:
    """Every release of the period up to this one, the latest first, with what each changed."""
    return [(one, view.changes(one)) for one in [view.release, *reversed(view.history)]]


def released(release: Release, view: View) -> str:
    """When a release was made, and inside the council by whom."""
    by = f" by {release.author}" if view.is_internal else ""
    return f"{long_date(release.released_on)}{by}"


def log_names(view: View) -> list[str]:
    """The headings of the log of releases."""
    by = ["By"] if view.is_internal else []
    return ["Number", "Kind", "Released", *by, "Why", "Figures changed"]


def log_rows(view: View) -> list[list[str]]:
    """The log of releases of the period, the latest first."""
    return [
        [
            str(one.number),
            KIND_TITLES[one.kind],
            long_date(one.released_on),
            *([one.author] if view.is_internal else []),
            one.reason,
            f"{len(changed) + view.unlisted(one):,}" if view.before(one) else "[z]",
        ]
        for one, changed in change_log(view)
    ]


def identity(view: View, proof: tuple[str, str] | None) -> list[tuple[str, StatedFact]]:
    """What identifies a release, so that it can be found and proved years later.

    `proof` is a file of the publication, in words, and its hash.
    """
    release = view.release
    return [
        ("Period", StatedFact(month_title(release.period))),
        ("Figures as of", StatedFact(long_date(release.as_of))),
        ("Number and kind", StatedFact(f"{release.number}, {KIND_TITLES[release.kind].lower()}")),
        ("Released", StatedFact(released(release, view))),
        ("Why", StatedFact(release.reason)),
        *_hashes(view, proof),
        ("Indicator catalogue", StatedFact(release.catalogue_version, code=True)),
        ("Calendar", StatedFact(release.calendar_version, code=True)),
        ("Profile", StatedFact("Internal" if view.profile == "internal" else "Public")),
    ]


def _hashes(view: View, proof: tuple[str, str] | None) -> list[tuple[str, StatedFact]]:
    proved = [(proof[0], StatedFact(proof[1], code=True))] if proof else []
    if not view.is_internal:
        return proved
    before = view.release.previous_release
    return [
        *proved,
        (
            "Release before",
            StatedFact(before, code=True) if before else StatedFact("None: the first"),
        ),
    ]
