"""Small parts of the PDF's data: figures, directions, lines and comments."""

from typing import Any

from schemas.catalogue import Indicator
from schemas.release import Commentary
from snapshots.publish.text.charts import TrendLine
from snapshots.publish.text.shown_figures import Shown, ShownCell
from snapshots.publish.text.wording import ARROWS, DIRECTION_WORDS, FigureMark, short_month

Json = dict[str, Any]


def indicator_data(indicator: Indicator) -> Json:
    """An indicator by code and title."""
    return {"code": indicator.code, "title": indicator.title}


def note_data(note: Commentary) -> Json:
    """A comment and the role of who wrote it."""
    return {"text": note.text, "author_role": note.author_role}


def shown_data(shown: Shown, marks: tuple[FigureMark, ...] = ()) -> Json:
    """A figure or symbol as text, with its marks."""
    told = "".join(f"[{mark}]" for mark in marks) if shown.value is not None else ""
    return {"text": shown.text, "symbol": shown.symbol is not None, "marks": told}


def direction_data(cell: ShownCell) -> Json:
    """A direction in words with the arrow to draw, or what stands in its place."""
    if cell.direction is None:
        return {"arrow": None, "words": cell.no_direction}
    arrow, words = ARROWS[cell.direction], DIRECTION_WORDS[cell.direction]
    return {"arrow": arrow, "words": words}


def line_data(line: TrendLine) -> Json:
    """A line to draw, with the words for those who do not see it."""
    return {
        "width": line.width,
        "height": line.height,
        "words": line.words,
        "runs": [
            [
                {"x": dot.x, "y": dot.y, "text": dot.text, "month": short_month(dot.period)[:3]}
                for dot in run
            ]
            for run in line.runs
        ],
    }
