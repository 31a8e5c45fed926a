"""The chart of a series: its last 24 months with their limits, target and special causes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from processors.figures.series import Series, SeriesMonth
from processors.figures.variation import ControlLimits
from schemas.catalogue import Indicator
from snapshots.publish.text.wording import MONTHS, UNIT_WORDS
from streams.jobs.series_words import (
    ALL,
    exact_text,
    figure_text,
    mean_text,
    month_words,
    possible,
    series_words,
)
from streams.serving.charts.drawing import ChartColumn, ChartTable, Key
from streams.serving.charts.frame import Frame, Scale, Tick, apart, vertical
from streams.serving.charts.marks import MARK_WORDS, Spot, mark_of, runs, spot

SHOWN_MONTHS = 24
WIDE = Frame(width=760, height=330, left=58, right=128, top=26, bottom=44)
NARROW = Frame(width=310, height=270, left=44, right=8, top=22, bottom=42)
# How far lines reach beyond their months, in months, and months from the sides of the frame.
REACH, SIDE = 0.4, 8
SPECIAL = frozenset({"improvement", "concern", "neither"})
# The room that a line's label takes; that a word keeps from its mark, and from either side.
LABEL_HEIGHT = 16
WORD_ABOVE, WORD_BELOW, WORD_SIDE = 13, 21, 42
TABLE_COLUMNS = (
    ChartColumn("Month"),
    ChartColumn("Figure", is_number=True),
    ChartColumn("Numerator", is_number=True),
    ChartColumn("Denominator", is_number=True),
    ChartColumn("Target", is_number=True),
    ChartColumn("Variation"),
)


@dataclass(frozen=True)
class Level:
    """A line at one value, from one place to another: the mean, a limit or a target."""

    kind: str
    y: float
    start: float
    end: float


@dataclass(frozen=True)
class LineLabel:
    """What a level stands for, written beside its end."""

    kind: str
    y: float
    words: str


@dataclass(frozen=True)
class MarkWord:
    """The word of special causes side by side, beside their middle."""

    x: float
    y: float
    mark: str


@dataclass(frozen=True)
class ControlDrawing:
    """The geometry of a control chart at one width."""

    frame: Frame
    size: str
    ticks: tuple[Tick, ...]
    months: tuple[Tick, ...]
    years: tuple[Tick, ...]
    lines: tuple[str, ...]
    levels: tuple[Level, ...]
    labels: tuple[LineLabel, ...]
    spots: tuple[Spot, ...]
    words: tuple[MarkWord, ...]
    breaks: tuple[float, ...]


@dataclass(frozen=True)
class ControlChart:
    """A series with what its variation says; the limits are those of all its months."""

    name: str
    series: Series
    template: str = field(default="control_chart.svg", init=False)

    @property
    def title(self) -> str:
        """What it shows, with its unit."""
        indicator, place, _ = self.series.cell
        return f"{indicator.title}, {place.name}: {unit_words(indicator)} by month"

    @property
    def words(self) -> Sequence[str]:
        """What its variation, its limits and its target say, and where its scale begins."""
        said = series_words(self.series)
        months = self._months
        if not months:
            return ["No figures yet."]
        span = f"{month_words(months[0].day)} to {month_words(months[-1].day)}."
        starts = self._scale(WIDE).least
        scale = ["The scale does not begin at zero."] if starts else []
        return [span, *said, *scale]

    @property
    def drawings(self) -> Sequence[ControlDrawing]:
        """One for wide places and one for narrow ones."""
        return [self._drawn("wide", WIDE), self._drawn("narrow", NARROW)]

    @property
    def keys(self) -> Sequence[Key]:
        """The marks and lines that it has."""
        kinds = {mark_of(it) for it in self._months if it.judged.observed.value is not None}
        marks = [Key(mark, words) for mark, words in MARK_WORDS.items() if mark in kinds]
        lines = []
        if self.series.limits:
            lines = [Key("mean", "mean"), Key("limit", "limits of the usual range")]
        if any(it.target is not None for it in self._months):
            lines.append(Key("target", "target"))
        return [*marks, *lines]

    @property
    def table(self) -> ChartTable:
        """Its months, oldest first."""
        return ChartTable(TABLE_COLUMNS, tuple(map(self._row, self._months)))

    @property
    def _months(self) -> Sequence[SeriesMonth]:
        return self.series.known[-SHOWN_MONTHS:]

    def _row(self, month: SeriesMonth) -> tuple[str, ...]:
        indicator, judged = self.series.cell[0], month.judged
        variation = MARK_WORDS[mark_of(month)] if judged.observed.value is not None else ""
        causes = f" ({'; '.join(judged.causes)})" if judged.causes else ""
        parts = (month.figure.numerator, month.figure.denominator)
        above, below = ("" if it is None else f"{float(it):,.10g}" for it in parts)
        return (
            month_words(month.day),
            figure_text(indicator, month),
            above,
            "" if indicator.denominator is None else below,
            "" if month.target is None else exact_text(indicator, month.target),
            f"{variation}{causes}",
        )

    def _scale(self, frame: Frame) -> Scale:
        indicator = self.series.cell[0]
        values = [it.judged.observed.value for it in self._months]
        values += [it.target for it in self._months]
        for limits in {it.judged.limits for it in self._months} - {None}:
            assert limits is not None
            values += possible(indicator, limits)
        most = float(ALL) if indicator.unit == "percent" else None
        return vertical((float(it) for it in values if it is not None), frame, most)

    def _drawn(self, size: str, frame: Frame) -> ControlDrawing:
        indicator, months = self.series.cell[0], self._months
        up = self._scale(frame)
        across = Scale(0, max(1, len(months) - 1), frame.left + SIDE, frame.inner_right - SIDE)
        spots = [spot(indicator, it, across(i), up) for i, it in enumerate(months)]
        levels = tuple(_levels(indicator, months, across, up))
        is_wide = size == "wide"
        suffix = "%" if indicator.unit == "percent" else ""
        is_whole = indicator.unit == "count"
        return ControlDrawing(
            frame=frame,
            size=size,
            ticks=tuple(up.ticks(5, suffix, is_whole)),
            months=tuple(_month_ticks(months, across, 3 if is_wide else 6)),
            years=tuple(_year_ticks(months, across, 3 if is_wide else 6)),
            lines=runs(spots),
            levels=levels,
            labels=tuple(_labels(indicator, months[-1], up, frame)) if is_wide and months else (),
            spots=tuple(it for it in spots if it is not None),
            words=tuple(_words(spots, months, frame)),
            breaks=tuple(
                across(i - 0.5) for i, it in enumerate(months) if it.judged.observed.breaks and i
            ),
        )


def unit_words(indicator: Indicator) -> str:
    """The unit of a figure, in the middle of a sentence."""
    return UNIT_WORDS[indicator.unit].lower()


def _levels(
    indicator: Indicator, months: Sequence[SeriesMonth], across: Scale, up: Scale
) -> Iterator[Level]:
    """The mean and limits of each stretch, and the target as long as it is the same."""
    indices = range(len(months))
    for limits, group in groupby(indices, key=lambda i: months[i].judged.limits):
        start, end = _span(list(group), across)
        if limits is not None:
            yield Level("mean", up(float(limits.mean)), start, end)
            for limit in _drawn_limits(indicator, limits):
                yield Level("limit", up(limit), start, end)
    for target, group in groupby(indices, key=lambda i: months[i].target):
        start, end = _span(list(group), across)
        if target is not None:
            yield Level("target", up(float(target)), start, end)


def _drawn_limits(indicator: Indicator, limits: ControlLimits) -> list[float]:
    """The limits that a month can be beyond: where only what can't be is beyond one, none."""
    shown = zip(possible(indicator, limits), (limits.lower, limits.upper), strict=True)
    return [float(it) for it, limit in shown if it == limit]


def _span(indices: Sequence[int], across: Scale) -> tuple[float, float]:
    start, end = across(indices[0] - REACH), across(indices[-1] + REACH)
    return max(start, across.start - SIDE), min(end, across.end + SIDE)


def _labels(
    indicator: Indicator, last: SeriesMonth, up: Scale, frame: Frame
) -> Iterator[LineLabel]:
    """What the levels at the right end are, none over another."""
    found: list[tuple[float, str, str]] = []
    limits = last.judged.limits
    if limits is not None:
        found.append((up(float(limits.mean)), "mean", f"Mean {mean_text(indicator, limits.mean)}"))
        shown = possible(indicator, limits)
        for name, limit, exact in zip(
            ("Lower", "Upper"), shown, (limits.lower, limits.upper), strict=True
        ):
            if limit == exact:
                text = f"{name} limit {mean_text(indicator, limit)}"
                found.append((up(float(limit)), "limit", text))
    if last.target is not None:
        text = f"Target {exact_text(indicator, last.target)}"
        found.append((up(float(last.target)), "target", text))
    found.sort()
    places = apart([y for y, _, _ in found], LABEL_HEIGHT, frame.inner_bottom)
    for y, (_, kind, words) in zip(places, found, strict=True):
        yield LineLabel(kind, y + 4, words)


def _words(
    spots: Sequence[Spot | None], months: Sequence[SeriesMonth], frame: Frame
) -> Iterator[MarkWord]:
    """A word for special causes side by side that are of one kind, beside the farthest of them."""
    pairs = zip(spots, months, strict=True)
    for (mark, side), group in groupby(
        pairs, key=lambda it: (it[0].mark if it[0] else "", it[1].judged.side)
    ):
        there = [it for it, _ in group if it is not None]
        if mark in SPECIAL:
            far = min(there, key=lambda it: side * it.y)
            y = far.y - WORD_ABOVE if side > 0 else far.y + WORD_BELOW
            x = min(max(far.x, frame.left + WORD_SIDE), frame.inner_right - WORD_SIDE)
            yield MarkWord(x, min(max(y, WORD_ABOVE), frame.inner_bottom - 4), mark)


def _month_ticks(months: Sequence[SeriesMonth], across: Scale, every: int) -> Iterator[Tick]:
    for index, month in enumerate(months):
        if (len(months) - 1 - index) % every == 0:
            yield Tick(across(index), MONTHS[month.day.month - 1][:3])


def _year_ticks(months: Sequence[SeriesMonth], across: Scale, every: int) -> Iterator[Tick]:
    """The year below the first month of it that has a label."""
    last = 0
    for index, month in enumerate(months):
        if (len(months) - 1 - index) % every == 0 and month.day.year != last:
            last = month.day.year
            yield Tick(across(index), f"{last}")
