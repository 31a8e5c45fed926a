"""Where a figure is shown: the kinds of place, and the cells that one count belongs to."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import NamedTuple, TypedDict

from tests.reference.figures import Areas


class Place(TypedDict):
    """A centre, a hub or another place of activity; its name is its key."""

    kind: str
    district: str | None
    provider: str | None


Places = Mapping[str, Place]
# (place kind, name)
Spot = tuple[str, str]
# (code, place kind, place, band)
Cell = tuple[str, str, str, str]


class Ratio(NamedTuple):
    """A figure: its numerator over its denominator."""

    numerator: Fraction
    denominator: Fraction


def areas_of(district: str | None, areas: Areas) -> list[Spot]:
    """The county, the area and the district; the county alone if the district is unknown."""
    found: list[Spot] = []
    for county, subtree in areas.items():
        found.append(("county", county))
        for area, districts in subtree.items():
            if district is not None and district in districts:
                found += [("area", area), ("district", district)]
    return found


def with_provider(spots: Iterable[Spot], provider: str | None) -> list[Spot]:
    """The same places, and the provider as a whole and in each of them; none without a name."""
    found = list(spots)
    if provider:
        found.append(("provider", provider))
        for kind, name in list(found):
            if kind in ("area", "district"):
                found.append((f"provider-{kind}", f"{provider} / {name}"))
    return found


def kind_of_area(name: str, areas: Areas) -> str | None:
    """Which kind of area a name is of, if any."""
    for county, subtree in areas.items():
        if name == county:
            return "county"
        for area, districts in subtree.items():
            if name == area:
                return "area"
            if name in districts:
                return "district"
    return None


def kind_of(name: str, areas: Areas, places: Places) -> str | None:
    """Which kind of place a name is of: an area, a centre or hub, or a provider of one."""
    if name in places:
        return places[name]["kind"]
    if any(name == it["provider"] for it in places.values()):
        return "provider"
    return kind_of_area(name, areas)


class Tally:
    """Sums by cell."""

    def __init__(self) -> None:
        self.cells: dict[Cell, Ratio] = {}

    def add(
        self,
        code: str,
        spots: Iterable[Spot],
        numerator: int | Fraction,
        denominator: int | Fraction,
        bands: Iterable[str] = ("all",),
    ) -> None:
        """Add to a code's numerator and denominator at each place, in each band."""
        for kind, name in spots:
            for band in bands:
                cell = (code, kind, name, band)
                n, d = self.cells.get(cell, Ratio(Fraction(0), Fraction(0)))
                self.cells[cell] = Ratio(n + numerator, d + denominator)
