"""What everyone may know of the counts without any release: the definitions themselves.

A reader of the definitions knows that step-ups are closures, that step-ups within and after 20
weeks make up all step-ups, that last month's notifications are among the earlier notifications of
this month's report. Such relations link tables and can unmask a count, so they are drawn from the
measures and protected against.
"""

from collections.abc import Iterable, Sequence
from itertools import combinations, permutations
from typing import NamedTuple

import numpy as np
from scipy.optimize import nnls

from schemas.catalogue import AnyMeasure, Limit, Measure, Start
from snapshots.disclosure.counts import Expression, Formulas
from snapshots.disclosure.implication import (
    RECEIVED,
    are_apart,
    implies,
    is_same_span,
    longest_months,
)

# What is left over when one difference is put together from others, if it can be: rounding only.
NEAR = 1e-9


class Group(NamedTuple):
    """What a measure counts, or what two measures with opposite limits count together."""

    measure: AnyMeasure
    slots: tuple[str, ...]


def relations(measures: Sequence[AnyMeasure], formulas: Formulas) -> list[Expression]:
    """What the measures and formulas say is never below 0, in any leaf area and band.

    Each is a difference of slots in use: by how much one measure counts more than others.
    """
    used = [it for it in measures if it.name in formulas.slots]
    of_cases = [it for it in used if isinstance(it, Measure)]
    groups = [Group(it, (it.name,)) for it in used] + list(_joined(of_cases))
    found = [
        _difference(whole.slots, part.slots)
        for part, whole in permutations(groups, 2)
        if implies(part.measure, whole.measure)
    ]
    found += [
        _difference(whole.slots, (*one.slots, *other.slots))
        for one, other in combinations(groups, 2)
        if are_apart(one.measure, other.measure)
        for whole in groups
        if implies(one.measure, whole.measure) and implies(other.measure, whole.measure)
    ]
    found += [formulas.rest(code) for code in formulas.denominator if _is_share(formulas, code)]
    found += [each for each in formulas.numerator.values() if len(each) > 1]
    found += list(_longest(of_cases))
    return [spare for spare in dict.fromkeys(found) if any(times < 0 for _, times in spare)]


def without_implied(spares: Sequence[Expression]) -> list[Expression]:
    """The differences of which none follows from the others, no slot being below 0 either."""
    slots = sorted({slot for spare in spares for slot, _ in spare})
    rows = {
        spare: np.array([dict(spare).get(slot, 0) for slot in slots], dtype=float)
        for spare in spares
    }
    kept = list(spares)
    for spare in spares:
        others = [rows[each] for each in kept if each != spare]
        left_over = nnls(np.array([*others, *np.eye(len(slots))]).T, rows[spare])[1]
        if left_over < NEAR:
            kept.remove(spare)
    return kept


def _is_share(formulas: Formulas, code: str) -> bool:
    return formulas.indicators[code].unit == "percent"


def _joined(measures: Sequence[Measure]) -> Iterable[Group]:
    """Pairs that differ in their limits alone, of which one ends where the other begins."""
    for low, high in permutations(measures, 2):
        if low.limit is None or high.limit is None or not is_same_span(low.limit, high.limit):
            continue
        meets = low.limit.at_most == high.limit.more_than
        # What has not ended would be counted twice over.
        is_double = low.limit.unended and high.limit.unended
        if meets and not is_double and _without_limit(low) == _without_limit(high):
            yield Group(_over_both(low, low.limit, high.limit), (low.name, high.name))


def _over_both(measure: Measure, low: Limit, high: Limit) -> Measure:
    """A measure that counts what it counts within either of two limits that meet."""
    wide = low.model_copy(update={"at_most": high.at_most, "unended": low.unended or high.unended})
    is_unlimited = wide.more_than < 0 and wide.at_most >= Limit.model_fields["at_most"].default
    if not is_unlimited or wide.start != RECEIVED:
        return measure.model_copy(update={"limit": wide})
    # From receipt to any time later is no limit at all, except that the end has to have come.
    ends = () if wide.unended else (Start(day=wide.end),)
    return measure.model_copy(update={"limit": None, "starts": (*measure.starts, *ends)})


def _longest(measures: Sequence[Measure]) -> Iterable[Expression]:
    """Days summed are no more than the longest a window allows for each that is counted."""
    for measure in measures:
        window, total = measure.window, measure.total
        if window and total and window.kind == "last-months" and window.day == total.start:
            name, days = measure.slots
            yield tuple(sorted([(name, longest_months(window.months)), (days, -1)]))


def _difference(more: tuple[str, ...], less: tuple[str, ...]) -> Expression:
    terms: dict[str, int] = {}
    for slots, times in ((more, 1), (less, -1)):
        for slot in slots:
            terms[slot] = terms.get(slot, 0) + times
    return tuple(sorted((slot, times) for slot, times in terms.items() if times))


def _without_limit(measure: Measure) -> dict[str, object]:
    return measure.model_dump(exclude={"name", "limit"})
