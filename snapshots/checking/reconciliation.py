"""Reconciliation: two computations of a period that must be equal in every field of every cell."""

from collections.abc import Iterable, Sequence

import msgspec

from processors.record.decoding import Event
from schemas.release import ReleaseCell
from snapshots.checking.differences import FigureDifference, differences
from snapshots.releases.release_failures import NotReconciled

# Cells named one by one; the rest are counted.
SHOWN_CELLS = 50


def check_equal(frozen: Sequence[ReleaseCell], recounted: Sequence[ReleaseCell]) -> None:
    """Raises NotReconciled, naming the cells, unless both computations are equal."""
    found = list(differences(frozen, recounted))
    if found:
        raise NotReconciled(
            f"{len(found):,} of {len(frozen):,} cells are not what the log gives; nothing was "
            f"released (`caseline rebuild` makes the tables anew):\n{described(found)}"
        )


def check_same_events(frozen: Iterable[Event], read: Iterable[Event]) -> None:
    """Raises NotReconciled unless the reference events of the state are those of the log."""
    one, other = (sorted(map(msgspec.json.encode, events)) for events in (frozen, read))
    if one != other:
        raise NotReconciled(
            f"the state has {len(one):,} reference events and the log {len(other):,}, which are "
            "not the same; nothing was released (`caseline rebuild` makes the state anew)"
        )


def described(found: Sequence[FigureDifference]) -> str:
    """Disagreeing cells, a line each: what was frozen, and what the log gives."""
    lines = [_line(difference) for difference in found[:SHOWN_CELLS]]
    if len(found) > SHOWN_CELLS:
        lines.append(f"... and {len(found) - SHOWN_CELLS:,} more")
    return "\n".join(lines)


def _line(difference: FigureDifference) -> str:
    cell = difference.cell
    parts = (
        f"{field} {getattr(difference.before, field, None)} "
        f"but {getattr(difference.after, field, None)} from the log"
        for field in difference.fields
    )
    return f"{cell.code} {cell.area} {cell.age_band}: {'; '.join(parts)}"
