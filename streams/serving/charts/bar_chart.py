"""Bars: the distribution behind an average, and a figure by age band."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from processors.figures.evaluate import Figure, exact_value
from processors.figures.spread import Spread, WaitBar
from schemas.catalogue import Indicator
from snapshots.publish.text.wording import UNIT_WORDS, band_title
from streams.jobs.series_words import exact_text, mean_text
from streams.serving.charts.control_chart import unit_words
from streams.serving.charts.drawing import ChartColumn, ChartTable, Key
from streams.serving.charts.frame import Frame, Scale, Tick, from_zero

SPREAD_FRAME = Frame(width=330, height=230, left=40, right=12, top=40, bottom=46)
BAND_WIDTH, BAND_LEFT, BAND_RIGHT, BAND_ROW = 330, 108, 62, 30
# Where a line's label is written above the bars, one line over the other.
LABELS_AT, LABEL_HEIGHT = 12, 14


@dataclass(frozen=True)
class DrawnBar:
    """A bar from its corner, and what it says."""

    x: float
    y: float
    width: float
    height: float
    text: str
    words: str
    kind: str = "bar"


@dataclass(frozen=True)
class Pointer:
    """A line at a value with its label above the bars: the median or the mean."""

    kind: str
    x: float
    label_y: float
    label_x: float
    anchor: str
    words: str


@dataclass(frozen=True)
class SpreadDrawing:
    """The geometry of a distribution."""

    frame: Frame
    bars: tuple[DrawnBar, ...]
    ticks: tuple[Tick, ...]
    starts: tuple[Tick, ...]
    pointers: tuple[Pointer, ...]
    below: str
    size: str = "single"


@dataclass(frozen=True)
class SpreadChart:
    """How many of what an average is of lie where, with their median and mean."""

    name: str
    indicator: Indicator
    place: str
    spread: Spread
    template: str = field(default="spread_chart.svg", init=False)

    @property
    def title(self) -> str:
        """What it shows, with its unit."""
        return f"{self.indicator.title}, {self.place}: how many by {unit_words(self.indicator)}"

    @property
    def words(self) -> Sequence[str]:
        """The median, the middle half, the mean and the greatest."""
        spread, of = self.spread, self.indicator
        median, low, high, mean, greatest = (
            mean_text(of, it)
            for it in (
                spread.median,
                spread.at(Fraction(1, 4)),
                spread.at(Fraction(3, 4)),
                spread.mean,
                spread.values[-1],
            )
        )
        return [
            f"Of {len(spread.values):,}, half are at or below {median}, the median.",
            f"The middle half is from {low} to {high}.",
            f"The average is {mean}, the greatest {greatest}.",
        ]

    @property
    def drawings(self) -> Sequence[SpreadDrawing]:
        """One, for every width."""
        bars, frame = self.spread.bars(), SPREAD_FRAME
        width = bars[0].end - bars[0].start if bars[0].end is not None else 1
        across = Scale(bars[0].start, bars[-1].start + width, frame.left, frame.inner_right)
        up = from_zero((float(it.values) for it in bars), frame.inner_bottom, frame.top)
        every = 1 + len(bars) // 8
        return [
            SpreadDrawing(
                frame=frame,
                bars=tuple(_upright(it, width, across, up) for it in bars),
                ticks=tuple(up.ticks(4, whole=True)),
                starts=tuple(
                    Tick(across(it.start), f"{it.start}" + ("" if it.end is not None else "+"))
                    for it in bars[(len(bars) - 1) % every :: every]
                ),
                pointers=tuple(self._pointers(across)),
                below=UNIT_WORDS[self.indicator.unit],
            )
        ]

    @property
    def keys(self) -> Sequence[Key]:
        """None: its lines are labelled."""
        return []

    @property
    def table(self) -> ChartTable:
        """Its bars."""
        columns = (
            ChartColumn(unit_words(self.indicator).capitalize()),
            ChartColumn("How many", is_number=True),
        )
        return ChartTable(
            columns, tuple((_reach(it), f"{it.values:,}") for it in self.spread.bars())
        )

    def _pointers(self, across: Scale) -> list[Pointer]:
        found = []
        for index, (kind, value) in enumerate(
            (("median", self.spread.median), ("mean", self.spread.mean))
        ):
            x = across(min(float(value), across.greatest))
            is_right = x > (across.start + across.end) / 2
            found.append(
                Pointer(
                    kind=kind,
                    x=x,
                    label_y=LABELS_AT + index * LABEL_HEIGHT,
                    label_x=x - 5 if is_right else x + 5,
                    anchor="end" if is_right else "start",
                    words=f"{kind.capitalize()} {mean_text(self.indicator, value)}",
                )
            )
        return found


@dataclass(frozen=True)
class BandDrawing:
    """The geometry of a figure by age band."""

    frame: Frame
    bars: tuple[DrawnBar, ...]
    labels: tuple[Tick, ...]
    size: str = "single"


@dataclass(frozen=True)
class BandChart:
    """A figure in each of some age bands, in their order."""

    name: str
    indicator: Indicator
    place: str
    figures: tuple[tuple[str, Figure], ...]
    template: str = field(default="band_chart.svg", init=False)

    @property
    def title(self) -> str:
        """What it shows, with its unit."""
        return f"{self.indicator.title}, {self.place}: {unit_words(self.indicator)} by age band"

    @property
    def words(self) -> Sequence[str]:
        """Every band's figure."""
        parts = (f"{band_title(band)} {text}" for band, _, text in self._bands)
        return [f"{'; '.join(parts)}."]

    @property
    def drawings(self) -> Sequence[BandDrawing]:
        """One, for every width."""
        values = [value for _, value, _ in self._bands if value is not None]
        across = Scale(0.0, max(values, default=0.0) or 1.0, BAND_LEFT, BAND_WIDTH - BAND_RIGHT)
        bars, labels = [], []
        for index, (band, value, text) in enumerate(self._bands):
            top, title = index * BAND_ROW + 4, band_title(band)
            width = 0.0 if value is None else across(max(0.0, value)) - BAND_LEFT
            bars.append(
                DrawnBar(BAND_LEFT, top, round(width, 1), BAND_ROW - 8, text, f"{title}: {text}")
            )
            labels.append(Tick(index * BAND_ROW + BAND_ROW / 2 + 4, title))
        frame = Frame(BAND_WIDTH, len(bars) * BAND_ROW, BAND_LEFT, BAND_RIGHT, 0, 0)
        return [BandDrawing(frame, tuple(bars), tuple(labels))]

    @property
    def keys(self) -> Sequence[Key]:
        """None: every bar says what it is."""
        return []

    @property
    def table(self) -> ChartTable:
        """A row for each band."""
        columns = (ChartColumn("Age band"), ChartColumn("Figure", is_number=True))
        return ChartTable(columns, tuple((band_title(band), text) for band, _, text in self._bands))

    @property
    def _bands(self) -> list[tuple[str, float | None, str]]:
        found = []
        for band, figure in self.figures:
            value = exact_value(figure.value)
            shown = None if value is None else float(value)
            found.append((band, shown, exact_text(self.indicator, value)))
        return found


def _upright(bar: WaitBar, width: int, across: Scale, up: Scale) -> DrawnBar:
    left, right, top = across(bar.start), across(bar.start + width), up(bar.values)
    return DrawnBar(
        x=round(left + 1, 1),
        y=top,
        width=round(right - left - 2, 1),
        height=round(up.start - top, 1),
        text=f"{bar.values}",
        words=f"{_reach(bar)}: {bar.values:,}",
        kind="bar" if bar.end is not None else "bar open",
    )


def _reach(bar: WaitBar) -> str:
    if bar.end is None:
        return f"{bar.start:,} or more"
    if bar.end == bar.start + 1:
        return f"{bar.start:,}"
    return f"{bar.start:,} and under {bar.end:,}"
