"""Part C: across systems, person by person."""

from datetime import date

from tests.reference.dates import back
from tests.reference.figures import Areas
from tests.reference.messages import Event
from tests.reference.people import Person, is_open, population
from tests.reference.places import Tally, areas_of
from tests.reference.units import every_area


def add_systems(
    tally: Tally, facts: list[Event], everyone: list[Person], as_of: date, areas: Areas
) -> None:
    """SCS01 to SCS06."""
    month = as_of.replace(day=1)
    for person in everyone:
        spots = areas_of(person.district, areas)
        for of_one in person.scs_cases.values():
            if is_open(of_one):
                if person.is_aged(0, 17):
                    tally.add("SCS01", spots, 1, 1)
                opening = [e for e in of_one if e["type"] == "scs.opened"][-1]
                is_step_up = opening["data"]["origin"] == "early-help-step-up"
                tally.add("SCS06", spots, is_step_up, 1)
            for event in of_one:
                if event["type"] == "scs.closed" and event["day"] >= month:
                    tally.add("SCS04", spots, 1, 1)
                    tally.add("SCS05", spots, event["data"]["reason"] == "step-down", 1)
        for nth, event in enumerate(person.openings):
            if event["day"] > back(as_of, 12):
                previous = person.openings[nth - 1]["day"] if nth else None
                is_again = previous is not None and previous > back(event["day"], 12)
                tally.add("SCS02", spots, 1, 0)
                tally.add("SCS03", spots, is_again, 1)
    for spot in every_area(areas):
        tally.add("SCS02", [spot], 0, population(facts, as_of, spot[1], "0-18"))
