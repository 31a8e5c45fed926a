"""The forecast: how many open cases breach each standard on a day if nothing happens meanwhile.

Nothing is estimated. A breach to come is in the ledger already, on the day on which it will be one
unless an event takes it off, so this is the stock of a day to come (docs/architecture.md).
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import NamedTuple

from processors.ledger.tables import Stock
from processors.places.sums import WatchedPlaces
from processors.rules import Rules


class Forecast(NamedTuple):
    """Cases of a place that breach a standard now, and on later dates."""

    standard: str
    title: str
    area: str
    provider: str | None
    now: int
    later: dict[date, int]


def forecast(rules: Rules, now: Stock, later: Sequence[tuple[date, Stock]]) -> list[Forecast]:
    """A row for each standard and place, from the stocks of today and of the dates to come."""
    places = WatchedPlaces(rules, now, *(stock for _, stock in later))
    first = rules.first_of_standards
    today = places.sums(now)[first:]
    to_come = [(day, places.sums(stock)[first:]) for day, stock in later]
    return [
        Forecast(
            standard=standard.code,
            title=standard.title,
            area=place.area,
            provider=place.provider,
            now=int(today[row, column]),
            later={day: int(sums[row, column]) for day, sums in to_come},
        )
        for row, standard in enumerate(rules.standards.standard)
        for column, place in enumerate(places.all)
    ]


# Days ahead that are looked at unless dates are given.
DAYS_AHEAD = (7, 14, 28)


def chosen(
    rows: Iterable[Forecast],
    standards: Collection[str],
    areas: Collection[str],
    providers: Collection[str],
) -> list[Forecast]:
    """The rows of standards, and of areas as a whole or providers; all, where none is named."""
    return [
        row
        for row in rows
        if (not standards or row.standard in standards)
        and (
            (not areas and not providers)
            or (row.provider is None and row.area in areas)
            or row.provider in providers
        )
    ]
