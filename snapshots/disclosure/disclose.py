"""Disclosure control of one release: from its cells, and what went out before, to what may go out.

The guarantee. Take a reader who knows everything that this release and the earlier public ones
publish, every published cell's exact numerator and denominator, the rule, what `relations` draws
from the definitions, and even what changed between two releases of the period. Every small count
that such a reader could not already work out from the earlier releases may, for all they know,
have values as far apart as the ends of the range of small counts (`Rule.values_left` narrows it),
and those ends themselves where they are possible. `Disclosed.narrow` has those that fall short,
`Disclosed.exposed` those given away before. Proved by explicit tables, which an audit checks. Cells
suppressed to protect others differ in at least one of these tables.

Not covered: what follows from how the choice of cells was made, from relations between figures
that the definitions do not spell out, from a text, or from knowing some of the children.
"""

from collections.abc import Iterable, Sequence

from schemas.catalogue import AnyMeasure
from schemas.cells import CellKey
from schemas.release import Release
from snapshots.disclosure.audit import published
from snapshots.disclosure.counts import NotProtected, Quantity
from snapshots.disclosure.disclosed import Disclosed, Guard
from snapshots.disclosure.knowledge import ANYWHERE, Knowledge, gather
from snapshots.disclosure.protect import Protection, Search
from snapshots.disclosure.public import Issued, public_release
from snapshots.disclosure.supplied import beside_small
from snapshots.disclosure.suppression import Reason, Rule


def disclose(
    release: Release, measures: Sequence[AnyMeasure], rule: Rule, issued: Sequence[Issued] = ()
) -> Disclosed:
    """What may go out of a release, given the releases that have gone out, of any period.

    1. Cells that are small, rest on small counts or were suppressed before are suppressed.
    2. So are further cells, until a reader of every release cannot work out a small count.
    3. What earlier releases give away in any case is protected within this one alone.
    4. An audit checks both in integer arithmetic.

    Raises NotProtected when cells do not add up or a count is not protected; nothing of the
    release may go out then.
    """
    known = gather(release, measures, rule, issued)
    suppressed = {**_suppressed_before(release, issued), **primary(release, rule)}  # 1
    together = Search(release, known, rule, suppressed).run()  # 2
    _settle(known, together)
    alone = gather(release, measures, rule, ())  # 3
    alone.needs = {each: alone.needs[each] for each in together.exposed if each in alone.needs}
    within = Search(release, alone, rule, together.suppressed).run()
    if within.exposed:
        raise NotProtected(f"{release.period}: cannot be protected: {_named(within.exposed)}")
    _settle(alone, within)
    guards = (  # 4
        _audited(release, known, together, within.suppressed),
        _audited(release, alone, within, within.suppressed),
    )
    return Disclosed(
        public_release(release, rule, within.suppressed, issued),
        within.suppressed,
        tuple(sorted(together.exposed)),
        tuple(sorted(together.narrow)),
        guards,
        guards[0].ranges() if together.narrow else {},
    )


def primary(release: Release, rule: Rule) -> dict[CellKey, Reason]:
    """The cells that are suppressed for what they say themselves."""
    indicators = {indicator.code: indicator for indicator in release.indicators}
    own = {
        cell.key: reason
        for cell in release.cells
        if cell.status != "not-at-this-level"
        and (reason := rule.reason(indicators[cell.code], cell))
    }
    return {**dict.fromkeys(beside_small(release, own), "secondary"), **own}


def _suppressed_before(release: Release, issued: Iterable[Issued]) -> dict[CellKey, Reason]:
    """What every earlier release of the period withheld; once published, a cell stays known."""
    earlier = [each.public for each in issued if each.public.period == release.period]
    keys = {cell.key for cell in release.cells}
    shown = {
        key
        for public in earlier
        for key, cell in public.by_key.items()
        if cell.status != "suppressed"
    }
    withheld = {key for public in earlier for key in public.by_key if public.is_suppressed(key)}
    return dict.fromkeys(sorted((withheld - shown) & keys), "suppressed-before")


def _settle(known: Knowledge, protection: Protection) -> None:
    """Ask of the audit what the search could do: another value, or nothing where all is known."""
    for quantity in protection.narrow:
        known.needs[quantity] = ANYWHERE
    for quantity in protection.exposed:
        del known.needs[quantity]


def _audited(
    release: Release, known: Knowledge, protection: Protection, suppressed: dict[CellKey, Reason]
) -> Guard:
    shown = frozenset(published(release, known, suppressed) | known.told)
    guard = Guard(known, shown, tuple(protection.proofs))
    left = guard.fails_with(())
    if left:
        raise NotProtected(f"{release.period}: not protected: {_named(left)}")
    return guard


def _named(quantities: Sequence[Quantity]) -> str:
    """Where the counts are; never how many they are."""
    found = [
        f"{' '.join(slot for slot, _ in it.expression)} of {it.area or 'no district'}, {it.band}"
        for it in quantities
    ]
    return "; ".join(found[:5]) + (f"; and {len(found) - 5} more" if len(found) > 5 else "")
