"""What else is true of the same child, before or after the day of a fact about a case."""

from collections.abc import Collection, Iterable

from processors.record.decoding import Event
from schemas.catalogue import Relation
from snapshots.recount.cases import Case, Spell
from snapshots.recount.measures import Countable, within_months

SCS_OPENED = "scs.opened"


class ChildCases:
    """The cases of one child, and the days on which social care opened one."""

    def __init__(self, known: Iterable[Event], cases: Collection[Case]) -> None:
        self._openings = [event.day for event in known if event.type == SCS_OPENED]
        self._cases = cases
        self._is_alone = len(cases) == 1 and not self._openings

    def relate(self, relation: Relation, case: Case, counted: Countable) -> None:
        """Give a fact about a case the flag or the day that a relation is, if it holds."""
        if self._is_alone:
            return
        anchor = counted.days.get(relation.before or relation.after or "")
        if anchor is None:
            return
        if relation.after:
            later = [it for it in self._openings if within_months(anchor, it, relation.months)]
            if later:
                counted.days[relation.name] = min(later)
            return
        for other in self._cases:
            if other is not case and _is_alike(relation, case, other):
                for spell in other.spells:
                    if _is_recent(relation, spell, anchor):
                        counted.flags.add(relation.name)
                        return


def _is_alike(relation: Relation, case: Case, other: Case) -> bool:
    return relation.same is None or (case.reason is not None and case.reason == other.reason)


def _is_recent(relation: Relation, spell: Spell, anchor: int) -> bool:
    """Whether a spell has a day in the last months as of an anchor, or a closure lies in them."""
    if relation.to == "closure" and not spell.is_ending:
        return False
    if relation.holder is not None and not relation.holder(spell.service):
        return False
    last = anchor if spell.until is None else min(spell.until, anchor)
    return spell.begin <= anchor and within_months(last, anchor, relation.months)
