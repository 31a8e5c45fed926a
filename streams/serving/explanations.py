"""Why a figure is another one than it was: what entered and what left it, to the last one.

Against a day the cases held here say it (processors.behind.moved_cases); against a release or a
moment the log does, by the rule that releases name their causes by (snapshots.checking.causes).
What is not of cases, such as a denominator that others supply, is said apart, so that the sum is
the difference.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from processors.behind.counted_rows import Question, Subject
from processors.behind.held_rows import MovedSubject, case_reference
from processors.behind.moved_cases import Balance, balances, events_behind
from processors.days.calendar import date_of, day_number
from processors.figures.figure_text import value_text
from processors.record.decoding import Event
from processors.rules import Rules
from schemas.cells import CellKey
from schemas.outward import csv_text
from schemas.release import Release, ReleaseCell
from schemas.scorecard import ScorecardRow
from snapshots.checking.differences import Explanation
from snapshots.releases.release_failures import ReleaseError
from streams.serving.against import Against, held_against
from streams.serving.answers import Answer, unkept
from streams.serving.case_list import check_listed
from streams.serving.case_timeline import event_words
from streams.serving.data_answers import as_json, told_of
from streams.serving.freshness import Freshness
from streams.serving.indicator_answers import AskedCell, address_of, cell_asked
from streams.serving.live_figures import Moment
from streams.serving.parameters import pages_of, part_of, with_query
from streams.serving.problems import wrong_parameter
from streams.serving.roles import CSV, HTML
from streams.serving.site import Call, LiveSite

COLUMNS = (
    *("subject", "child", "reference", "numerator_before", "numerator"),
    *("denominator_before", "denominator", "events"),
)
# Of a figure that there was not, or is not.
NO_NUMBER = "\N{EN DASH}"
NO_CELL = (None, None, None)
Number = float | None


class ComparedFigure(NamedTuple):
    """A figure: its numerator, its denominator and its value."""

    numerator: Number
    denominator: Number
    value: Number


class BehindEvent(NamedTuple):
    """An event behind a move. Its content is not told."""

    day: str
    type: str
    source: str
    id: str
    revision: int


class ExplainedMove(NamedTuple):
    """A subject that adds something else now, and the events behind that.

    None where it is the days alone that have passed.
    """

    move: MovedSubject
    events: tuple[BehindEvent, ...]

    @property
    def reference(self) -> str | None:
        """Its reference, where it is a case."""
        child, name, is_case = self.move.subject
        return case_reference(child, name) if is_case else None


@dataclass(frozen=True)
class ExplainedFigure:
    """A difference: the figure before and now, all that moved, and a page of it with its events."""

    before: ComparedFigure
    now: ComparedFigure
    above: Balance
    below: Balance
    moves: Sequence[MovedSubject]
    shown: Sequence[ExplainedMove]
    page: int
    pages: int

    @property
    def by(self) -> tuple[Number, Number]:
        """How much more the numerator and the denominator are."""
        return (
            _less(self.now.numerator, self.before.numerator),
            _less(self.now.denominator, self.before.denominator),
        )

    @property
    def of_no_case(self) -> tuple[Number, Number]:
        """What of that is of no case."""
        return _less(self.by[0], self.above.by), _less(self.by[1], self.below.by)


async def explanations(site: LiveSite, call: Call) -> Answer:
    """What entered a figure and what left it since then; as a page, JSON or CSV."""
    taking, asked, identity = call.taking, call.asked, call.identity
    cell = cell_asked(site, asked)
    check_listed(cell)
    against, fresh = await held_against(site, asked)
    if against.earlier is None:
        found = await _since_day(site, cell, against.day, fresh, asked.page)
    else:
        found = await _since_cut(site, cell, against.name, fresh.day, against.earlier, asked.page)
    await site.note(call, "shown", len(found.shown), len(found.moves))
    if taking.media == HTML:
        own = call.asked
        text = site.page(
            "explanation.html",
            call,
            identity,
            fresh=fresh,
            cell=cell,
            found=found,
            against=against,
            is_released=isinstance(against.earlier, Release),
            number=lambda it: NO_NUMBER if it is None else f"{it:,g}",
            value=lambda it: value_text(cell.indicator, it),
            event_words=event_words,
            here=lambda number: "?" + own.query(page=str(number)),
            live_address=with_query("/explanations", own.query(as_of=None)),
            indicator_address=address_of(
                cell.indicator.code, own.query(code=None, against=None, page=None)
            ),
        )
        return unkept(text, taking)
    if taking.media == CSV:
        return unkept(csv_text([COLUMNS, *map(_row, found.shown)]), taking)
    return unkept(as_json({**told_of(fresh), **_told(cell, against, found)}), taking)


async def _since_day(
    site: LiveSite, cell: AskedCell, since: date, fresh: Freshness, page: int
) -> ExplainedFigure:
    """What moved since a day, as it is known now."""
    question = Question(cell.indicator, cell.place, cell.band, day_number(fresh.day))
    then = question._replace(day=day_number(since))
    moves = await site.cases.moved(then, question)
    pages = pages_of(len(moves), page)
    part = moves[part_of(page)]
    children = await site.cases.children(it.subject.child for it in part)
    records = {name: it.record for name, it in children.items()}
    there = [it for it in part if it.subject.child in records]
    behind = events_behind(site.rules, question, then.day, there, records)
    shown = [ExplainedMove(it, _events(behind[it.subject])) for it in there]
    moment = fresh.moment
    before, now = (
        await _figure(site, cell, since, moment),
        await _figure(site, cell, fresh.day, moment),
    )
    return ExplainedFigure(before, now, *balances(moves), moves, shown, page, pages)


async def _since_cut(
    site: LiveSite,
    cell: AskedCell,
    name: str,
    day: date,
    earlier: Release | datetime,
    page: int,
) -> ExplainedFigure:
    """What moved since a release was cut, or since a moment, as of a day."""
    key = release_key(site, cell)
    try:
        since = await site.figures.since(day, earlier)
    except ReleaseError as error:
        raise wrong_parameter("against", f"{name}: {error}") from error
    before, live = since.before.get(key), since.live.get(key)
    if before is None:
        raise wrong_parameter("against", f"{name} does not have that figure")
    moves, spots = _moves(site.rules, cell, since.explanation, before)
    pages = pages_of(len(moves), page)
    shown = [
        ExplainedMove(it, _events(map(since.explanation.event, sorted(spots[it.subject]))))
        for it in moves[part_of(page)]
    ]
    return ExplainedFigure(
        _compared(before), _compared(live), *balances(moves), moves, shown, page, pages
    )


def release_key(site: LiveSite, cell: AskedCell) -> CellKey:
    """What tells a cell from others in a release, which leaves the level of areas unsaid."""
    place = cell.place
    level = "" if place.level in site.rules.areas.levels else place.level
    return CellKey(cell.indicator.code, place.name, cell.band, level)


def _moves(
    rules: Rules, cell: AskedCell, explanation: Explanation, released: ReleaseCell
) -> tuple[list[MovedSubject], dict[Subject, set[tuple[str, int, int]]]]:
    """What moved by subject, from what moved in each slot, and where the events behind lie."""
    above, below = explanation.shifts(released)
    indicator = cell.indicator
    under = indicator.denominator if isinstance(indicator.denominator, dict) else {}
    of_cases = {slot for it in rules.catalogue.case_measures for slot in it.slots}
    sums: dict[Subject, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    spots: dict[Subject, set[tuple[str, int, int]]] = defaultdict(set)
    for first, terms, shifts in ((0, indicator.numerator, above), (2, under, below)):
        for it in shifts:
            subject = Subject(it.child, it.subject, it.slot in of_cases)
            sums[subject][first] += terms[it.slot] * it.before
            sums[subject][first + 1] += terms[it.slot] * it.after
            spots[subject].update(it.spots)
    found = [MovedSubject(it, *amounts) for it, amounts in sums.items()]
    return sorted(it for it in found if it.by != (0, 0)), spots


async def _figure(site: LiveSite, cell: AskedCell, day: date, moment: Moment) -> ComparedFigure:
    scorecard = await site.figures.scorecard(day, moment)
    code, place, band = cell.indicator.code, cell.place, cell.band
    key = code, place.level, place.name, band
    row = next(
        (it for it in scorecard.rows if (it.code, it.level, it.area, it.age_band) == key), None
    )
    return _compared(row)


def _compared(it: ScorecardRow | ReleaseCell | None) -> ComparedFigure:
    return ComparedFigure(*(NO_CELL if it is None else (it.numerator, it.denominator, it.value)))


def _events(events: Iterable[Event]) -> tuple[BehindEvent, ...]:
    return tuple(
        BehindEvent(str(date_of(it.day)), it.type, it.source, it.id, it.revision) for it in events
    )


def _less(now: Number, before: Number) -> Number:
    """What is more now; None where nothing was or is known."""
    return None if now is None or before is None else round(now - before, 6)


def _row(it: ExplainedMove) -> tuple[object, ...]:
    move = it.move
    events = "; ".join(f"{event.day} {event.type}" for event in it.events)
    amounts = move.above_before, move.above, move.below_before, move.below
    return move.subject.name, move.subject.child, it.reference, *amounts, events


def _told(cell: AskedCell, against: Against, found: ExplainedFigure) -> dict[str, Any]:
    """An explanation for programs."""
    by, of_no_case = (
        {"numerator": above, "denominator": below} for above, below in (found.by, found.of_no_case)
    )
    rows = [
        {
            **dict(zip(COLUMNS, _row(it), strict=True)),
            "events": [event._asdict() for event in it.events],
        }
        for it in found.shown
    ]
    return {
        "code": cell.indicator.code,
        "place": cell.place.name,
        "level": cell.place.level,
        "age_band": cell.band,
        "against": against.name,
        "before": found.before._asdict(),
        "now": found.now._asdict(),
        "by": by,
        "numerator_moves": found.above._asdict(),
        "denominator_moves": found.below._asdict(),
        "of_no_case": of_no_case,
        "moved": len(found.moves),
        "page": found.page,
        "pages": found.pages,
        "rows": rows,
    }
