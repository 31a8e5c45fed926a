"""What tells one cell from another, wherever cells are kept, compared or withheld."""

from typing import NamedTuple


class CellKey(NamedTuple):
    """A cell of a release: an indicator's code, the name of a place, and an age band.

    `level` is what kind of place it is where that is none of the areas.
    """

    indicator: str
    place: str
    band: str
    level: str = ""
