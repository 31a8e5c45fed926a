"""Texts that go out with figures: whether they tell what disclosure control withholds.

Every figure in a text is taken to be known to whoever reads it. A text is stopped

1. for a small number that may count children,
2. for a figure that is one of those withheld: of its own place, the places around it and those it
   names, or of its own indicator,
3. for a figure that is a sum of those, where what is withheld is not protected from those who know
   it,
4. for a figure that is withheld of the month before, or by what went out of months near to it.

What is stopped may still be harmless, since any number is the number of something. So a person may
accept a text (snapshots.disclosure.public_record).
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import NamedTuple

from schemas.areas import Areas
from schemas.catalogue import ALL_AGES
from schemas.cells import CellKey
from schemas.release import Release, ReleaseCell
from snapshots.disclosure.audit import Sum
from snapshots.disclosure.commentary import small_numbers_in
from snapshots.disclosure.counts import Expression, Quantity
from snapshots.disclosure.disclosed import Disclosed
from snapshots.disclosure.figures_in_text import Readings, plain_text, told_by
from snapshots.disclosure.knowledge import remainders
from snapshots.disclosure.layout import NOWHERE
from snapshots.disclosure.public import Issued
from snapshots.disclosure.suppression import Rule, counts_people
from snapshots.disclosure.withheld_before import KINDS, WithheldFigure, withheld_before


class StoppedText(NamedTuple):
    """Why a text is stopped, and what stands around that in it; never what is withheld."""

    why: str
    context: str

    def __str__(self) -> str:
        return f"{self.why}: “… {self.context} …”"


class WithheldCount(NamedTuple):
    """A withheld count, and a cell that withholds it."""

    quantity: Quantity
    key: CellKey
    number: int


def told_of_before(release: Release, issued: Sequence[Issued], text: str) -> list[StoppedText]:
    """Why a text of a release without figures is stopped: what others, near to it, withhold."""
    told, areas = told_by(plain_text(text)), release.areas
    near = _near(areas, areas.top) | _named([release, *(it.release for it in issued)], told.text)
    return list(_before(told, near, None, withheld_before(release, None, issued)))


@dataclass(frozen=True)
class Texts:
    """What a release, and those that went out before, withhold, to be compared with its texts."""

    release: Release
    disclosed: Disclosed
    rule: Rule
    issued: Sequence[Issued] = ()

    def findings(self, area: str, code: str | None, text: str) -> list[StoppedText]:
        """Why a text about an area, or about an indicator of it, is stopped; none if not."""
        text = plain_text(text)
        small = small_numbers_in(text, self.rule)
        if small:
            return [StoppedText(f"{small[0].text}, a small number", small[0].context)]
        told = told_by(text)
        if not told.figures and not told.parts:
            return []
        places = _named([self.release], f"{area}: {text}") | {area}
        near = _near(self.release.areas, area) | places
        secrets = list(self._secrets(near, code))
        sums = [*((it,) for it in self._remainders(near)), *_sums_of(places, secrets)]
        return [
            *self._values(told, near, code),
            *self._equal(told, places, code, secrets),
            *self._sums(told, sums),
            *_before(told, near, code, self._before),
        ]

    @cached_property
    def _before(self) -> list[WithheldFigure]:
        return list(withheld_before(self.release, self.disclosed.public, self.issued))

    def _is_withheld(self, cell: ReleaseCell) -> bool:
        return self.disclosed.public.is_suppressed(cell.key)

    def _concerns(self, cell: ReleaseCell, near: set[str], code: str | None) -> bool:
        return _concerns(cell.key, near, code)

    def _secrets(self, near: set[str], code: str | None) -> Iterator[WithheldCount]:
        known = self.disclosed.guards[0].known
        shown = self.disclosed.guards[0].shown
        seen = set[Quantity]()
        for cell in self.release.cells:
            if not self._is_withheld(cell) or not self._concerns(cell, near, code):
                continue
            for expression in known.formulas.people(cell.code, rests=True):
                quantity = Quantity(known.period, expression, cell.area, cell.age_band, cell.level)
                if quantity not in shown | seen:
                    seen.add(quantity)
                    yield WithheldCount(quantity, cell.key, known.count(quantity))

    def _remainders(self, near: set[str]) -> Iterator[WithheldCount]:
        """What the top area has in no district, where that is no difference of what is shown."""
        known = self.disclosed.guards[0].known
        if self.release.areas.top not in near:
            return
        codes = {
            expression: code
            for code in reversed(known.formulas.indicators)
            for expression in known.formulas.people(code, rests=True)
        }
        for quantity in remainders(known, rests=True):
            if quantity.place == NOWHERE and not self._is_a_difference_of_shown(quantity):
                key = CellKey(codes[quantity.expression], "no district", quantity.band)
                yield WithheldCount(quantity, key, known.count(quantity))

    def _is_a_difference_of_shown(self, quantity: Quantity) -> bool:
        areas, shown = self.release.areas, self.disclosed.guards[0].shown
        parts = [areas.top, *areas.leaves]
        return all(quantity._replace(area=name) in shown for name in parts)

    def _equal(
        self, told: Readings, places: set[str], code: str | None, secrets: Iterable[WithheldCount]
    ) -> Iterator[StoppedText]:
        """Withheld counts that a text says, or lets work out; of its own places first.

        What it lets work out from a figure that it doesn't say is of its own places and indicator.
        """
        said, formulas = told.counts(), self.disclosed.guards[0].known.formulas
        own = formulas.people(code, rests=True) if code in formulas.indicators else None
        compared = {
            expression: told.counts(self._bases(expression, places))
            for expression in {secret.quantity.expression for secret in secrets}
            if own is None or expression in own
        }
        found = [
            secret
            for secret in secrets
            if (secret.number or not self.rule.zeros_shown)
            and (
                secret.number in said
                or (
                    secret.key.place in places
                    and secret.number in compared.get(secret.quantity.expression, ())
                )
            )
        ]
        for secret in sorted(
            found, key=lambda it: (it.key.indicator != code, it.key.place not in places)
        ):
            yield StoppedText(_which(secret.key), told.around(secret.number))

    def _bases(self, expression: Expression, places: set[str]) -> set[int]:
        """What readers know of the same count in some places, now and the month before."""
        known, shown = self.disclosed.guards[0].known, self.disclosed.guards[0].shown
        found = {
            known.count(quantity)
            for quantity in shown
            if quantity.expression == expression
            and quantity.period == known.period
            and quantity.area in places
            and quantity.band == ALL_AGES
        }
        for code, numerator in known.formulas.numerator.items():
            if numerator == expression and known.formulas.indicators[code].denominator is None:
                found |= {
                    cell.previous
                    for cell in self.release.cells
                    if cell.code == code and cell.area in places and isinstance(cell.previous, int)
                }
        return found

    def _values(self, told: Readings, near: set[str], code: str | None) -> Iterator[StoppedText]:
        """Withheld percentages, days, rates and averages that a text says as they are.

        And counts that others supplied, which are part of no table.
        """
        units = {it.code: it for it in self.release.indicators}
        for cell in self.release.cells:
            unit = units[cell.code]
            is_counted = unit.unit == "count" and cell.status != "supplied"
            if is_counted or cell.value is None or not self._is_withheld(cell):
                continue
            is_none = not cell.value and counts_people(unit)
            if is_none or not self._concerns(cell, near, code):
                continue
            if told.tells(cell.value, KINDS[unit.unit]):
                yield StoppedText(_which(cell.key), " ".join(told.text.split()))

    def _sums(
        self, told: Readings, sums: Iterable[tuple[WithheldCount, ...]]
    ) -> Iterator[StoppedText]:
        """Sums of withheld counts from which a withheld one could be worked out."""
        counts = told.counts()
        told_of = [it for it in sums if sum(one.number for one in it) in counts]
        known: list[Sum] = [tuple(one.quantity for one in it) for it in told_of]
        if known and any(guard.fails_with(known) for guard in self.disclosed.guards):
            for it in told_of:
                names = ", ".join(f"{one.key.place} {one.key.band}" for one in it)
                yield StoppedText(
                    f"the sum of {it[0].key.indicator} over {names}, from which a withheld figure "
                    "could be worked out",
                    told.around(sum(one.number for one in it)),
                )


def _sums_of(
    places: set[str], secrets: Sequence[WithheldCount]
) -> Iterator[tuple[WithheldCount, ...]]:
    across: dict[tuple[Expression, str], list[WithheldCount]] = defaultdict(list)
    along: dict[tuple[Expression, str], list[WithheldCount]] = defaultdict(list)
    for secret in secrets:
        expression, area, band = secret.quantity[1:4]
        if area in places:
            across[expression, band].append(secret)
            if band != ALL_AGES:
                along[expression, area].append(secret)
    for those in across.values():
        for size in range(2, min(len(those), 4) + 1):
            yield from combinations(those, size)
    for those in along.values():
        for size in range(2, len(those) + 1):
            yield from combinations(those, size)


def _before(
    told: Readings, near: set[str], code: str | None, withheld: Iterable[WithheldFigure]
) -> Iterator[StoppedText]:
    """What a text says that other releases withhold."""
    said = told.counts()
    for it in withheld:
        if not _concerns(it.key, near, code):
            continue
        if (it.kind == "count" and it.value in said) or told.tells(it.value, it.kind):
            yield StoppedText(f"{_which(it.key)}, in {it.period}", told.around(int(it.value)))


def _concerns(key: CellKey, near: set[str], code: str | None) -> bool:
    """Whether a cell is of a text's own indicator, or of a place that is near to it."""
    return key.place in near or key.indicator == code


def _which(key: CellKey) -> str:
    return f"a figure that is withheld, {key.indicator} of {key.place}, {key.band}"


def _near(areas: Areas, name: str) -> set[str]:
    """A place, those it lies in, those beside it and those right below it."""
    parents = {it.name: it.parent for it in areas.area}
    found, above = {name}, parents.get(name)
    found |= {it for it, parent in parents.items() if parent in {name, above} and parent}
    while above is not None:
        found.add(above)
        above = parents[above]
    return found


def _named(releases: Iterable[Release], text: str) -> set[str]:
    """The places of releases that a text names; of a provider those within it as well."""
    names = {it for release in releases for it in release.areas.names}
    names |= {cell.area for release in releases for cell in release.cells if cell.level}
    said = {it: it.partition(" / ")[0] for it in names}
    found = {
        name
        for name in set(said.values())
        if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE)
    }
    return {it for it, name in said.items() if name in found}
