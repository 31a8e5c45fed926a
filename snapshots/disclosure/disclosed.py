"""What disclosure control found of a release: its public side, and how well that protects."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from schemas.cells import CellKey
from schemas.release import Release
from snapshots.disclosure.audit import Sum, ranges, unprotected
from snapshots.disclosure.counts import Quantity
from snapshots.disclosure.knowledge import Knowledge
from snapshots.disclosure.programme import Change
from snapshots.disclosure.public import Left, PublicRelease
from snapshots.disclosure.suppression import Reason


class Guard(NamedTuple):
    """What is to be protected, what readers are shown, and the proofs that it is protected."""

    known: Knowledge
    shown: frozenset[Quantity]
    proofs: tuple[Change, ...]

    def fails_with(self, sums: Sequence[Sum]) -> list[Quantity]:
        """The counts that are not protected from those who know these sums as well."""
        return unprotected(self.known, self.shown, self.proofs, sums)

    def ranges(self) -> dict[Quantity, tuple[int, int]]:
        """How far below and above the truth each count in need of protection may lie."""
        return ranges(self.known, self.shown, self.proofs)


class Disclosed(NamedTuple):
    """A release ready to go out, and what those who prepare it should know.

    The first guard has all that went out before in mind; the second protects within this release
    alone what earlier ones give away.
    """

    public: PublicRelease
    reasons: dict[CellKey, Reason]
    # What went out before lets anyone who knows what changed since work these small counts out.
    exposed: tuple[Quantity, ...]
    # Small counts of which other values stay possible, but fewer than the rule asks for.
    narrow: tuple[Quantity, ...]
    guards: tuple[Guard, Guard]
    values: Mapping[Quantity, tuple[int, int]] = MappingProxyType({})

    def _worst(self, quantity: Quantity, down: int, up: int) -> int:
        """The count in that release of its period that keeps the fewest small values possible."""
        known, rule = self.guards[0].known, self.public.rule
        versions = len(known.versions[quantity.period, quantity.expression[0][0]])
        counts = [known.count(quantity, version) for version in range(versions)]
        small = [count for count in counts if rule.is_small(count)] or counts[-1:]
        return min(
            small,
            key=lambda count: min(count + up, rule.threshold) - max(count + down, rule.least),
        )

    def left(self, release: Release, quantities: Sequence[Quantity]) -> tuple[Left, ...]:
        """The values that stay possible of small counts, each by an indicator that rests on it."""
        known = self.guards[0].known
        codes = {}
        for code in reversed([indicator.code for indicator in release.indicators]):
            for expression in known.formulas.people(code, rests=True):
                codes[expression] = code
            if code in known.formulas.numerator:
                codes[known.formulas.numerator[code]] = code
        found = []
        for quantity in quantities:
            down, up = self.values.get(quantity, (0, 0))
            count = self._worst(quantity, down, up)
            found.append(
                Left(
                    period=quantity.period,
                    code=codes.get(quantity.expression)
                    or " + ".join(slot for slot, _ in quantity.expression),
                    area=quantity.area,
                    age_band=quantity.band,
                    least=count + down,
                    greatest=count + up,
                )
            )
        return tuple(found)
