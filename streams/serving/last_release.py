"""The last release there is: what pages say of it without reading the rest."""

from datetime import date
from functools import lru_cache
from pathlib import Path

import msgspec

from snapshots.releases.folder import ReleaseFolder


class LastRelease(msgspec.Struct, frozen=True):
    """What a release says of itself."""

    period: str
    number: int
    kind: str
    released_on: date


def last_release(root: Path) -> LastRelease | None:
    """The latest release of the latest month; None where there is none that can be read."""
    folder = ReleaseFolder(root)
    try:
        for period in reversed(folder.periods()):
            for name in reversed(folder.names(period)):
                return _read(root, name)
    except (OSError, msgspec.MsgspecError):
        return None
    return None


@lru_cache(maxsize=16)
def _read(root: Path, name: str) -> LastRelease:
    """A release's own account of itself; it never changes."""
    return msgspec.json.decode(ReleaseFolder(root).raw(name), type=LastRelease)
