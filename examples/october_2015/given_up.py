"""Printed cells that cannot be had together with the others, each with its reason.

`contradiction` names the reason for any cell of the publication that the history does not
reproduce; `given_up` are those of them that the models leave out from the start, because with them
they have no solution.
"""

from .geography import ALL_AGES, AREAS, BANDS, TOP
from .printed import OCTOBER, SEPTEMBER, Printed, PrintedCell

Place = tuple[str, str, str, str]
"""Code, area, age band and date."""

SWAPPED = (
    "North and East are swapped in print: each one's share fits only the closures of the other, "
    "and the districts add up to the swapped values"
)
STANDARD = "EH05 and EH13 of the same date, which are kept, give this share within 20 weeks"
NO_CASES = "printed as zero, but there is no case to take it of"
ALSO_ABOVE = "the districts below it cannot all be had, and they add up to this"

DOVER = (
    "at 11-15 Dover printed 25 closures, 21 of them with outcomes achieved and 5 escalated: one "
    "too many; one of the 57 achieved is taken to be of a child of 0-4"
)

HARD_BANDS = {"West": ("0-4", "11-15", "16+")}
"""Bands of EH12 that were not found together with an area's other averages."""

NOT_BESIDE = (
    "whole numbers that give every average of the districts were not found to give this band "
    "of their area as well"
)
BANDS_BELOW = "the bands of the areas cannot all be had, and this one is made of them"

REASONS: dict[Place, str] = {
    ("EH02", TOP, ALL_AGES, SEPTEMBER): (
        "655 notifications over any population that October's printed rate of 23.6 allows "
        "give 18.9 or 19.0"
    ),
    ("EH10", "Tunbridge Wells", "16+", OCTOBER): (
        "seven cases are open and five of them late, and no two whole numbers of days average 17.3"
    ),
    ("EH11", "Sevenoaks", "16+", OCTOBER): (
        "EH07 prints no open case with a plan, so there is no plan to take an average of"
    ),
    ("EH11", "North", "16+", OCTOBER): (
        "with no plan in Sevenoaks (EH07) the averages of Dartford and Gravesham cannot give it"
    ),
    ("EH11", "West", "16+", OCTOBER): (
        "at most 4 plans averaging 34.5 and 2 averaging 38.5 stand against 3 or more averaging "
        "17.7, which gives 29.8 at most"
    ),
    ("EH11", "West", "0-4", OCTOBER): (
        "the plans that EH07 leaves to the districts and bands of West cannot give all its "
        "averages; this one is left out to keep the overall one"
    ),
    ("EH12", "Tunbridge Wells", "0-4", OCTOBER): (
        "169.1 days take seven cases or more, but at most two closed in October, and a case "
        "received since May and closed by September lasted 152 days at most"
    ),
    ("EH12", "Sevenoaks", "16+", OCTOBER): (
        "86.9 days take seven cases or more, and then no whole numbers that the solver finds give "
        "the other averages of Sevenoaks"
    ),
    **{("EH12", TOP, band, OCTOBER): BANDS_BELOW for band in BANDS},
    **{
        ("EH12", area, band, OCTOBER): NOT_BESIDE
        for area, bands in HARD_BANDS.items()
        for band in bands
    },
    **{
        ("EH16", area, band, OCTOBER): DOVER if area == "Dover" else f"{ALSO_ABOVE}: {DOVER}"
        for area in ("Dover", "South", TOP)
        for band in ("0-4", "11-15")
    },
}


def place_of(cell: PrintedCell) -> Place:
    """What identifies a printed cell."""
    return cell.code, cell.area, cell.band, cell.as_of


def given_up(printed: Printed) -> frozenset[PrintedCell]:
    """The cells that the models leave out."""
    return frozenset(c for c in printed.cells if place_of(c) in REASONS or _is_swapped(c))


def contradiction(cell: PrintedCell, streamed: str) -> str | None:
    """Why the history gives `streamed` for the cell, or None where nothing explains it."""
    known = REASONS.get(place_of(cell))
    if known:
        return known
    if _is_swapped(cell):
        return SWAPPED
    if cell.code == "EH14":
        return STANDARD
    if cell.is_nothing and not streamed:
        return NO_CASES
    return None


def _is_swapped(cell: PrintedCell) -> bool:
    return cell.code == "EH16" and cell.area in tuple(AREAS)[:2]
