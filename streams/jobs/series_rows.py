"""A series in rows, as files and programs have it."""

from fractions import Fraction

from processors.figures.evaluate import Exact, shown
from processors.figures.series import Dated, SeriesMonth
from schemas.catalogue import Indicator

TREND_COLUMNS = ("as_of", "numerator", "denominator", "value", "status")
MONTH_COLUMNS = (*TREND_COLUMNS, "target", "complete", "variation", "causes")


def as_number(part: Exact | None) -> int | float | None:
    """A part of a figure as it is written."""
    return float(part) if isinstance(part, Fraction) else part


def dated_row(indicator: Indicator, it: Dated | SeriesMonth) -> list[object]:
    """A figure as of a date, in TREND_COLUMNS."""
    parts = (as_number(part) for part in (it.figure.numerator, it.figure.denominator))
    return [str(it.day), *parts, shown(indicator, it.figure.value), it.figure.status]


def month_row(indicator: Indicator, it: SeriesMonth) -> list[object]:
    """A month's figure with what its variation says, in MONTH_COLUMNS."""
    judged = it.judged
    causes = "; ".join(judged.causes)
    complete = "yes" if it.is_complete else "no"
    return [*dated_row(indicator, it), as_number(it.target), complete, judged.variation, causes]
