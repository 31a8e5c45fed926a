"""Search for whole numbers that also give the averages of areas and of Kent.

An average couples all the districts under it, which is too much for one model. So each step sets
the variables of a few places free, holds the rest, and lets the solver bring the printed figures
of areas and Kent nearer; it ends when nothing is missed. Steps are limited by nodes, not by time,
and drawn with a fixed seed: the result is the same on every machine.
"""

import random
from collections.abc import Callable, Iterator

from .geography import AREAS, DISTRICTS
from .milp import Infeasible, Model

Progress = Callable[[str], None]


def approach(
    model: Model,
    owners: dict[int, str],
    start: list[int],
    *,
    steps: int,
    nodes: int,
    say: Progress,
) -> list[int]:
    """The nearest values found from `start`, in at most `steps` steps."""
    values = start
    for number, places in zip(range(steps), _neighbourhoods(), strict=False):
        missed = model.missed(values)
        if not missed:
            break
        say(f"step {number}: {missed} missed; trying {', '.join(places)}")
        values = _step(model, owners, values, places, nodes)
    return values


def _step(
    model: Model, owners: dict[int, str], values: list[int], places: list[str], nodes: int
) -> list[int]:
    free = frozenset(name for name, owner in owners.items() if owner in places)
    try:
        found = model.solve(values, free, nodes=nodes)
    except Infeasible:
        return values
    return found if model.missed(found) <= model.missed(values) else values


def _neighbourhoods() -> Iterator[list[str]]:
    for _ in range(2):
        yield from (list(members) for members in AREAS.values())
    rng = random.Random(2015)
    while True:
        yield rng.sample(DISTRICTS, rng.choice((1, 2, 2, 3)))
