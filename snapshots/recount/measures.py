"""Whether a measure counts a fact about a case on a day (docs/indicators.md, Words)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial

from schemas.catalogue import Limit, Match, Measure, Start, Window
from schemas.places import Locality
from snapshots.recount.days import WorkingDays, back, financial_year_of, month_of

# More months than lie between any two days.
ALL_MONTHS = 12 * 300
# Days of facts of which it is remembered whether they lie in a window: of 20 years.
MOST_DAYS = 8_192


@dataclass(slots=True)
class Countable:
    """Something that a measure of cases may count on the as-of date.

    `days` has those of the days that its measures name which have come by then, and `flags` those
    that it has.
    """

    locality: Locality
    band: str
    days: dict[str, int]
    flags: set[str] = field(default_factory=set)


class DatedMeasures:
    """Measures as of one day, ready to be asked about facts that all of them are about."""

    def __init__(self, measures: Iterable[Measure], today: int, week: WorkingDays) -> None:
        by_window: dict[Window | None, list[_DatedMeasure]] = {}
        for it in measures:
            by_window.setdefault(it.window, []).append(_DatedMeasure(it, today, week))
        # A fact that lies outside of a window, as most do, is not asked about one by one. Windows
        # ask of a single day, of which a log has the same ones over and over.
        self._by_window = [
            (window.day, lru_cache(MOST_DAYS)(partial(_is_within, window, today)), its)
            for window, its in by_window.items()
            if window
        ]
        self._always = by_window.get(None, [])

    def amounts(self, counted: Countable) -> list[tuple[str, int]]:
        """What a fact adds to each slot."""
        found, days = list[tuple[str, int]](), counted.days
        for measure in self._always:
            found += measure.amounts(counted)
        for name, is_within, measures in self._by_window:
            if is_within(days.get(name)):
                for measure in measures:
                    found += measure.amounts(counted)
        return found


class _DatedMeasure:
    """A measure but for its window, as of one day."""

    def __init__(self, measure: Measure, today: int, week: WorkingDays) -> None:
        self._flags, self._limit, self._total = set(measure.flags), measure.limit, measure.total
        self._slots, self._week = measure.slots, week
        self._one = [(measure.slots[0], 1)]
        self._starts = [
            (it.day, lru_cache(MOST_DAYS)(partial(_has_begun, it, today, week)))
            for it in measure.starts
        ]

    def amounts(self, counted: Countable) -> Sequence[tuple[str, int]]:
        """What a fact within the window adds to each of the measure's slots, if it counts."""
        days, limit, total = counted.days, self._limit, self._total
        if self._flags and not self._flags <= counted.flags:
            return ()
        for name, has_begun in self._starts:
            if not has_begun(days.get(name)):
                return ()
        if limit and not _is_kept(limit, days, self._week):
            return ()
        if total is None:
            return self._one
        return [*self._one, (self._slots[1], days[total.end] - days[total.start])]


def is_about(measure: Measure, texts: Mapping[str, str]) -> bool:
    """Whether a fact with these texts passes a measure's tests of texts."""
    return (
        _passes(measure.holder, texts.get("holder"))
        and _passes(measure.outcome, texts.get("outcome"))
        and _passes(measure.notification_type, texts.get("notification_type"))
    )


def within_months(earlier: int, later: int, months: int) -> bool:
    """Whether a day is within so many months after another; the same day is."""
    return earlier <= later and (months > ALL_MONTHS or earlier > back(later, months))


def _passes(match: Match | None, text: str | None) -> bool:
    return match is None or (text is not None and match(text))


def _is_within(window: Window, today: int, day: int | None) -> bool:
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


def _has_begun(start: Start, today: int, week: WorkingDays, day: int | None) -> bool:
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
