"""Figures as of many dates for who may not see small numbers: suppressed date by date.

Each is what the scorecard of its date shows them.
"""

import asyncio
import hashlib
from collections.abc import Sequence, Set
from datetime import date
from typing import NamedTuple

import msgspec

from processors.figures.evaluate import AsOf, Figure, value_alone
from processors.figures.scorecard_rows import scorecard
from processors.figures.series import CellOf, Dated, dated
from processors.rules import Rules
from schemas.cells import CellKey
from schemas.scorecard import ScorecardRow
from snapshots.disclosure.live_suppression import deciding, key_of, suppressed
from snapshots.disclosure.suppression import Rule
from streams.serving.identity import Identity, is_within
from streams.serving.last_asked import LastAsked

# Dates of which it is kept what is suppressed: two years of months for some thirty questions.
KEPT = 800


class _OfDate(NamedTuple):
    """What some rows are, as a digest, and which of them are suppressed."""

    rows: bytes
    hidden: Set[CellKey]


class SeenFigures:
    """Figures of dates as someone sees them; of dates whose figures stay as they are, kept."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._deciding: dict[frozenset[str], frozenset[str]] = {}
        self._kept = LastAsked[_OfDate](KEPT)

    async def of(self, as_of: AsOf, cells: Sequence[CellOf], identity: Identity) -> list[Dated]:
        """The figure of each of some cells as of a date."""
        rules, asked = self._rules, frozenset(indicator.code for indicator, *_ in cells)
        codes = self._deciding.get(asked)
        if codes is None:
            codes = self._deciding[asked] = deciding(rules, asked)
        rows = await asyncio.to_thread(scorecard, rules, as_of, as_of, rules.graph.levels, codes)
        hidden = await self._hidden((as_of.date, codes), rows, identity)
        by_key = {key_of(row): row for row in rows if row.code in asked}
        found = []
        for cell in cells:
            it = dated(rules, as_of, cell)
            if not identity.sees(cell[1].name, rules.areas):
                it = it._replace(figure=_seen(by_key.get(_key(cell)), hidden))
            found.append(it)
        return found

    async def _hidden(
        self, of: tuple[date, frozenset[str]], rows: list[ScorecardRow], identity: Identity
    ) -> Set[CellKey]:
        """What is suppressed of rows; worked out anew only where they are not what they were."""
        key, digest = (of, identity.view), _digest(rows)
        found = self._kept.get(key)
        if found is None or found.rows != digest:
            hidden = await hidden_from(identity, self._rules, rows)
            found = self._kept.keep(key, _OfDate(digest, hidden))
        return found.hidden


async def hidden_from(
    identity: Identity, rules: Rules, rows: Sequence[ScorecardRow]
) -> Set[CellKey]:
    """What of rows is suppressed for someone: nothing of what they see in full."""
    areas, places = rules.areas, identity.own_places
    return await asyncio.to_thread(
        suppressed, rules, rows, Rule(), lambda row: is_within(row.area, places, areas)
    )


def _key(cell: CellOf) -> CellKey:
    indicator, place, band = cell
    return CellKey(indicator.code, place.name, band, place.level)


def _digest(rows: list[ScorecardRow]) -> bytes:
    return hashlib.blake2b(msgspec.msgpack.encode(rows), digest_size=16).digest()


def _seen(row: ScorecardRow | None, hidden: Set[CellKey]) -> Figure:
    """A row's figure without what it is worked out from: its value as it is shown, or none."""
    if row is None:
        return value_alone(None, "not-available")
    if key_of(row) in hidden:
        return value_alone(None, "suppressed")
    return value_alone(row.value, row.status)
