"""Areas and age bands of the publication: Kent > four areas > twelve districts."""

from collections.abc import Iterator

AREAS: dict[str, tuple[str, ...]] = {
    "North": ("Dartford", "Gravesham", "Sevenoaks"),
    "East": ("Canterbury", "Swale", "Thanet"),
    "South": ("Ashford", "Dover", "Shepway"),
    "West": ("Maidstone", "Tonbridge and Malling", "Tunbridge Wells"),
}
TOP = "Kent"
NOWHERE = ""
"""The district of a child without one: counted in Kent only."""

DISTRICTS: tuple[str, ...] = tuple(d for members in AREAS.values() for d in members)
PLACES: tuple[str, ...] = (*DISTRICTS, NOWHERE)

ALL_AGES = "all"
BANDS: tuple[str, ...] = ("0-4", "5-10", "11-15", "16+")
UNKNOWN = "unknown"
AGES: tuple[str, ...] = (*BANDS, UNKNOWN)

Cell = tuple[str, str]
"""A place (district or NOWHERE) and an age (band or UNKNOWN): the finest count modelled."""

CELLS: tuple[Cell, ...] = tuple((place, age) for place in PLACES for age in AGES)


def places_of(area: str) -> tuple[str, ...]:
    """Places counted in `area`, which is a district, an area or Kent."""
    if area == TOP:
        return PLACES
    return AREAS.get(area, (area,))


def cells_of(area: str, band: str) -> Iterator[Cell]:
    """Cells counted under `area` and `band`; `all` takes in the unknown ages."""
    ages = AGES if band == ALL_AGES else (band,)
    return ((place, age) for place in places_of(area) for age in ages)


def printed_areas() -> tuple[str, ...]:
    """The seventeen areas of the publication, top first."""
    return (TOP, *AREAS, *DISTRICTS)
