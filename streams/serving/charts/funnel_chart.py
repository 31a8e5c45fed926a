"""A funnel: places' proportions by the size of their denominators, in limits round the whole's."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

import numpy as np

from processors.figures.funnel import (
    FunnelLimits,
    FunnelVerdict,
    PlaceShare,
    funnel_limits,
    funnel_verdicts,
)
from schemas.catalogue import Indicator
from streams.jobs.series_words import ALL, exact_text
from streams.serving.charts.drawing import ChartColumn, ChartTable, Key
from streams.serving.charts.frame import Frame, Scale, Tick, from_zero, vertical

WIDE = Frame(width=760, height=360, left=58, right=20, top=20, bottom=52)
NARROW = Frame(width=310, height=280, left=44, right=10, top=14, bottom=52)
# Denominators at which the limits are drawn.
DRAWN_AT = 80
MARK_OF = {
    FunnelVerdict.FAR_ABOVE: "far-above",
    FunnelVerdict.ABOVE: "above",
    FunnelVerdict.WITHIN: "common",
    FunnelVerdict.BELOW: "below",
    FunnelVerdict.FAR_BELOW: "far-below",
}
LIMIT_KEYS = (
    Key("mean", "the whole"),
    Key("limit-95", "95% limits"),
    Key("limit-998", "99.8% limits"),
)


@dataclass(frozen=True)
class PlaceSpot:
    """A place: where it is drawn, its mark, and what it says; `label` where it is named."""

    x: float
    y: float
    mark: str
    words: str
    label: str
    anchor: str


@dataclass(frozen=True)
class FunnelDrawing:
    """The geometry of a funnel at one width."""

    frame: Frame
    size: str
    ticks: tuple[Tick, ...]
    sizes: tuple[Tick, ...]
    whole: float
    limits: tuple[tuple[str, str], ...]
    spots: tuple[PlaceSpot, ...]
    below: str


@dataclass(frozen=True)
class FunnelChart:
    """Places round the whole's proportion; `of` says what their denominators are."""

    name: str
    indicator: Indicator
    whole: PlaceShare
    places: tuple[PlaceShare, ...]
    of: str = "denominator"
    template: str = field(default="funnel_chart.svg", init=False)

    @property
    def title(self) -> str:
        """What it shows, with its unit."""
        return f"{self.indicator.title} by place: percentage, by how many it is of"

    @property
    def words(self) -> Sequence[str]:
        """The whole's figure, and which places differ from it."""
        rest = [
            f"{place.place}: {_percent(self.indicator, place)}, {verdict}."
            for place, verdict in zip(self.places, self._verdicts, strict=True)
            if verdict is not FunnelVerdict.WITHIN
        ]
        said = f"{self.whole.place} as a whole: {_percent(self.indicator, self.whole)}."
        others = "No place is beyond the limits: they differ no more than by chance."
        return [said, *(rest or [others])]

    @property
    def drawings(self) -> Sequence[FunnelDrawing]:
        """One for wide places and one for narrow ones; none without a whole to compare with."""
        if not self.whole.denominator or not self._judged:
            return []
        return [self._drawn("wide", WIDE), self._drawn("narrow", NARROW)]

    @property
    def keys(self) -> Sequence[Key]:
        """The limits, and the marks that places have."""
        found = {verdict for _, verdict in self._judged}
        marks = (Key(MARK_OF[it], str(it)) for it in FunnelVerdict if it in found)
        return [*marks, *LIMIT_KEYS]

    @property
    def table(self) -> ChartTable:
        """Every place, in the order given."""
        heads = ("Percentage", "Numerator", "Denominator")
        columns = (
            ChartColumn("Place"),
            *(ChartColumn(it, is_number=True) for it in heads),
            ChartColumn("Compared"),
        )
        rows = (
            (
                place.place,
                _percent(self.indicator, place),
                f"{place.numerator:,}",
                f"{place.denominator:,}",
                str(verdict),
            )
            for place, verdict in zip(self.places, self._verdicts, strict=True)
        )
        return ChartTable(columns, tuple(rows))

    @property
    def _share(self) -> Fraction:
        return Fraction(self.whole.numerator, self.whole.denominator or 1)

    @cached_property
    def _verdicts(self) -> list[FunnelVerdict]:
        return funnel_verdicts(self._share, self.places)

    @property
    def _judged(self) -> list[tuple[PlaceShare, FunnelVerdict]]:
        pairs = zip(self.places, self._verdicts, strict=True)
        return [it for it in pairs if it[1] is not FunnelVerdict.NOT_JUDGED]

    def _drawn(self, size: str, frame: Frame) -> FunnelDrawing:
        greatest = max(place.denominator for place, _ in self._judged)
        least = min(place.denominator for place, _ in self._judged)
        across = from_zero([greatest * 1.05], frame.left, frame.inner_right)
        sizes = np.unique(np.linspace(1, across.greatest, DRAWN_AT).round().astype(int)).tolist()
        limits = funnel_limits(self._share, sizes)
        seen = [it for it in limits if it.denominator >= least]
        values = [_rate(place.numerator, place.denominator) for place, _ in self._judged]
        values += [_rate(it.upper_998, it.denominator) for it in seen]
        values += [_rate(it.lower_998, it.denominator) for it in seen]
        up = vertical(values, frame, float(ALL))
        spots = tuple(self._spot(place, verdict, across, up) for place, verdict in self._judged)
        return FunnelDrawing(
            frame=frame,
            size=size,
            ticks=tuple(up.ticks(5, "%")),
            sizes=tuple(across.ticks(6 if size == "wide" else 3, whole=True)),
            whole=up(float(100 * self._share)),
            limits=tuple(_lines(limits, across, up, frame)),
            spots=spots,
            below=f"How many it is of ({self.of})",
        )

    def _spot(
        self, place: PlaceShare, verdict: FunnelVerdict, across: Scale, up: Scale
    ) -> PlaceSpot:
        x = across(place.denominator)
        is_right = x > (across.start + across.end) / 2
        return PlaceSpot(
            x=x,
            y=up(_rate(place.numerator, place.denominator)),
            mark=MARK_OF[verdict],
            words=f"{place.place}: {_percent(self.indicator, place)}, {verdict}",
            label="" if verdict is FunnelVerdict.WITHIN else place.place,
            anchor="end" if is_right else "start",
        )


def _lines(
    limits: Sequence[FunnelLimits], across: Scale, up: Scale, frame: Frame
) -> list[tuple[str, str]]:
    """The four limits as coordinates, as far as they are within the frame."""
    found = []
    for kind, which in (
        ("limit-998", "lower_998"),
        ("limit-95", "lower_95"),
        ("limit-95", "upper_95"),
        ("limit-998", "upper_998"),
    ):
        points = [
            (across(it.denominator), up(_rate(getattr(it, which), it.denominator))) for it in limits
        ]
        inside = [(x, y) for x, y in points if frame.top <= y <= frame.inner_bottom]
        found.append((kind, " ".join(f"{x},{y}" for x, y in inside)))
    return found


def _rate(above: int, below: int) -> float:
    return 100 * above / below


def _percent(indicator: Indicator, place: PlaceShare) -> str:
    share = Fraction(100 * place.numerator, place.denominator) if place.denominator else None
    return exact_text(indicator, share)
