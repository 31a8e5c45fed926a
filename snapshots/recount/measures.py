"""Whether a measure counts a fact about a case on a day (docs/indicators.md, Words)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas.catalogue import Limit, Match, Measure, Start, Window
from schemas.places import Locality
from snapshots.recount.days import WorkingDays, back, financial_year_of, month_of

# More months than lie between any two days.
ALL_MONTHS = 12 * 300


@dataclass
class Countable:
    """Something that a measure of cases may count on the as-of date.

    `days` has those of the days that a measure may name which have come by then; `texts` what its
    tests are of, and `flags` those that it has.
    """

    locality: Locality
    band: str
    days: dict[str, int]
    texts: Mapping[str, str]
    is_closed: bool = False
    flags: set[str] = field(default_factory=set)


def is_about(measure: Measure, texts: Mapping[str, str]) -> bool:
    """Whether a fact with these texts passes a measure's tests of texts."""
    return (
        _passes(measure.holder, texts.get("holder"))
        and _passes(measure.outcome, texts.get("outcome"))
        and _passes(measure.notification_type, texts.get("notification_type"))
    )


def counts(measure: Measure, counted: Countable, today: int, week: WorkingDays) -> bool:
    """Whether a measure counts today a fact of its kind and state that it is about."""
    days = counted.days
    return (
        counted.flags.issuperset(measure.flags)
        and (measure.window is None or _is_within(measure.window, days, today))
        and all(_has_begun(start, days, today, week) for start in measure.starts)
        and (measure.limit is None or _is_kept(measure.limit, days, week))
    )


def within_months(earlier: int, later: int, months: int) -> bool:
    """Whether a day is within so many months after another; the same day is."""
    return earlier <= later and (months > ALL_MONTHS or earlier > back(later, months))


def _passes(match: Match | None, text: str | None) -> bool:
    return match is None or (text is not None and match(text))


def _is_within(window: Window, days: Mapping[str, int], today: int) -> bool:
    day = days.get(window.day)
    if day is None:
        return window.kind == "until-year-end"
    if window.kind == "last-months":
        return within_months(day, today, window.months)
    if window.kind in {"financial-year", "until-year-end"}:
        return financial_year_of(day) >= financial_year_of(today)
    months_since = month_of(today) - month_of(day)
    if window.kind == "month":
        return months_since == 0
    return (1 if window.kind == "months-after" else window.months) <= months_since <= window.months


def _has_begun(start: Start, days: Mapping[str, int], today: int, week: WorkingDays) -> bool:
    day = days.get(start.day)
    if day is None:
        return False
    if start.working_days is None:
        return day + start.days <= today
    return week.between(day + start.days, today) > start.working_days


def _is_kept(limit: Limit, days: Mapping[str, int], week: WorkingDays) -> bool:
    start, end = days.get(limit.start), days.get(limit.end)
    if start is None or end is None:
        return limit.unended and start is not None
    if limit.unit == "months":
        is_longer = limit.more_than < 0 or not within_months(start, end, limit.more_than)
        return start <= end and is_longer and within_months(start, end, limit.at_most)
    taken = week.between(start, end) if limit.unit == "working-days" else end - start
    return limit.more_than < taken <= limit.at_most
