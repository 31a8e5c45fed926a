"""What one measure's definition says of another's: that it counts among it, or nothing of it.

Sound rather than complete: what is said here holds for everyone; more may hold than is said. What
depends on another case or on another service, a flag or a window that is not the same says nothing.
"""

from datetime import date
from itertools import pairwise

from schemas.catalogue import (
    AnyMeasure,
    Attended,
    Limit,
    Match,
    Measure,
    OutcomeRule,
    PersonMeasure,
    SessionMeasure,
    Start,
    Window,
)

# The day that every fact about a case has, and that none of its other days comes before.
RECEIVED = "received"
# Days of a month at most. Of a month's end from any of its days: one fewer.
MONTH_DAYS = 31
# Completed years of anyone, where a measure asks for no age; more months than any may ask for.
EVERY_AGE, LONGER = (0, 200), 10**6
# Working days come five a week; so many bank holidays and weekend days at most may be added where
# they are turned into calendar days, over half a year.
EXTRA_DAYS = 10


def implies(part: AnyMeasure, whole: AnyMeasure) -> bool:
    """Whether whatever `part` counts, `whole` counts as well, in the same place."""
    if isinstance(part, Measure) and isinstance(whole, Measure):
        return _case_implies(part, whole)
    if isinstance(part, PersonMeasure) and isinstance(whole, PersonMeasure):
        return _person_implies(part, whole)
    if isinstance(part, SessionMeasure) and isinstance(whole, SessionMeasure):
        return _session_implies(part, whole)
    return False


def _case_implies(part: Measure, whole: Measure) -> bool:
    return (
        part.of == whole.of
        and whole.state in (None, part.state)
        and _narrows(part.holder, whole.holder)
        and _narrows(part.outcome, whole.outcome)
        and _narrows(part.notification_type, whole.notification_type)
        and set(part.flags).issuperset(whole.flags)
        and all(_has_begun(part, start) for start in whole.starts)
        and _is_among(part, whole.window)
        and _is_within(part.limit, whole.limit)
    )


def _person_implies(part: PersonMeasure, whole: PersonMeasure) -> bool:
    youngest, oldest = part.age or EVERY_AGE
    least, most = whole.age or EVERY_AGE
    said = whole.characteristics
    return (
        (part.of, part.once) == (whole.of, whole.once)
        and (whole.age is None or (part.age is not None and least <= youngest and oldest <= most))
        and whole.deprived in (None, part.deprived)
        and (not said or (bool(part.characteristics) and {*part.characteristics} <= {*said}))
        and part.registered >= whole.registered
        and part.newly >= whole.newly
        and part.resident >= whole.resident
        and _narrows(part.registration, whole.registration)
        and (not whole.at or (bool(part.at) and {*part.at} <= {*whole.at}))
        and _attends(part.attended, whole.attended)
        and _achieves(part.recorded, whole.recorded)
        and whole.scs_status in (None, part.scs_status)
        and (not whole.scs or part.scs or part.scs_status is not None)
        and _narrows(part.origin, whole.origin)
        and _narrows(part.reason, whole.reason)
        and _is_as_recent(part.months, whole.months)
        and (whole.again_within is None or (part.again_within or LONGER) <= whole.again_within)
    )


def _session_implies(part: SessionMeasure, whole: SessionMeasure) -> bool:
    return (
        part.once == whole.once
        and _narrows(part.kind, whole.kind)
        and part.attended >= whole.attended
        and (not whole.at or (bool(part.at) and {*part.at} <= {*whole.at}))
        and _is_as_recent(part.months, whole.months)
    )


def _attends(part: Attended | None, whole: Attended | None) -> bool:
    if whole is None or part is None:
        return whole is None
    return (
        _narrows(part.kind, whole.kind)
        and (not whole.at or (bool(part.at) and {*part.at} <= {*whole.at}))
        and part.anywhere <= whole.anywhere
        and part.times >= whole.times
        and _is_as_recent(part.months, whole.months)
    )


def _achieves(part: OutcomeRule | None, whole: OutcomeRule | None) -> bool:
    if whole is None or part is None:
        return whole is None
    return part.accredited >= whole.accredited and part.months <= whole.months


def _is_as_recent(part: int | None, whole: int | None) -> bool:
    """Whether the last so many months, or the month, lie in those of another."""
    return part == whole or (whole is not None and (part is None or part <= whole))


def are_apart(one: AnyMeasure, other: AnyMeasure) -> bool:
    """Whether nothing can be counted by both; said of cases alone."""
    if not isinstance(one, Measure) or not isinstance(other, Measure):
        return False
    return any(
        _exclude(first.outcome, second.outcome)
        or _ends_before(first.limit, second.limit)
        or _is_too_recent(first.window, second)
        for first, second in ((one, other), (other, one))
    )


def longest_months(months: int) -> int:
    """The most days that so many months may have."""
    return MONTH_DAYS * months


def shortest_months(months: int) -> int:
    """The fewest days that so many months may have."""
    firsts = [date(2001 + month // 12, month % 12 + 1, 1) for month in range(25)]
    lengths = [(later - earlier).days for earlier, later in pairwise(firsts)]
    years, rest = divmod(months, 12)
    return 365 * years + min(sum(lengths[first : first + rest]) for first in range(12))


def _has_begun(part: Measure, start: Start) -> bool:
    """Whether whatever `part` counts has passed a start: it has come, and as long ago."""
    if start.working_days is not None:
        return start in part.starts
    if start.days == 0 and start.day in _days_come(part):
        return True
    return any(
        each.day == start.day and each.days + (each.working_days or 0) >= start.days
        for each in part.starts
    )


def _days_come(measure: Measure) -> set[str]:
    """The days that have come for whatever a measure counts."""
    limit = measure.limit if measure.limit and not measure.limit.unended else None
    spans = [span for span in (limit, measure.total) if span is not None]
    days = {day for span in spans for day in (span.start, span.end)}
    closed = {"closed"} if measure.state == "closed" else set[str]()
    return days | closed | {RECEIVED, *(each.day for each in measure.starts)}


def _is_among(part: Measure, window: Window | None) -> bool:
    """Whether whatever `part` counts lies in a window: the same one, or by the calendar.

    What ended this month and took no more than so long began in the last so many months.
    """
    if window is None or window == part.window:
        return True
    limit, own = part.limit, part.window
    return (
        limit is not None
        and not limit.unended
        and own is not None
        and (window.kind, own.kind) == ("last-months", "month")
        and (window.day, own.day) == (limit.start, limit.end)
        and _longest_days(limit) + MONTH_DAYS - 1 < shortest_months(window.months)
    )


def _longest_days(limit: Limit) -> int:
    if limit.unit == "months":
        return longest_months(limit.at_most)
    return limit.at_most if limit.unit == "days" else limit.at_most * 7 // 5 + EXTRA_DAYS


def _is_too_recent(window: Window | None, other: Measure) -> bool:
    """Whether a window of the last months ends before another measure begins to count."""
    return (
        window is not None
        and window.kind == "last-months"
        and any(
            each.day == window.day
            and each.days + (each.working_days or 0) >= longest_months(window.months)
            for each in other.starts
        )
    )


def _ends_before(one: Limit | None, other: Limit | None) -> bool:
    return (
        one is not None
        and other is not None
        and is_same_span(one, other)
        and one.at_most <= other.more_than
        and not (one.unended and other.unended)
    )


def _narrows(part: Match | None, whole: Match | None) -> bool:
    """Whether every text that passes `part` passes `whole`."""
    if whole is None or part == whole:
        return True
    if part is None:
        return False
    if part.any_of:
        return all(whole(text) for text in part.any_of)
    return bool(whole.none_of) and not any(part(text) for text in whole.none_of)


def _exclude(one: Match | None, other: Match | None) -> bool:
    """Whether no text on a list passes the other test."""
    if one is None or other is None or not one.any_of:
        return False
    return not any(other(text) for text in one.any_of)


def _is_within(part: Limit | None, whole: Limit | None) -> bool:
    if whole is None:
        return True
    return (
        part is not None
        and is_same_span(part, whole)
        and part.more_than >= whole.more_than
        and part.at_most <= whole.at_most
        and (whole.unended or not part.unended)
    )


def is_same_span(one: Limit, other: Limit) -> bool:
    """Whether two limits bound the same time in the same unit."""
    return (one.start, one.end, one.unit) == (other.start, other.end, other.unit)
