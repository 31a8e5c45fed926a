"""Which contact and which plan belong to one case of August or September.

Contacts and plans come as days since the notification and whether they were made by the end of
September or since; together they bound when the case was received.
"""

import numpy as np
from scipy.optimize import linear_sum_assignment

from .closing import OCTOBER_END, SEPTEMBER_END
from .stock import RECEIVED

Milestone = tuple[int, bool]
"""Days after receipt, and whether that was since the end of September."""

IMPOSSIBLE, BACKWARDS = 1_000.0, 1.0
"""Costs of a pair: no date of receipt suits both; the plan would come before the contact."""


def receipts(contact: Milestone | None, plan: Milestone | None) -> tuple[int, int]:
    """The first and last day on which a case with these milestones may have been received."""
    first, last = RECEIVED["recent"]
    for milestone in (contact, plan):
        if milestone is None:
            continue
        days, since = milestone
        if since:
            first, last = max(first, SEPTEMBER_END + 1 - days), min(last, OCTOBER_END - days)
        else:
            last = min(last, SEPTEMBER_END - days)
    return first, last


def paired(
    contacts: list[Milestone], plans: list[Milestone]
) -> list[tuple[Milestone | None, Milestone | None]] | None:
    """Every contact, with the plan that goes with it; None if some plan goes with no contact."""
    costs = np.array([[_cost(contact, plan) for contact in contacts] for plan in plans])
    chosen: dict[int, Milestone] = {}
    if plans:
        rows, columns = linear_sum_assignment(costs)
        if len(rows) < len(plans) or costs[rows, columns].max() >= IMPOSSIBLE:
            return None
        chosen = {int(c): plans[int(r)] for r, c in zip(rows, columns, strict=True)}
    return [(contact, chosen.get(number)) for number, contact in enumerate(contacts)]


def _cost(contact: Milestone, plan: Milestone) -> float:
    first, last = receipts(contact, plan)
    if first > last:
        return IMPOSSIBLE
    return BACKWARDS if plan[0] < contact[0] else 0.0
