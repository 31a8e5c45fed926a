"""What is costly to work out, kept as long as it is asked for."""

from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")


class LastAsked(Generic[T]):
    """What was worked out, by what it is of: so much of it as was asked for last."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._found: OrderedDict[tuple[object, ...], T] = OrderedDict()

    def get(self, key: tuple[object, ...]) -> T | None:
        """What is kept; None for nothing."""
        if key not in self._found:
            return None
        self._found.move_to_end(key)
        return self._found[key]

    def keep(self, key: tuple[object, ...], made: T) -> T:
        """Keep it, in place of what was not asked for longest."""
        self._found[key] = made
        self._found.move_to_end(key)
        while len(self._found) > self._most:
            self._found.popitem(last=False)
        return made
