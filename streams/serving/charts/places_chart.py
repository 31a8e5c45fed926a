"""The same figure at several places, side by side and on one scale, in the order they are given."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from processors.figures.series import Series, SeriesMonth
from snapshots.publish.text.wording import short_month
from streams.jobs.series_words import ALL, figure_text, month_words
from streams.serving.charts.control_chart import Level, unit_words
from streams.serving.charts.drawing import ChartColumn, ChartTable, Key
from streams.serving.charts.frame import Frame, Scale, Tick, vertical
from streams.serving.charts.marks import MARK_WORDS, Spot, mark_of, runs, spot
from streams.serving.charts.sparkline import MONTHS

FRAME = Frame(width=270, height=150, left=44, right=12, top=34, bottom=24)


@dataclass(frozen=True)
class PlaceDrawing:
    """One place's line, with the first and the last month below it."""

    frame: Frame
    heading: str
    figure: str
    ticks: tuple[Tick, ...]
    ends: tuple[str, ...]
    lines: tuple[str, ...]
    spots: tuple[Spot, ...]
    levels: tuple[Level, ...]
    words: str
    size: str = "panel"


@dataclass(frozen=True)
class PlacesChart:
    """An indicator's last 13 months at each of some places, none of them ranked."""

    name: str
    places: tuple[Series, ...]
    template: str = field(default="places_chart.svg", init=False)

    @property
    def title(self) -> str:
        """What it shows, with its unit."""
        if not self.places:
            return "No places"
        indicator = self.places[0].cell[0]
        return f"{indicator.title} by place: {unit_words(indicator)} by month, on one scale"

    @property
    def words(self) -> Sequence[str]:
        """The scale that all places share."""
        if not self._values:
            return ["No figures yet."]
        starts = "begins at zero" if not self._scale.least else "does not begin at zero"
        return [f"{len(self.places)} places on one scale, which {starts}. They are not ranked."]

    @property
    def drawings(self) -> Sequence[PlaceDrawing]:
        """One for each place."""
        return [self._drawn(it) for it in self.places]

    @property
    def keys(self) -> Sequence[Key]:
        """The marks that last months have, and the target where there is one."""
        marks = {mark_of(months[-1]) for it in self.places if (months := _months(it))}
        found = [Key(mark, words) for mark, words in MARK_WORDS.items() if mark in marks]
        is_aimed = any(
            months[-1].target is not None for it in self.places if (months := _months(it))
        )
        return [*found, *([Key("target", "target of the place")] if is_aimed else [])]

    @property
    def table(self) -> ChartTable:
        """A row for each place, its months oldest first."""
        days = sorted({month.day for it in self.places for month in _months(it)})
        columns = [
            ChartColumn("Place"),
            *(ChartColumn(short_month(f"{it:%Y-%m}"), is_number=True) for it in days),
        ]
        rows = []
        for it in self.places:
            by_day = {month.day: month for month in _months(it)}
            indicator, place, _ = it.cell
            figures = (figure_text(indicator, by_day[day]) if day in by_day else "" for day in days)
            rows.append((place.name, *figures))
        return ChartTable(tuple(columns), tuple(rows))

    @property
    def _values(self) -> list[float]:
        values = [
            part
            for it in self.places
            for month in _months(it)
            for part in (month.judged.observed.value, month.target)
        ]
        return [float(it) for it in values if it is not None]

    @property
    def _scale(self) -> Scale:
        is_share = bool(self.places) and self.places[0].cell[0].unit == "percent"
        return vertical(self._values, FRAME, float(ALL) if is_share else None)

    def _drawn(self, series: Series) -> PlaceDrawing:
        indicator, place, _ = series.cell
        months, up = _months(series), self._scale
        across = Scale(0, max(1, len(months) - 1), FRAME.left + 6, FRAME.inner_right - 6)
        spots = [spot(indicator, it, across(i), up) for i, it in enumerate(months)]
        levels: tuple[Level, ...] = ()
        figure = words = "no figures yet"
        if months:
            last = months[-1]
            figure = figure_text(indicator, last)
            words = f"{month_words(last.day)}: {figure}, {MARK_WORDS[mark_of(last)]}."
            levels = tuple(_aimed(last, up))
        suffix = "%" if indicator.unit == "percent" else ""
        return PlaceDrawing(
            FRAME,
            heading=place.name,
            figure=figure,
            ticks=tuple(up.ticks(3, suffix, indicator.unit == "count")),
            ends=tuple(_short(it.day) for it in (*months[:1], *months[-1:])),
            lines=runs(spots),
            spots=tuple(it for it in spots if it is not None)[-1:],
            levels=levels,
            words=words,
        )


def _aimed(month: SeriesMonth, up: Scale) -> Iterator[Level]:
    if month.target is not None:
        yield Level("target", up(float(month.target)), FRAME.left, FRAME.inner_right)


def _short(day: date) -> str:
    return short_month(f"{day:%Y-%m}")


def _months(series: Series) -> Sequence[SeriesMonth]:
    return series.known[-MONTHS:]
