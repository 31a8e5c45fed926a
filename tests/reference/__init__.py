"""A second opinion: every figure of part A by brute force, straight from the events.

Written from the definitions alone (docs/events.md, docs/indicators.md), importing nothing of the
product, so that a test comparing the two compares two independent readings. It goes through
every case for every figure and keeps no running state; clarity comes before speed.
"""

from tests.reference.dates import age_band, back, working_days
from tests.reference.figures import COUNTS, KENT, Areas, Cell, Figures, evaluate, printed
from tests.reference.identity import known
from tests.reference.messages import Event, parse

__all__ = [
    "COUNTS",
    "KENT",
    "Areas",
    "Cell",
    "Event",
    "Figures",
    "age_band",
    "back",
    "evaluate",
    "known",
    "parse",
    "printed",
    "working_days",
]
