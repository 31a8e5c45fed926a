"""What sums up months: which counts of one month, or of one moment, another count is made up of.

Drawn from the windows of the measures. What is counted since April, to date, or in the last so many
months is the sum of what came in each of these months; so two of them that went out give what came
between them away. Where a month never went out, the others are no more than the whole.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import permutations
from typing import NamedTuple

from schemas.catalogue import AnyMeasure, Measure, PersonMeasure, Start, Window
from snapshots.disclosure.counts import Block, Formulas, Terms
from snapshots.disclosure.implication import RECEIVED
from snapshots.disclosure.public import month_before

# Months that what goes on from month to month is followed back for.
LONGEST_AGO = 12
# The day on which a service's spell with a case begins, as the service's receipt of it.
SPELL_BEGINS = "receipt"
# What is true of every case that a service has or had, and narrows nothing.
ALWAYS_COME = (Start(day=RECEIVED), Start(day=SPELL_BEGINS))


class Carried(NamedTuple):
    """A slot that sums up what another slot counts of each month.

    Of the months `ago`; or, where there are none, of each month since one that is known, to which
    it adds. What is `of_year` begins anew each April, with what `begins_with` had when March ended.
    """

    slot: str
    of: str
    ago: tuple[int, ...] = ()
    of_year: bool = False
    begins_with: str | None = None


class HeldSince(NamedTuple):
    """A slot that since April is no less than what is `still` there and what `left` each month."""

    slot: str
    still: str
    left: str


class OverMonths(NamedTuple):
    """A sum over blocks that is 0 or, where not all that adds up is at hand, no less than 0."""

    terms: Terms
    is_equal: bool


def carried(measures: Sequence[AnyMeasure], formulas: Formulas) -> list[Carried]:
    """The slots in use that sum up months of another slot in use."""
    at_hand = [it for it in measures if it.name in formulas.slots]
    of_cases = [it for it in at_hand if isinstance(it, Measure)]
    return [*_going_on(of_cases), *_of_spells(of_cases), *_summed_up(at_hand)]


def held_since(measures: Sequence[AnyMeasure], formulas: Formulas) -> list[HeldSince]:
    """What a service has had since April, with what it has and what it closed."""
    of_cases = [it for it in measures if isinstance(it, Measure) and it.name in formulas.slots]
    return [
        HeldSince(spell.name, still.name, left.name)
        for spell in of_cases
        if _is_spell_of_year(spell)
        for still in of_cases
        if _is_as(still, spell, state="open", window=None)
        for left in of_cases
        if _is_as(left, spell, state="closed", window=Window(day="closed", kind="month"))
    ]


def longest_ago(links: Iterable[Carried]) -> int:
    """How many months lie between the first and the last that a slot is linked to."""
    return max((max(it.ago, default=LONGEST_AGO) for it in links), default=0)


def over_months(
    links: Sequence[Carried], held: Sequence[HeldSince], period: str, at_hand: Collection[Block]
) -> Iterator[OverMonths]:
    """What adds up to the slots of a period, as far as it is at hand."""
    for link in links:
        if (period, link.slot) in at_hand:
            yield _adding_up(link, period, at_hand)
    for each in held:
        if {(period, each.slot), (period, each.still)} <= set(at_hand):
            left = [(month, each.left) for month in _since_april(period)]
            parts = [(period, each.still), *(it for it in left if it in at_hand)]
            yield OverMonths(_less((period, each.slot), parts), is_equal=False)


def _adding_up(link: Carried, period: str, at_hand: Collection[Block]) -> OverMonths:
    months, base, is_whole = _months_of(link, period, at_hand)
    parts = [(month, link.of) for month in months]
    there = [it for it in (*base, *parts) if it in at_hand]
    is_equal = is_whole and len(there) == len(base) + len(parts)
    return OverMonths(_less((period, link.slot), there), is_equal)


def _months_of(
    link: Carried, period: str, at_hand: Collection[Block]
) -> tuple[list[str], list[Block], bool]:
    """The months that a slot sums up, what it adds to, and whether that is all of it."""
    if link.ago:
        return [_ago(period, months) for months in link.ago], [], True
    found = [period]
    while not (link.of_year and found[-1].endswith("-04")):
        before = month_before(found[-1])
        if (before, link.slot) in at_hand:
            return found, [(before, link.slot)], True
        if len(found) == LONGEST_AGO:
            return found, [], False
        found.append(before)
    base = [(month_before(found[-1]), link.begins_with)] if link.begins_with else []
    return found, base, True


def _less(whole: Block, parts: Sequence[Block]) -> Terms:
    return ((whole, 1), *((part, -1) for part in parts))


def _ago(period: str, months: int) -> str:
    for _ in range(months):
        period = month_before(period)
    return period


def _since_april(period: str) -> list[str]:
    found = [period]
    while not found[-1].endswith("-04"):
        found.append(month_before(found[-1]))
    return found


def _going_on(measures: Sequence[Measure]) -> Iterator[Carried]:
    """Counts since April or to date, with the same count of one month."""
    for later, earlier in permutations(measures, 2):
        if earlier.window is None or earlier.window.kind != "month":
            continue
        if _but_when(later) != _but_when(earlier):
            continue
        of_year = later.window is not None
        if later.window in (None, Window(day=earlier.window.day, kind="financial-year")):
            yield Carried(later.name, earlier.name, of_year=of_year)


def _of_spells(measures: Sequence[Measure]) -> Iterator[Carried]:
    """What a service has had since April: what it had in March, and what it received since.

    A case that came and went within a month, or came back, is one of few; how many they are is
    taken to be known, as is everything else by which the two sides differ.
    """
    for spell in measures:
        if not _is_spell_of_year(spell):
            continue
        received = Window(day=SPELL_BEGINS, kind="month")
        is_open = [it.name for it in measures if _is_as(it, spell, state="open", window=None)]
        for new in measures:
            if _is_as(new, spell, state=None, window=received):
                begins_with = is_open[0] if is_open else None
                yield Carried(spell.name, new.name, of_year=True, begins_with=begins_with)


def _is_spell_of_year(measure: Measure) -> bool:
    return measure.of == "spell" and measure.period == "year"


def _is_as(measure: Measure, spell: Measure, *, state: str | None, window: Window | None) -> bool:
    """Whether a measure counts all cases of a spell's service that are in a state or window."""
    own = measure.model_dump(exclude={"name", "of", "state", "window"})
    same = spell.model_dump(exclude={"name", "of", "state", "window"})
    return measure.of == "case" and (measure.state, measure.window, own) == (state, window, same)


def _summed_up(measures: Sequence[AnyMeasure]) -> Iterator[Carried]:
    """Counts of several months with the same count of one, where a month stays what it was."""
    dated = [(it, ago) for it in measures if (ago := _months_counted(it))]
    for (later, ago), (earlier, own) in permutations(dated, 2):
        if own == (0,) and ago != own and _but_months(later) == _but_months(earlier):
            for slot, of in zip(later.slots, earlier.slots, strict=True):
                yield Carried(slot, of, ago)


def _months_counted(measure: AnyMeasure) -> tuple[int, ...]:
    """The months that a measure counts the facts of, by how long ago they are; none if not such."""
    if isinstance(measure, Measure):
        window = measure.window if _is_lasting(measure) else None
        kind, months = (window.kind, window.months) if window else (None, 0)
        counted = {
            "month": (0,),
            "month-after": (months,),
            "months-after": tuple(range(1, months + 1)),
            "last-months": tuple(range(months)),
        }
        return counted.get(kind or "", ())
    is_flow = measure.of in {"session", "scs-opening", "scs-closing"}
    if not is_flow or (isinstance(measure, PersonMeasure) and measure.age):
        return ()
    return tuple(range(measure.months or 1))


def _is_lasting(measure: Measure) -> bool:
    """Whether what it counts of a month stays what it was when the month is over."""
    if measure.starts or measure.flags or measure.limit or measure.total:
        return False
    is_closing = measure.window is not None and measure.window.day == measure.state == "closed"
    return measure.of == "notification" or is_closing


def _but_months(measure: AnyMeasure) -> dict[str, object]:
    """What a measure asks for, but for which months."""
    if isinstance(measure, Measure):
        return _without_window(measure) | {"day": measure.window.day if measure.window else None}
    return measure.model_dump(exclude={"name", "months"})


def _but_when(measure: Measure) -> dict[str, object]:
    """What a measure asks for, but for its window and for days that have always come."""
    starts = [it for it in measure.starts if it not in ALWAYS_COME]
    return {**_without_window(measure), "starts": [it.model_dump() for it in starts]}


def _without_window(measure: Measure) -> dict[str, object]:
    return measure.model_dump(exclude={"name", "window"})
