"""The public profile: nothing is shown but what disclosure control let out."""

from collections.abc import Iterable, Mapping

from schemas.cells import CellKey
from schemas.release import Release, ReleaseCell
from snapshots.disclosure.public import PublicRelease
from snapshots.disclosure.suppression import Rule, counts_people


class LetOut:
    """What may not be shown, by the public sides of releases; one without is hidden altogether."""

    def __init__(self, public: Iterable[PublicRelease], rule: Rule) -> None:
        self._public: Mapping[tuple[str, int], PublicRelease] = {
            (one.period, one.number): one for one in public
        }
        self._rule = rule

    def hides(self, release: Release, key: CellKey) -> bool:
        """Whether a figure of a release is suppressed, or the release never went out."""
        public = self._public.get((release.period, release.number))
        return public is None or key not in public.by_key or public.is_suppressed(key)

    def hides_previous(self, release: Release, key: CellKey) -> bool:
        """Whether the previous value that a release has is suppressed, or never went out."""
        public = self._public.get((release.period, release.number))
        if public is None or key not in public.by_key:
            return True
        return public.by_key[key].previous_status == "suppressed"

    def hides_move(self, release: Release, before: ReleaseCell, after: ReleaseCell) -> bool:
        """Whether what a figure counts moved by a small number: that many children, or one."""
        counts = [(before.numerator, after.numerator)]
        indicators = {indicator.code: indicator for indicator in release.indicators}
        indicator = indicators[after.code]
        if indicator.unit == "days":
            counts = []
        if counts_people(indicator):
            counts.append((before.denominator, after.denominator))
        return any(
            one is not None and other is not None and 0 < abs(one - other) <= self._rule.threshold
            for one, other in counts
        )

    def hides_number(self, number: int) -> bool:
        """Whether a count outside the scorecard is small."""
        return self._rule.is_small(number)
