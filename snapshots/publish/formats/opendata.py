"""Open data as CSV in the layout of the Department for Education's statistics, with metadata.

One row for every month, area and age band, one column for every indicator (docs/publishing.md,
Formats). The four areas between the authority and its districts have no
official level; they stand at `Planning area`, the one level that the screener takes within a local
authority without an official code. The department's table tool passes over those rows.
"""

from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from schemas.areas import Area
from schemas.catalogue import ALL_AGES, Indicator
from schemas.cells import CellKey
from schemas.outward import csv_text
from schemas.release import Release
from snapshots.publish.text.content import in_tree_order
from snapshots.publish.text.shown_figures import Shown, ShownCell
from snapshots.publish.text.view import View
from snapshots.publish.text.wording import INTERNAL_NOTE, MONTHS, UNKNOWN_AGE, Symbol

COUNTRY = ("E92000001", "England")
PLACE_COLUMNS = (
    *("geographic_level", "country_code", "country_name", "old_la_code", "new_la_code", "la_name"),
    *("lad_code", "lad_name", "planning_area_code", "planning_area_name"),
)
META_COLUMNS = (
    *("col_name", "col_type", "label", "indicator_grouping", "indicator_unit", "indicator_dp"),
    *("filter_hint", "filter_grouping_column"),
)
CHANGE_COLUMNS = (
    *("time_period", "time_identifier", "release_number", "release_kind", "released_on"),
    *("reason", "what", "indicator", "area", "age_band", "before", "after"),
)
PLACES_COLUMNS = (
    *("time_period", "time_identifier", "level", "place", "family", "indicator", "title"),
    *("age_band", "value", "previous", "direction", "target", "rating", "mark"),
)
BASIS_COLUMNS = ("numerator", "denominator")
# The column that says that a row is not to go out.
MARKING = "marking"


class Column(NamedTuple):
    """A column of figures and its line of the metadata file."""

    name: str
    label: str
    grouping: str
    unit: str
    decimals: int


def csv_files(view: View) -> Iterator[tuple[str, bytes]]:
    """The data file, its metadata file, and the list of changes, by file name."""
    stem = f"early_help_{view.release.period.replace('-', '_')}"
    yield view.named(f"{stem}.csv"), _written(view, _data(view))
    yield view.named(f"{stem}.meta.csv"), _written(view, _metadata(view))
    if view.places:
        yield view.named(f"{stem}_places.csv"), _written(view, _places(view))
    yield view.named(f"{stem}_changes.csv"), _written(view, _changes(view))


def _written(view: View, rows: Iterator[list[str]]) -> bytes:
    """Rows as they are stored; inside the council each says in a last column that it is so."""
    if view.is_internal:
        head = next(rows)
        rows = chain([[*head, MARKING]], ([*row, INTERNAL_NOTE] for row in rows))
    return csv_text(rows).encode("utf-8")


def _data(view: View) -> Iterator[list[str]]:
    columns = [column.name for one in view.in_areas for column in _columns(view, one)]
    yield ["time_period", "time_identifier", *PLACE_COLUMNS, "age_band", *columns]
    for period in view.periods:
        if view.release_of(period) is None:
            continue
        for area in in_tree_order(view):
            for band in view.release.age_bands:
                cells = (
                    view.cell_of(period, CellKey(one.code, area.name, band))
                    for one in view.in_areas
                )
                yield [
                    *_time(period),
                    *_place(view, area),
                    band_name(band),
                    *(
                        text
                        for one, cell in zip(view.in_areas, cells, strict=True)
                        for text in _values(view, one, band, cell)
                    ),
                ]


def _time(period: str) -> list[str]:
    return [period[:4], MONTHS[int(period[5:]) - 1]]


def _place(view: View, area: Area) -> list[str]:
    top = view.release.areas.area[0]
    authority = [top.dfe_number or "x", top.code or "x", top.name]
    district, planning = ["", ""], ["", ""]
    if area.name == top.name:
        level = "Local authority"
    elif area.name in view.release.areas.leaves:
        level, district = "Local authority district", [area.code or "x", area.name]
    else:
        level, planning = "Planning area", [area.code or _column_name(area.name), area.name]
    return [level, *COUNTRY, *authority, *district, *planning]


def band_name(band: str) -> str:
    """An age band as an item of a filter, whose whole is called Total."""
    return {ALL_AGES: "Total", UNKNOWN_AGE: "Age not known"}.get(band, band.replace("-", " to "))


def _columns(view: View, indicator: Indicator) -> Iterator[Column]:
    name, title = _column_name(indicator.code), f"{indicator.code} {indicator.title}"
    family, unit = indicator.family, "%" if indicator.unit == "percent" else ""
    yield Column(name, title, family, unit, 0 if indicator.unit == "count" else 1)
    if view.profile == "internal" and indicator.denominator is not None:
        basis = f"{family}: what figures rest on"
        yield Column(f"{name}_numerator", f"{indicator.code} numerator", basis, "", 0)
        yield Column(f"{name}_denominator", f"{indicator.code} denominator", basis, "", 0)
    yield Column(f"{name}_mark", f"{indicator.code} mark", f"{family}: marks", "", 0)


def _column_name(text: str) -> str:
    return "_".join("".join(c if c.isalnum() else " " for c in text.lower()).split())


def _values(view: View, indicator: Indicator, band: str, cell: ShownCell | None) -> Iterator[str]:
    with_basis = view.profile == "internal" and indicator.denominator is not None
    if cell is None:
        is_banded = indicator.bands != "none" or band == ALL_AGES
        nothing = Symbol.NOT_AVAILABLE if is_banded else Symbol.NOT_APPLICABLE
        yield from [nothing.value] * (3 if with_basis else 1)
    else:
        yield plain_value(indicator, cell)
        if with_basis:
            yield from (_basis(cell.numerator), _basis(cell.denominator))
    yield " ".join(cell.marks if cell else ()) or Symbol.NOT_APPLICABLE.value


def _basis(number: float | None) -> str:
    return Symbol.NOT_AVAILABLE.value if number is None else str(number)


def _places(view: View) -> Iterator[list[str]]:
    """The figures by provider and at places, a line each: these have no official level."""
    yield [*PLACES_COLUMNS, *(BASIS_COLUMNS if view.is_internal else ())]
    indicators = {one.code: one for one in view.release.indicators}
    for period in view.periods:
        release = view.release_of(period)
        for each in release.cells if release else ():
            cell = view.cell_of(period, each.key) if each.level else None
            if cell is None or each.code not in indicators:
                continue
            one = indicators[each.code]
            yield [
                *_time(period),
                *(
                    each.level,
                    each.area,
                    one.family,
                    each.code,
                    one.title,
                    band_name(each.age_band),
                ),
                *(plain_value(one, cell), _plain(cell.previous), cell.direction or "z"),
                *(cell.target or "z", cell.rag or "z", " ".join(cell.marks) or "z"),
                *((_basis(cell.numerator), _basis(cell.denominator)) if view.is_internal else ()),
            ]


def _plain(shown: Shown) -> str:
    if shown.symbol is not None or shown.value is None:
        return (shown.symbol or Symbol.NOT_APPLICABLE).value
    return str(shown.value)


def plain_value(indicator: Indicator, cell: ShownCell) -> str:
    """A figure with neither separators nor unit, or the symbol that stands for it."""
    if cell.figure.symbol is not None:
        return cell.figure.symbol.value
    value = cell.figure.value or 0
    return f"{value:.0f}" if indicator.unit == "count" else f"{value:.1f}"


def _metadata(view: View) -> Iterator[list[str]]:
    yield list(META_COLUMNS)
    hint = "Completed years when the notification was received"
    yield ["age_band", "Filter", "Age band", "", "", "", hint, ""]
    for indicator in view.in_areas:
        for column in _columns(view, indicator):
            shown = [column.label, column.grouping, column.unit, str(column.decimals)]
            yield [column.name, "Indicator", *shown, "", ""]
    if view.is_internal:
        yield [MARKING, "Filter", "Protective marking", "", "", "", "", ""]


def _changes(view: View) -> Iterator[list[str]]:
    """All that a release of the period changed, the earliest release first.

    `what` says of each line whether it is a figure, a target, a rating or a comment.
    """
    yield list(CHANGE_COLUMNS)
    for release in [*view.history, view.release]:
        number, day = str(release.number), release.released_on.isoformat()
        for row in _changed(view, release):
            yield [*_time(release.period), number, release.kind, day, release.reason, *row]


def _changed(view: View, release: Release) -> Iterator[list[str]]:
    for one in view.changes(release):
        cell, band = one.change, band_name(one.change.age_band)
        yield ["Figure", cell.code, cell.area, band, one.before, one.after]
    for it in view.judged_anew(release):
        yield [it.what, it.indicator.code, it.area, band_name(ALL_AGES), it.before, it.after]
    for note in view.comments_changed(release):
        yield ["Comment", note.code or "", note.area, "", note.before, note.after]
