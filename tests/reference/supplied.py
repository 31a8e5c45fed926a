"""Part E: figures that others supply, as given."""

from datetime import date
from fractions import Fraction
from typing import NamedTuple

from tests.reference.figures import Areas
from tests.reference.identity import in_order
from tests.reference.messages import Event
from tests.reference.places import Cell, kind_of_area
from tests.reference.topics import REFERENCE, of_topic


class Supplied(NamedTuple):
    """What a measure says: a value, or numerator and denominator, or neither with a status."""

    status: str
    value: Fraction | None
    numerator: Fraction | None
    denominator: Fraction | None


def supplied(facts: list[Event], as_of: date, areas: Areas) -> dict[Cell, Supplied]:
    """The latest measure for each code, area and band whose period is the as-of date's month."""
    found: dict[Cell, Supplied] = {}
    for event in sorted(of_topic(facts, REFERENCE), key=in_order):
        data = event["data"]
        if event["type"] != "measure.supplied" or data["period"] != f"{as_of:%Y-%m}":
            continue
        kind = kind_of_area(data["area"], areas)
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
