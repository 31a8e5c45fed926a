"""Part E: figures that others supply, as given."""

from datetime import date
from fractions import Fraction
from typing import NamedTuple

from tests.reference.figures import Areas
from tests.reference.identity import in_order
from tests.reference.messages import Event
from tests.reference.places import Cell, Places, kind_of
from tests.reference.topics import REFERENCE, of_topic


class Supplied(NamedTuple):
    """What a measure says: a value, or numerator and denominator, or neither with a status."""

    status: str
    value: Fraction | None
    numerator: Fraction | None
    denominator: Fraction | None


def supplied(facts: list[Event], as_of: date, areas: Areas, places: Places) -> dict[Cell, Supplied]:
    """The latest measure for each code, place and band whose period holds the as-of date.

    A period is the date's month, or its year from April where no month is supplied; a school
    term's dates are not part of the definitions, so that none is looked at.
    """
    found: dict[Cell, Supplied] = {}
    periods = [str(as_of.year - (as_of.month < 4)), f"{as_of:%Y-%m}"]
    measures = [
        e
        for e in of_topic(facts, REFERENCE)
        if e["type"] == "measure.supplied" and e["data"]["period"] in periods
    ]
    for event in sorted(measures, key=lambda e: (periods.index(e["data"]["period"]), in_order(e))):
        data = event["data"]
        kind = kind_of(data["area"], areas, places)
        if kind is not None:
            is_given = data["status"] == "supplied"
            found[data["code"], kind, data["area"], data["age_band"]] = Supplied(
                data["status"],
                *(
                    Fraction(str(data[name])) if is_given and name in data else None
                    for name in ("value", "numerator", "denominator")
                ),
            )
    return found
