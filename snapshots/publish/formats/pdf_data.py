"""What the PDF says, as data for its template."""

from collections.abc import Iterator, Sequence

from schemas.areas import Area
from schemas.places import Place
from schemas.release import Release
from snapshots.publish.formats.pdf_parts import (
    Json,
    direction_data,
    indicator_data,
    line_data,
    note_data,
    shown_data,
)
from snapshots.publish.formats.proof import proof_of
from snapshots.publish.text import content, wording
from snapshots.publish.text.reading_guide import (
    band_note,
    change_summary,
    charts_lead,
    disclosure_note,
    kind_meaning,
    reading_notes,
    reading_of,
    unlisted_note,
)
from snapshots.publish.text.shown_figures import symbol
from snapshots.publish.text.story import incomplete, movements, quality
from snapshots.publish.text.view import ShownChange, View
from snapshots.publish.text.wording import (
    SERVICE,
    Symbol,
    long_date,
    month_title,
    short_month,
)

# Columns of places that a page has room for beside the indicators.
PLACES_ON_A_PAGE = 9
# What stands where an indicator does not exist at a place.
NOT_THERE = shown_data(symbol(Symbol.NOT_APPLICABLE))


def report_data(view: View) -> Json:
    """All that the report says, as its template takes it."""
    release = view.release
    kind = wording.KIND_TITLES[release.kind]
    month = month_title(release.period)
    proof = proof_of(view)
    return {
        "title": f"{f'{wording.INTERNAL}: ' if view.is_internal else ''}"
        f"{SERVICE}: {release.areas.top}, {month}",
        "author": release.author if view.is_internal else release.areas.top,
        "description": f"{kind}, number {release.number}."
        + (f" {proof}: {proof.sha256}" if proof else ""),
        "marking": wording.INTERNAL_NOTE if view.is_internal else "",
        "footer": (
            f"{SERVICE}, {release.areas.top}, {month}. Release {release.number} "
            f"({kind.lower()}), {long_date(release.released_on)}"
        ),
        "place": release.areas.top,
        "heading": f"{SERVICE}: {month}",
        **_front(view),
        "months": [short_month(period) for period in view.periods],
        "areas": [_area(view, area) for area in content.in_tree_order(view)],
        "band_note": f"{band_note(view)} {content.elsewhere(view)}".strip(),
        "places": _places(view),
        "charts": _charts(view),
        **_notes(view),
    }


def _front(view: View) -> Json:
    release, proof = view.release, proof_of(view)
    before = month_title(wording.month_before(release.period))
    return {
        "notice": {
            "kind": f"{wording.KIND_TITLES[release.kind]}, number {release.number}",
            "meaning": (
                f"{kind_meaning(view)} Figures as of "
                f"{long_date(release.as_of)}, released on {long_date(release.released_on)}."
            ),
            "disclosure": disclosure_note(view),
        },
        "headline_notes": [note_data(one) for one in view.commentary(release.areas.top)],
        "tiles": [_tile(tile, before) for tile in content.tiles(view, release.areas.top)],
        "moved": {
            "heading": f"What moved most since {before}",
            "nothing": f"There is nothing that can be compared with {before}.",
            "items": [
                {"code": one.indicator.code, "title": one.indicator.title, "sentence": one.sentence}
                for one in movements(view)
            ],
        },
        "changed": {
            "sentence": change_summary(view),
            "releases": [
                _changed(view, one, changes)
                for one, changes in content.change_log(view)
                if view.before(one)
            ],
        },
        "log": {
            "caption": f"Releases of {month_title(release.period)}, the latest first",
            "names": content.log_names(view),
            "rows": content.log_rows(view),
            "note": wording.LOG_NOTE,
        },
        "symbols": [
            {"sign": sign, "meaning": f"{meaning[0].upper()}{meaning[1:]}."}
            for sign, meaning in wording.MEANINGS.items()
        ],
        "identity": [
            {"name": name, "text": fact.text, "fixed": fact.code}
            for name, fact in content.identity(view, proof and (str(proof), proof.sha256))
        ],
    }


def _changed(view: View, release: Release, changes: Sequence[ShownChange]) -> Json:
    """The table of what one release changed; inside the council with the events behind it."""
    names = ["Indicator", "Area", "Ages", "Before", "Now"]
    rows = [
        [
            f"{one.indicator.code} {one.indicator.title}",
            one.change.area,
            wording.band_title(one.change.age_band),
            one.before,
            one.after,
        ]
        for one in changes[: content.CHANGES_IN_LOG]
    ]
    if view.is_internal:
        names.append("Events behind it")
        for row, one in zip(rows, changes, strict=False):
            row.append(content.causes(one.change))
    shown = f": the first {len(rows)} of {len(changes):,}" if len(rows) < len(changes) else ""
    kind = wording.KIND_TITLES[release.kind].lower()
    return {
        "heading": f"Release {release.number}: {kind}, {long_date(release.released_on)}",
        "meaning": wording.KIND_MEANINGS[release.kind],
        "reason": release.reason,
        "caption": f"Figures that release {release.number} ({kind}) changed{shown}",
        "names": names,
        "rows": rows,
        "note": wording.SAME_NOTE if content.has_equals(changes) else "",
        "unlisted": unlisted_note(view, release),
        "nothing": "" if rows or view.unlisted(release) else "No figure changed.",
        "others": [
            _judged(view, release),
            _comments(view, release),
        ],
    }


def _judged(view: View, release: Release) -> Json:
    return {
        "caption": f"Targets and ratings that release {release.number} changed, all ages",
        "names": ["Indicator", "Area", "What", "Before", "Now"],
        "rows": [
            [
                f"{one.indicator.code} {one.indicator.title}",
                one.area,
                one.what,
                one.before,
                one.after,
            ]
            for one in view.judged_anew(release)
        ],
    }


def _comments(view: View, release: Release) -> Json:
    return {
        "caption": f"Comments that release {release.number} changed",
        "names": ["About", "Before", "Now"],
        "rows": [
            [one.about, one.before or "None", one.after or "None"]
            for one in view.comments_changed(release)
        ],
    }


def _tile(tile: content.Tile, before: str) -> Json:
    cell = tile.cell
    return {
        **indicator_data(tile.indicator),
        "cell": shown_data(cell.figure, cell.marks),
        "spark": line_data(tile.spark),
        "direction": direction_data(cell),
        "from": f", from {cell.previous.text} in {before}" if cell.direction else "",
        "target": cell.target,
        "rag": cell.rag or cell.no_rating,
    }


def _area(view: View, area: Area) -> Json:
    before = short_month(wording.month_before(view.release.period))
    month = month_title(view.release.period)
    return {
        "name": area.name,
        "trail": " > ".join(content.trail(view, area)),
        "notes": [note_data(one) for one in view.commentary(area.name)],
        "cards": [
            {
                "caption": f"{family.name}: {area.name}, {month}",
                "bands": [wording.band_title(band) for band in family.bands],
                "previous": f"Previous ({before})",
                "rows": [_row(row) for row in family.rows],
            }
            for family in content.families(view, Place("", area.name))
        ],
        "comments": [
            {**indicator_data(indicator), "notes": [note_data(one) for one in said]}
            for indicator, said in content.comments(view, area.name)
        ],
        "trend": None if area.parent else _trend(view, area),
    }


def _places(view: View) -> list[Json]:
    """Providers and places of each kind, side by side, family by family."""
    return [
        {"title": title, "tables": [it for table in tables for it in _side_by_side(view, table)]}
        for title, tables in content.side_by_side(view)
    ]


def _side_by_side(view: View, table: content.PlacesCompared) -> Iterator[Json]:
    """A table of places, or several where they are too many for the width of a page."""
    for first in range(0, len(table.places), PLACES_ON_A_PAGE):
        columns = slice(first, first + PLACES_ON_A_PAGE)
        yield {
            "caption": f"{table.name}, {month_title(view.release.period)}",
            "names": ["Indicator", *table.places[columns]],
            "rows": [
                {
                    **indicator_data(one),
                    "cells": [
                        shown_data(cell.figure, cell.marks) if cell else NOT_THERE
                        for cell in cells[columns]
                    ],
                }
                for one, cells in table.rows
            ],
        }


def _row(row: content.PublishedRow) -> Json:
    whole = row.whole
    return {
        **indicator_data(row.indicator),
        "frequency": wording.FREQUENCY_WORDS[row.indicator.frequency],
        "cells": [shown_data(cell.printed, cell.marks) for cell in row.cells],
        "previous": shown_data(whole.previous),
        "direction": direction_data(whole),
        "target": whole.target,
        "rag": whole.rag or whole.no_rating,
        "spark": line_data(row.spark),
    }


def _trend(view: View, area: Area) -> Json:
    return {
        "caption": f"{area.name}, all ages, by month",
        "charts": [
            {"title": tile.indicator.title, "line": line_data(tile.chart)}
            for tile in content.tiles(view, area.name)
        ],
        "rows": [
            {
                **indicator_data(one),
                "cells": [shown_data(point.shown, point.marks) for point in points],
            }
            for one, points in content.trend_rows(view, area.name)
        ],
    }


def _charts(view: View) -> Json:
    return {
        "lead": charts_lead(view),
        "items": [
            {
                **indicator_data(chart.indicator),
                "unit": wording.UNIT_WORDS[chart.indicator.unit],
                "reference": chart.reference,
                "rows": [
                    {
                        "name": bar.name,
                        "level": bar.level,
                        "cell": shown_data(bar.cell.figure, bar.cell.marks),
                        "length": bar.length,
                    }
                    for bar in chart.rows
                ],
            }
            for chart in content.bar_charts(view)
        ],
    }


def _notes(view: View) -> Json:
    top = view.release.areas.top
    return {
        "reading": reading_notes(view),
        "definitions": [
            {
                "name": family.name,
                "indicators": [
                    {
                        **indicator_data(one),
                        "definition": one.definition,
                        "reading": reading_of(one),
                    }
                    for one in family.indicators
                ],
            }
            for family in content.families(view)
        ],
        "quality": {
            "caption": f"Odd facts in the data, as of {long_date(view.release.as_of)}",
            "names": ["What", "Number", "What becomes of it"],
            "rows": [[one.what, one.number, one.becomes] for one in quality(view)],
        },
        "incomplete": {
            "caption": f"{top}: counted in the whole only",
            "names": ["Indicator", top, "No district", "Age not known"],
            "rows": [
                [
                    f"{one.indicator.code} {one.indicator.title}",
                    *(one.whole, one.no_district, one.no_age),
                ]
                for one in incomplete(view)
            ],
        },
    }
