"""A view of the public profile."""

from collections.abc import Sequence
from functools import cache

from schemas.catalogue import ALL_AGES, BANDS
from schemas.cells import CellKey
from schemas.release import Release, ReleaseCell
from snapshots.publish.text.view import View
from tests.support.october_releases import earlier_months, later, october

DARTFORD_CLOSED = CellKey("EH15", "Dartford", ALL_AGES)


@cache
def public_view() -> View:
    hidden = [CellKey(code, "Dover", band) for code in ("EH01", "EH02", "EH15") for band in BANDS]
    return View(
        later(), [october(), *earlier_months()], "public", HidesSome([*hidden, DARTFORD_CLOSED])
    )


class HidesSome:
    """Suppresses figures of one area in October, and everything else's small counts not at all."""

    def __init__(self, hidden: Sequence[CellKey]) -> None:
        self._hidden = frozenset(hidden)

    def hides(self, release: Release, key: CellKey) -> bool:
        return release.period == "2015-10" and key in self._hidden

    def hides_previous(self, release: Release, key: CellKey) -> bool:
        return self.hides(release, key)

    def hides_number(self, number: int) -> bool:
        return 0 < number < 6

    def hides_move(self, release: Release, before: ReleaseCell, after: ReleaseCell) -> bool:
        return release.period != "2015-10" and before == after
