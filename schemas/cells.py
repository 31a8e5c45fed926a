"""What tells one cell from another, wherever cells are kept, compared or withheld."""

from typing import NamedTuple


class CellKey(NamedTuple):
    """A cell of a release: an indicator's code, the name of an area, and an age band."""

    indicator: str
    place: str
    band: str
