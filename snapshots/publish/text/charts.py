"""The geometry of charts: what a template needs to draw them, and what they say in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from snapshots.publish.text.view import Point
from snapshots.publish.text.wording import month_title

# User units of the drawings; the page scales them.
SPARK_WIDTH, SPARK_HEIGHT, SPARK_MARGIN = 104.0, 26.0, 4.0
LINE_WIDTH, LINE_HEIGHT = 320.0, 120.0
LINE_TOP, LINE_BOTTOM, LINE_SIDE = 24.0, 20.0, 22.0


@dataclass(frozen=True)
class Dot:
    """A point of a line: where it is drawn, and what it says."""

    x: float
    y: float
    text: str
    period: str


@dataclass(frozen=True)
class TrendLine:
    """A trend as runs of dots, broken where a month has no figure or a series breaks."""

    width: float
    height: float
    runs: tuple[tuple[Dot, ...], ...]
    words: str

    @property
    def paths(self) -> list[str]:
        """Each run of two dots or more as the coordinates of a polyline."""
        return [
            " ".join(f"{dot.x:.1f},{dot.y:.1f}" for dot in run) for run in self.runs if len(run) > 1
        ]

    @property
    def dots(self) -> list[Dot]:
        """Every dot, oldest first."""
        return [dot for run in self.runs for dot in run]


def sparkline(points: Sequence[Point]) -> TrendLine:
    """A trend as small as a word; its scale runs from the least to the greatest figure."""
    frame = (SPARK_MARGIN, SPARK_MARGIN, SPARK_MARGIN)
    return _line(points, SPARK_WIDTH, SPARK_HEIGHT, frame, from_zero=False)


def line_chart(points: Sequence[Point]) -> TrendLine:
    """A trend with room for labels; its scale begins at zero."""
    frame = (LINE_SIDE, LINE_TOP, LINE_BOTTOM)
    return _line(points, LINE_WIDTH, LINE_HEIGHT, frame, from_zero=True)


def share_of(value: float | None, greatest: float) -> float:
    """The length of a bar, from 0 to 100, where the longest stands for `greatest`."""
    return round(100 * value / greatest, 2) if value and greatest else 0.0


def trend_words(points: Sequence[Point]) -> str:
    """A trend as a sentence for those who do not see it."""
    if len(points) == 1:
        return f"One month so far, {month_title(points[0].period)}: {points[0].shown.text}."
    values = ", ".join(point.shown.text for point in points)
    first, last = month_title(points[0].period), month_title(points[-1].period)
    return f"Trend by month from {first} to {last}: {values}."


def _line(
    points: Sequence[Point],
    width: float,
    height: float,
    frame: tuple[float, float, float],
    *,
    from_zero: bool,
) -> TrendLine:
    side, top, bottom = frame
    values = [point.shown.value for point in points if point.shown.value is not None]
    greatest = max(values, default=0)
    least = 0 if from_zero else min(values, default=0)
    step = (width - 2 * side) / max(1, len(points) - 1)
    span = height - top - bottom
    runs: list[list[Dot]] = [[]]
    for index, point in enumerate(points):
        value = point.shown.value
        if value is None:
            runs.append([])
            continue
        if "b" in point.marks:
            runs.append([])
        up = (value - least) / (greatest - least) if greatest > least else 0.5
        dot = Dot(side + index * step, top + span * (1 - up), point.shown.text, point.period)
        runs[-1].append(dot)
    return TrendLine(width, height, tuple(tuple(run) for run in runs if run), trend_words(points))
