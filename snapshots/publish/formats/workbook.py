"""A workbook as the Analysis Function asks for accessible spreadsheets.

Cover, contents and notes; then one marked and named table a sheet, with one header row and no
merged or empty cells. Figures are numbers; symbols stand in square brackets.
"""

import io
import warnings
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time
from typing import Any

import pandas as pd
from gptables import GPTable, produce_workbook

from schemas.areas import Area
from schemas.catalogue import Indicator
from schemas.outward import WORKBOOK_OPTIONS, for_workbook
from schemas.places import Place
from snapshots.publish.formats.opendata import band_name
from snapshots.publish.formats.pages import slug
from snapshots.publish.formats.workbook_cover import cover_sheet, notes_table
from snapshots.publish.text import content, wording
from snapshots.publish.text.shown_figures import Shown, ShownCell
from snapshots.publish.text.story import quality
from snapshots.publish.text.view import View
from snapshots.publish.text.wording import SERVICE, month_title, short_month

NO_COMMENT = "None"
DECIMAL, WHOLE = "#,##0.0", "#,##0"


def xlsx_files(view: View) -> Iterator[tuple[str, bytes]]:
    """The workbook, by file name."""
    text = io.BytesIO()
    with warnings.catch_warnings():
        # gptables calls pandas in ways that a later pandas will drop; its own affair.
        warnings.simplefilter("ignore", DeprecationWarning)
        workbook = produce_workbook(
            text,
            sheets=_sheets(view),
            cover=cover_sheet(view),
            notes_table=notes_table(),
            notesheet_options=_marked_options(view, "This worksheet has one table, of notes."),
            contentsheet_options=_marked_options(view, "This worksheet lists the others."),
            workbook_options={"in_memory": True, **WORKBOOK_OPTIONS},
        )
    release = view.release
    workbook.set_properties(
        {
            "title": f"{SERVICE}, {release.areas.top}, {month_title(release.period)}",
            "author": for_workbook(release.author if view.is_internal else release.areas.top),
            "category": wording.INTERNAL if view.is_internal else "Public",
            # The day of the release, so that the same release gives the same bytes.
            "created": datetime.combine(release.released_on, time(), UTC).replace(tzinfo=None),
        }
    )
    if view.is_internal:
        for sheet in workbook.worksheets():  # as printed
            sheet.set_header(f"&R&B{wording.INTERNAL_NOTE}")
    workbook.close()
    yield view.named(f"early-help-{release.period}.xlsx"), text.getvalue()


def _marked_options(view: View, instructions: str) -> dict[str, str]:
    return {"instructions": _marked(view, instructions)}


def _marked(view: View, instructions: str) -> str:
    """The line that says what a sheet has; inside the council also that it is not to go out."""
    return f"{wording.INTERNAL_NOTE} {instructions}" if view.is_internal else instructions


def _sheets(view: View) -> dict[str, GPTable]:
    sheets = {area.name[:31]: _scorecard_sheet(view, area) for area in content.in_tree_order(view)}
    for title, places in _place_groups(view):
        sheets[title] = _places_sheet(view, title, places)
    sheets["Trend"] = _trend_sheet(view)
    sheets["Releases"] = _log_sheet(view)
    every = [*view.history, view.release]
    if any(view.changes(one) for one in every):
        sheets["Changes"] = _changes_sheet(view)
    if any(view.judged_anew(one) for one in every):
        sheets["Targets and ratings changed"] = _judged_sheet(view)
    if any(view.comments_changed(one) for one in every):
        sheets["Comments changed"] = _comments_sheet(view)
    sheets["Definitions"] = _definitions_sheet(view)
    if view.release.quality:
        sheets["Data quality"] = _quality_sheet(view)
    return sheets


def _scorecard_sheet(view: View, area: Area) -> GPTable:
    bands = view.release.age_bands
    before = short_month(wording.month_before(view.release.period))
    names = ["Overall", *(_band_heading(band) for band in bands[1:])]
    head = ["Code", "Indicator", "Family", "Unit", "Frequency", *names, f"Previous, {before}"]
    rows = []
    for indicator in view.in_areas:
        whole = view.cell(indicator.code, area.name)
        cells = [
            view.cell(indicator.code, area.name, band)
            if view.has(indicator.code, area.name, band)
            else content.without_bands(whole)
            for band in bands
        ]
        rows.append(
            [
                indicator.code,
                indicator.title,
                indicator.family,
                wording.UNIT_WORDS[indicator.unit],
                wording.FREQUENCY_WORDS[indicator.frequency],
                *(_value(cell.figure) for cell in cells),
                _value(cells[0].previous),
                *_judged(cells[0]),
                _marks(names, cells),
            ]
        )
    columns = [*head, "Direction", "Target", "Rating", "Marks"]
    return _table(
        view,
        pd.DataFrame(rows, columns=columns, dtype=object),
        f"scorecard_{slug(area.name).replace('-', '_')}",
        f"{area.name}: scorecard, {month_title(view.release.period)} "
        "$$bands$$ $$previous$$ $$marks$$",
        _decimal_rows(view.in_areas),
    )


def _place_groups(view: View) -> list[tuple[str, list[Place]]]:
    """Providers, wherever they are, and places of each kind, by the name of their worksheet."""
    groups = {
        title: [it for it in view.places if it.level.startswith(level)]
        for level, title in wording.LEVEL_TITLES.items()
    }
    return [(title, places) for title, places in groups.items() if places]


def _places_sheet(view: View, title: str, places: Sequence[Place]) -> GPTable:
    """A line for each place and indicator that exists there, all ages."""
    before = short_month(wording.month_before(view.release.period))
    rows, indicators = [], []
    for place in places:
        for one in view.at(place):
            cell = view.cell(one.code, place.name, level=place.level)
            indicators.append(one)
            rows.append(
                [
                    *(place.name, one.family, one.code, one.title),
                    *(wording.UNIT_WORDS[one.unit], wording.FREQUENCY_WORDS[one.frequency]),
                    *(_value(cell.figure), _value(cell.previous), *_judged(cell)),
                    _marks(["Overall"], [cell]),
                ]
            )
    columns = [
        *("Place", "Family", "Code", "Indicator", "Unit", "Frequency", "Overall"),
        *(f"Previous, {before}", "Direction", "Target", "Rating", "Marks"),
    ]
    return _table(
        view,
        pd.DataFrame(rows, columns=columns, dtype=object),
        slug(title).replace("-", "_"),
        f"{title}: scorecard, {month_title(view.release.period)} $$previous$$ $$marks$$",
        _decimal_rows(indicators),
    )


def _band_heading(band: str) -> str:
    name = band_name(band)
    return name if name[:1].isalpha() else f"Ages {name}"


def _value(shown: Shown) -> int | float | str:
    """A number, or the symbol in square brackets."""
    return shown.text if shown.symbol is not None or shown.value is None else shown.value


def _judged(cell: ShownCell) -> list[int | float | str]:
    words = wording.DIRECTION_WORDS[cell.direction] if cell.direction else cell.no_direction
    return [words, cell.target or "None", cell.rag or cell.no_rating]


def _marks(names: Sequence[str], cells: Sequence[ShownCell]) -> str:
    """The marks of a line and the columns they belong to, such as `[r] Overall`."""
    marked = {
        mark: [name for name, cell in zip(names, cells, strict=True) if mark in cell.marks]
        for mark in wording.FigureMark
    }
    told = [f"[{mark}] {', '.join(columns)}" for mark, columns in marked.items() if columns]
    return "; ".join(told) or NO_COMMENT


def _trend_sheet(view: View) -> GPTable:
    top = view.release.areas.top
    rows = []
    for indicator, points in content.trend_rows(view, top):
        marks = [
            f"{short_month(point.period)} [{mark}]" for point in points for mark in point.marks
        ]
        values = [_value(point.shown) for point in points]
        unit = wording.UNIT_WORDS[indicator.unit]
        rows.append(
            [indicator.code, indicator.title, unit, *values, ", ".join(marks) or NO_COMMENT]
        )
    months = [month_title(period) for period in view.periods]
    columns = ["Code", "Indicator", "Unit", *months, "Marks"]
    return _table(
        view,
        pd.DataFrame(rows, columns=columns, dtype=object),
        "trend",
        f"{top}: all ages, by month $$trend$$ $$marks$$",
        _decimal_rows(view.in_areas),
    )


def _log_sheet(view: View) -> GPTable:
    rows = [[int(row[0]), *row[1:-1], _number(row[-1])] for row in content.log_rows(view)]
    frame = pd.DataFrame(rows, columns=content.log_names(view), dtype=object)
    month = month_title(view.release.period)
    return _table(view, frame, "releases", f"Releases of {month}")


def _number(text: str) -> int | str:
    digits = text.replace(",", "")
    return int(digits) if digits.isdecimal() else text


def _judged_sheet(view: View) -> GPTable:
    rows = [
        [one.number, it.indicator.code, it.indicator.title, it.area, it.what, it.before, it.after]
        for one in [*view.history, view.release]
        for it in view.judged_anew(one)
    ]
    columns = ["Release", "Code", "Indicator", "Area", "What", "Before", "Now"]
    title = "Targets and ratings that a release changed, all ages"
    return _table(view, pd.DataFrame(rows, columns=columns), "judged_anew", title)


def _comments_sheet(view: View) -> GPTable:
    rows = [
        [one.number, it.area, it.code or "All", it.before or NO_COMMENT, it.after or NO_COMMENT]
        for one in [*view.history, view.release]
        for it in view.comments_changed(one)
    ]
    columns = ["Release", "Area", "Code", "Before", "Now"]
    title = "Comments that a release changed"
    return _table(view, pd.DataFrame(rows, columns=columns), "comments_changed", title)


def _changes_sheet(view: View) -> GPTable:
    rows = [
        [
            *(one.number, wording.KIND_TITLES[one.kind], change.indicator.code),
            *(change.indicator.title, change.change.area),
            *(wording.band_title(change.change.age_band), change.before, change.after),
        ]
        for one in [*view.history, view.release]
        for change in view.changes(one)
    ]
    columns = [
        *("Release", "Kind", "Code", "Indicator", "Area", "Ages", "Before", "Now"),
    ]
    month = month_title(view.release.period)
    title = f"Figures of {month} that were revised or corrected"
    return _table(view, pd.DataFrame(rows, columns=columns), "changes", title)


def _definitions_sheet(view: View) -> GPTable:
    rows = [
        [
            *(one.code, one.title, one.definition, wording.UNIT_WORDS[one.unit]),
            *(wording.FREQUENCY_WORDS[one.frequency], wording.POLARITY_WORDS[one.polarity]),
        ]
        for one in view.release.indicators
    ]
    columns = ["Code", "Indicator", "Definition", "Unit", "Frequency", "Reading"]
    frame = pd.DataFrame(rows, columns=columns)
    return _table(view, frame, "definitions", "Definitions of the indicators")


def _quality_sheet(view: View) -> GPTable:
    rows = [[one.what, one.number, one.becomes] for one in quality(view)]
    frame = pd.DataFrame(rows, columns=["What", "Number", "What becomes of it"])
    return _table(view, frame, "data_quality", "Odd facts in the data")


def _decimal_rows(indicators: Sequence[Indicator]) -> list[dict[str, Any]]:
    """Number formats by line, as a scorecard's lines differ in unit and its columns do not."""
    whole = [row for row, one in enumerate(indicators, start=1) if one.unit == "count"]
    decimal = [row for row, one in enumerate(indicators, start=1) if one.unit != "count"]
    return [
        {"row": {"rows": rows, "format": {"num_format": form}}}
        for rows, form in ((whole, WHOLE), (decimal, DECIMAL))
        if rows
    ]


def _table(
    view: View, frame: pd.DataFrame, name: str, title: str, formats: Sequence[dict[str, Any]] = ()
) -> GPTable:
    return GPTable(
        table=frame.map(for_workbook),
        table_name=name,
        title=title,
        instructions=_marked(
            view, "This worksheet has one table. Symbols are explained on the cover."
        ),
        index_columns={},
        additional_formatting=list(formats),
    )
