"""Figures that others supply (docs/events.md, Reference events), as they stand on a date."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any, NamedTuple

from processors.days.calendar import day_number
from processors.record.decoding import Event, in_order
from schemas.catalogue import ALL_AGES
from schemas.events.reference import SuppliedStatus

# The ages that the whole of a scorecard is of, by either name.
EVERYONE = frozenset({ALL_AGES, "0-18"})


# An indicator's code, a place's name and a band.
CellName = tuple[str, str, str]


class SuppliedFigure(NamedTuple):
    """A figure that was supplied: a numerator over a denominator, a value alone, or neither."""

    status: SuppliedStatus
    numerator: Fraction | None
    denominator: Fraction | None
    value: Fraction | None
    provenance: str


def periods_of(day: date) -> tuple[str, str]:
    """The periods that hold a day, the shorter first: its month, and its year from April."""
    return f"{day:%Y-%m}", f"{day.year - (day.month < 4)}"


class Supplies:
    """What was known by a date of populations, workforces, and figures that others work out.

    Of several that say the same thing the latest counts, in order of (time, source, id).
    """

    def __init__(self, events: Iterable[Event], as_of: date) -> None:
        self._populations: dict[tuple[str, str, str], tuple[int, int]] = {}
        self._workforces: dict[tuple[str, str, str], Fraction] = {}
        self._given: dict[str, dict[CellName, SuppliedFigure]] = {}
        today = day_number(as_of)
        for it in in_order(it for it in events if it.day <= today):
            if it.type == "population.published":
                self._take_population(it.data, as_of.year)
            elif it.type == "workforce.reported":
                self._take_workforce(it.data)
            elif it.type == "measure.supplied":
                self._take_measure(it.data)

    def _take_population(self, data: Mapping[str, Any], latest: int) -> None:
        """Take an estimate, unless there is one for a later year; none beyond the latest counts."""
        ages, year = data["age_band"], data["year"]
        key = data["area"], ALL_AGES if ages in EVERYONE else ages, data.get("group", "all")
        if year <= latest and year >= self._populations.get(key, (year, 0))[0]:
            self._populations[key] = year, data["count"]

    def _take_workforce(self, data: Mapping[str, Any]) -> None:
        key = data["provider"], data.get("area", ""), data.get("service", "")
        self._workforces[key] = exact(data["fte"])

    def _take_measure(self, data: Mapping[str, Any]) -> None:
        is_given = data["status"] == "supplied"
        above, below, value = (
            exact(data[name]) if is_given and name in data else None
            for name in ("numerator", "denominator", "value")
        )
        of_period = self._given.setdefault(data["period"], {})
        of_period[data["code"], data["area"], data["age_band"]] = SuppliedFigure(
            data["status"], above, below, value, data["provenance"]
        )

    def population(self, place: str, ages: str, group: str = "all") -> int:
        """The latest estimate for a year not after the date's; 0 if there is none."""
        ages = ALL_AGES if ages in EVERYONE else ages
        return self._populations.get((place, ages, group), (0, 0))[1]

    def workforce(self, provider: str, area: str, service: str) -> Fraction:
        """The full-time equivalents reported for a service there, else for all; 0 if for neither.

        `area` is empty for the provider as a whole.
        """
        of_service = self._workforces.get((provider, area, service))
        return (
            of_service
            if of_service is not None
            else self._workforces.get((provider, area, ""), Fraction(0))
        )

    def given(self, periods: Sequence[str]) -> Mapping[CellName, SuppliedFigure]:
        """What was supplied of each cell for the first of the periods that has something."""
        found: dict[CellName, SuppliedFigure] = {}
        for period in reversed(periods):
            found |= self._given.get(period, {})
        return found


def exact(number: float) -> Fraction:
    """The number as it was written: 80.1 is 801/10, not the nearest binary fraction."""
    return Fraction(repr(number))
