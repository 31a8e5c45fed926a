"""Every figure of parts A to E on one date, by looking at the facts up to it and counting."""

from collections.abc import Iterable
from datetime import date

from tests.reference.activity import add_activity
from tests.reference.casework import casework
from tests.reference.figures import KENT, Areas
from tests.reference.identity import known
from tests.reference.messages import Event
from tests.reference.people import people
from tests.reference.places import Cell, Places, Ratio, Tally
from tests.reference.services import add_services
from tests.reference.supplied import Supplied, supplied
from tests.reference.systems import add_systems
from tests.reference.units import add_units

Figures = dict[Cell, Ratio | Supplied]


def figures(events: Iterable[Event], places: Places, as_of: date, areas: Areas = KENT) -> Figures:
    """By (code, place kind, place, band): numerator over denominator, or what was supplied.

    Zero over zero is left out. The events are parsed ones in any order, duplicates, corrections
    and retractions included.
    """
    facts = [event for event in known(events) if event["day"] <= as_of]
    cases = casework(facts, as_of)
    everyone = people(facts, as_of)
    tally = Tally()
    add_units(tally, facts, cases, as_of, areas)
    add_services(tally, facts, cases, as_of, areas)
    add_systems(tally, facts, everyone, as_of, areas)
    add_activity(tally, facts, everyone, places, as_of, areas)
    found: Figures = {cell: ratio for cell, ratio in tally.cells.items() if any(ratio)}
    for cell, given in supplied(facts, as_of, areas, places).items():
        found.setdefault(cell, given)
    return found
