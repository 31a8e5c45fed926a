"""A trend as small as a word: its last 13 months, without axes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from markupsafe import Markup

from processors.figures.series import Series, SeriesMonth
from processors.figures.variation import VARIATION_WORDS
from streams.jobs.series_words import figure_text, month_words
from streams.serving.charts.drawing import ChartColumn, ChartTable, Key, svg
from streams.serving.charts.frame import Frame, Scale
from streams.serving.charts.marks import Spot, runs, spot

MONTHS = 13
FRAME = Frame(width=120, height=30, left=5, right=7, top=6, bottom=6)


@dataclass(frozen=True)
class SparkDrawing:
    """Lines between months that have values, and the last month's mark."""

    frame: Frame
    lines: tuple[str, ...]
    last: Spot | None
    size: str = "spark"


@dataclass(frozen=True)
class Sparkline:
    """A series' last months."""

    name: str
    series: Series
    template: str = field(default="sparkline.svg", init=False)

    @property
    def title(self) -> str:
        """What it shows."""
        indicator, place, _ = self.series.cell
        return f"{indicator.title}, {place.name}, by month"

    @property
    def words(self) -> Sequence[str]:
        """Its first and last figures, and what the last one's variation says."""
        months = self._months
        if not months:
            return ["No figures yet."]
        said = f"From {self._said(months[0])} to {self._said(months[-1])}"
        newest = self.series.latest
        if newest is None or newest.judged.variation is None:
            return [f"{said}."]
        variation = VARIATION_WORDS[newest.judged.variation]
        return [f"{said}; {month_words(newest.day)}: {variation}."]

    @property
    def drawings(self) -> Sequence[SparkDrawing]:
        """One, for every width."""
        months = self._months
        values = [float(it) for it in (m.judged.observed.value for m in months) if it is not None]
        least, greatest = min(values, default=0.0), max(values, default=1.0)
        if least == greatest:
            least, greatest = least - 1, greatest + 1
        across = Scale(0, max(1, len(months) - 1), FRAME.left, FRAME.inner_right)
        up = Scale(least, greatest, FRAME.inner_bottom, FRAME.top)
        spots = [spot(self.series.cell[0], it, across(i), up) for i, it in enumerate(months)]
        return [SparkDrawing(FRAME, runs(spots), spots[-1] if spots else None)]

    @property
    def keys(self) -> Sequence[Key]:
        """None: it is too small for more than its last month's mark."""
        return []

    @property
    def table(self) -> ChartTable:
        """Its months."""
        indicator = self.series.cell[0]
        rows = ((month_words(it.day), figure_text(indicator, it)) for it in self._months)
        return ChartTable(
            (ChartColumn("Month"), ChartColumn("Figure", is_number=True)), tuple(rows)
        )

    def _said(self, month: SeriesMonth) -> str:
        figure = figure_text(self.series.cell[0], month)
        return f"{figure} in {month_words(month.day)}"

    @property
    def _months(self) -> Sequence[SeriesMonth]:
        return self.series.known[-MONTHS:]


class Trend(NamedTuple):
    """A series as small as a word, and what the variation of its last month says; empty if none."""

    drawn: Markup
    variation: str


def trend(series: Series) -> Trend:
    """The last months of a series, drawn."""
    latest, code = series.latest, series.cell[0].code
    variation = latest.judged.variation if latest else None
    said = VARIATION_WORDS[variation].partition(",")[0] if variation is not None else ""
    return Trend(svg(Sparkline(f"trend {code}", series)), said)
