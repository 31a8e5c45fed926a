"""A case of the history, and small pieces shared by the stages that make cases."""

import random
from dataclasses import dataclass

from .geography import Cell

UNIT = "unit"


@dataclass
class Case:
    """One child's case; dates are day numbers (`date.toordinal`), None where nothing happened.

    `service` holds the case from `allocated` on; with `moved`, `moved_to` holds it after that.
    """

    place: str
    age: str
    received: int
    service: str = ""
    allocated: int | None = None
    contact: int | None = None
    plan: int | None = None
    closed: int | None = None
    outcome: str = ""
    moved: int | None = None
    moved_to: str = ""
    notification_type: str = ""

    @property
    def cell(self) -> Cell:
        """The finest count the case belongs to."""
        return self.place, self.age


def spread(total: int, bounds: list[tuple[int, int]], rng: random.Random) -> list[int]:
    """A whole number within each of the bounds, scattered, that add up to `total`.

    ValueError if there are none.
    """
    lows, highs = sum(low for low, _ in bounds), sum(high for _, high in bounds)
    if not lows <= total <= highs:
        raise ValueError(f"{len(bounds)} numbers of {lows} to {highs} in all cannot make {total}")
    room = highs - lows
    numbers = [low + ((total - lows) * (high - low) // room if room else 0) for low, high in bounds]
    _top_up(numbers, bounds, total - sum(numbers))
    for _ in range(4 * len(bounds)):
        _scatter(numbers, bounds, rng)
    return numbers


def _top_up(numbers: list[int], bounds: list[tuple[int, int]], missing: int) -> None:
    while missing:
        for index, (_, high) in enumerate(bounds):
            if missing and numbers[index] < high:
                numbers[index] += 1
                missing -= 1


def _scatter(numbers: list[int], bounds: list[tuple[int, int]], rng: random.Random) -> None:
    """Move some of one number to another, within their bounds."""
    first, second = rng.randrange(len(bounds)), rng.randrange(len(bounds))
    room = min(numbers[first] - bounds[first][0], bounds[second][1] - numbers[second])
    if first != second and room > 0:
        step = rng.randint(0, (room + 1) // 2)
        numbers[first] -= step
        numbers[second] += step
