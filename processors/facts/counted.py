"""Relations of a child with very many cases, by counting: pairs of them all would have no end.

A key that a producer gives to everybody is a child with tens of thousands of cases. What looks at
each pair of two takes memory by the square of that; what counts, for each, those before a day takes
little more than to sort them. Both say the same.
"""

import numpy as np
from numpy.typing import NDArray

from processors.days.calendar import NEVER, Days, back

# Days are far within this many from 1970; what is beyond, such as NEVER, counts as that far.
FAR = 2**20


def number_of_pairs(left: Days, right: Days) -> int:
    """How many pairs of a left and a right element there are that are equal."""
    least = int(min(left.min(initial=0), right.min(initial=0)))
    most = int(max(left.max(initial=0), right.max(initial=0))) - least + 1
    each = np.bincount(left - least, minlength=most), np.bincount(right - least, minlength=most)
    return int(each[0] @ each[1])


def any_other(
    anchor: Days,
    own: tuple[Days, Days],
    spells: tuple[Days, Days],
    of_spells: tuple[Days, Days],
    months: int,
) -> NDArray[np.bool_]:
    """Whether a spell began by each anchor and ended in the months before it, or after.

    `own` has whose each anchor is and which of theirs, `of_spells` the same of the spells, which
    are the first and the last days. A spell counts for the anchors of the same whose, but for those
    of the same which.
    """
    begin, until = spells
    # One that is over before its time has come is so for every anchor.
    kept = until > back(begin, months)
    begin, until = begin[kept], until[kept]
    is_day = anchor < NEVER
    day = np.where(is_day, anchor, 0)
    earliest = back(day, months)
    found = np.zeros(len(anchor), dtype=np.int64)
    for mine, theirs, sign in zip(own, of_spells, (1, -1), strict=True):
        key = theirs[kept]
        found += sign * (_until(key, begin, mine, day) - _until(key, until, mine, earliest))
    return (found > 0) & is_day


def first_since(anchor: Days, own: Days, days: Days, whose: Days) -> Days:
    """The first of the days of the same whose that is not before each anchor; NEVER for none."""
    order = np.lexsort((days, whose))
    at = np.searchsorted(_keyed(whose[order], days[order]), _keyed(own, anchor))
    inside = np.minimum(at, len(days) - 1)
    following = order[inside]
    is_theirs = (at < len(days)) & (whose[following] == own) & (anchor < NEVER)
    return np.where(is_theirs, days[following], NEVER)


def _until(key: Days, day: Days, asked: Days, by: Days) -> Days:
    """Of each key asked for, how many have it with a day that is not later."""
    ordered = np.sort(_keyed(key, day))
    first = np.searchsorted(ordered, _keyed(asked, np.full(len(asked), -FAR)))
    return np.searchsorted(ordered, _keyed(asked, by), side="right") - first


def _keyed(key: Days, day: Days) -> Days:
    """One number for both, in the order of keys and then of days."""
    return key * (4 * FAR) + np.clip(day, -FAR, FAR) + FAR
