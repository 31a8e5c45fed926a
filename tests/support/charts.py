"""Charts of every kind for tests, from figures that look like a county's."""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction

from processors.figures.evaluate import Figure
from processors.figures.funnel import PlaceShare
from processors.figures.series import Dated, Reach, Series, months_until, series
from processors.figures.spread import spread
from processors.rules import Rules
from schemas.areas import load_areas
from schemas.catalogue import ALL_AGES, Indicator, load_catalogue
from schemas.places import Place, load_places
from schemas.scorecard import Status
from streams.serving.charts.bar_chart import BandChart, SpreadChart
from streams.serving.charts.control_chart import ControlChart
from streams.serving.charts.drawing import Chart
from streams.serving.charts.funnel_chart import FunnelChart
from streams.serving.charts.places_chart import PlacesChart
from streams.serving.charts.sparkline import Sparkline

RULES = Rules(load_catalogue(), load_areas(), places=load_places())
OCTOBER = date(2015, 10, 31)
KENT = Place("county", "Kent")
# A year of ups and downs, a fall, a rise, and a month that is not over.
PERCENTAGES = (
    72,
    73,
    71,
    75,
    73,
    74,
    73,
    70,
    76,
    69,
    72,
    73,
    72,
    76,
    72,
    73,
    73,
    73,
    73,
    74,
    57,
    62,
)


def indicator(code: str) -> Indicator:
    """An indicator of the shipped catalogue."""
    return next(it for it in RULES.catalogue.indicator if it.code == code)


def by_month(
    code: str,
    parts: Sequence[tuple[int, int]],
    target: Fraction | None = None,
    last: date = OCTOBER,
    place: Place = KENT,
    first: date = date(2000, 1, 1),
) -> Series:
    """A series of numerators and denominators up to a date, with data to the end of October."""
    shape = indicator(code)
    figures = []
    for day, (above, below) in zip(months_until(last, len(parts)), parts, strict=True):
        value = (above, 1) if shape.denominator is None else (shape.scale * above, below)
        status: Status = "reported" if value[1] else "no-cases"
        below = above if shape.denominator is None else below
        figures.append(Dated(day, Figure(above, below, value, status), target))
    reach = Reach(first, OCTOBER, date(2015, 11, 1))
    return series(RULES, (shape, place, ALL_AGES), figures, reach)


def all_charts(place: str = "Kent") -> list[Chart]:
    """A chart of each kind, of a place of any name."""
    here = Place("county", place)
    shares = by_month(
        "EH16", [(it, 100) for it in PERCENTAGES], Fraction(155, 2), date(2015, 11, 17), here
    )
    gaps = by_month("EH09", [(6, 0 if it in {3, 9} else 10 + it % 3) for it in range(20)])
    sizes = ((8, 7), (60, 21), (120, 102), (200, 132), (260, 195), (410, 254), (0, 0))
    places = tuple(
        PlaceShare(f"{place} {number}", above, below) for number, (below, above) in enumerate(sizes)
    )
    whole = PlaceShare(
        place, sum(it.numerator for it in places), sum(it.denominator for it in places)
    )
    waits = spread([(it * it % 300, 1) for it in range(200)])
    assert waits is not None
    bands = (("0-4", 412), ("5-10", 803), ("11-15", 0), ("unknown", 3))
    counts = tuple((band, Figure(it, it, (it, 1), "reported")) for band, it in bands)
    return [
        ControlChart("shares", shares),
        ControlChart("gaps", gaps),
        ControlChart("one", by_month("EH05", [(5, 5)])),
        Sparkline("spark", shares),
        PlacesChart("places", (shares, gaps)),
        FunnelChart("funnel", indicator("EH16"), whole, places, of="cases closed"),
        SpreadChart("waits", indicator("EH12"), place, waits),
        BandChart("bands", indicator("EH05"), place, counts),
    ]
