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


def spread(total: int, count: int, low: int, high: int, rng: random.Random) -> list[int]:
    """`count` whole numbers in `low..high` that add up to `total`, scattered about their mean.

    ValueError if there are none.
    """
    if not low * count <= total <= high * count:
        raise ValueError(f"{count} numbers in {low}..{high} cannot add up to {total}")
    if not count:
        return []
    base, extra = divmod(total, count)
    numbers = [base + (n < extra) for n in range(count)]
    for _ in range(4 * count):
        first, second = rng.randrange(count), rng.randrange(count)
        room = min(numbers[first] - low, high - numbers[second])
        if first != second and room > 0:
            step = rng.randint(0, (room + 1) // 2)
            numbers[first] -= step
            numbers[second] += step
    return numbers
