"""Marks of months: a shape and a word for each kind, beside its colour."""

from collections.abc import Sequence
from dataclasses import dataclass

from processors.figures.series import SeriesMonth
from processors.figures.variation import VARIATION_WORDS, Variation
from schemas.catalogue import Indicator
from streams.jobs.series_words import exact_text, month_words
from streams.serving.charts.frame import Scale

NOT_COMPLETE = "incomplete"
PLAIN = "plain"
# The class of each kind of mark, whose shape the templates draw.
MARKS = {
    Variation.COMMON: "common",
    Variation.IMPROVEMENT: "improvement",
    Variation.CONCERN: "concern",
    Variation.NEITHER: "neither",
}
MARK_WORDS = {
    **{MARKS[variation]: words for variation, words in VARIATION_WORDS.items()},
    NOT_COMPLETE: "not complete, not judged",
    PLAIN: "not judged",
}


@dataclass(frozen=True)
class Spot:
    """A month that has a value: where it is drawn, its mark, and what it says.

    `breaks` says that no line leads to it from the month before.
    """

    x: float
    y: float
    mark: str
    words: str
    breaks: bool = False


def mark_of(month: SeriesMonth) -> str:
    """The kind of mark that a month has."""
    if not month.is_complete:
        return NOT_COMPLETE
    variation = month.judged.variation
    return PLAIN if variation is None else MARKS[variation]


def spot(indicator: Indicator, month: SeriesMonth, x: float, up: Scale) -> Spot | None:
    """A month as it is drawn; None without a value."""
    value = month.judged.observed.value
    if value is None:
        return None
    mark = mark_of(month)
    causes = "; ".join(month.judged.causes)
    words = f"{month_words(month.day)}: {exact_text(indicator, value)}, {MARK_WORDS[mark]}"
    words = f"{words} ({causes})" if causes else words
    return Spot(x, up(float(value)), mark, words, month.judged.observed.breaks)


def runs(spots: Sequence[Spot | None]) -> tuple[str, ...]:
    """The lines between months side by side, broken where one has no value or the series breaks."""
    found: list[list[Spot]] = [[]]
    for it in spots:
        if it is None or it.breaks:
            found.append([])
        if it is not None:
            found[-1].append(it)
    return tuple(" ".join(f"{it.x},{it.y}" for it in run) for run in found if len(run) > 1)
