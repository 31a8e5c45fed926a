"""What others worked out, of which a release does not know how it adds up.

A figure that is supplied is small by the same rule as one that is counted, as far as its numerator
and denominator are known. The rest of it is not protected by tables, since nothing says what they
would be. So where one figure of an indicator is small, none of its supplied figures goes out but
that of the whole authority: whatever the parts are, a reader has their total at most.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator

from schemas.catalogue import ALL_AGES
from schemas.cells import CellKey
from schemas.release import Release, ReleaseCell

# With fewer places below it, the total would be what one of them has.
FEWEST_PARTS = 2


def beside_small(release: Release, small: Collection[CellKey]) -> Iterator[CellKey]:
    """The supplied figures that are withheld because another of their indicator is small."""
    supplied: dict[str, list[ReleaseCell]] = defaultdict(list)
    for cell in release.cells:
        if cell.status == "supplied":
            supplied[cell.code].append(cell)
    top = release.areas.top
    for cells in supplied.values():
        if not any(cell.key in small for cell in cells):
            continue
        parts = {(cell.level, cell.area) for cell in cells} - {("", top)}
        for cell in cells:
            is_whole = (cell.level, cell.area, cell.age_band) == ("", top, ALL_AGES)
            if not is_whole or len(parts) < FEWEST_PARTS:
                yield cell.key
