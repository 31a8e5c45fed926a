"""What changed: every figure that is another one than on a day, or in a release, and by what."""

import asyncio
import base64
import binascii
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from processors.behind.counted_rows import Question
from processors.behind.held_rows import MovedSubject
from processors.behind.moved_cases import balances, events_behind
from processors.days.calendar import day_number
from processors.figures.asking import NotThere, RowChoice, indicator_of, place_of
from schemas.cells import CellKey
from schemas.outward import csv_text
from schemas.release import Change, Release, ReleaseCell
from schemas.scorecard import ScorecardRow
from snapshots.making.freeze import released_cells
from snapshots.releases.release_failures import ReleaseError
from streams.serving.against import Against, held_against
from streams.serving.answers import Answer, is_held, unchanged
from streams.serving.data_answers import as_json, told_of
from streams.serving.freshness import Freshness
from streams.serving.parameters import PAGE_LENGTH, with_query
from streams.serving.problems import wrong_parameter
from streams.serving.roles import CSV, SEE_CASES
from streams.serving.site import Call, LiveSite

# Cases that moved of the figures of one answer, beyond which the events behind are not looked for.
MOST_MOVED = 300
FIGURE = ("numerator", "denominator", "value", "status")
Key = tuple[str, str, str, str]


class ChangedFigure(NamedTuple):
    """A figure before and now; None for one that there was not, or is not."""

    code: str
    level: str
    place: str
    age_band: str
    before: float | None
    now: float | None
    numerator_before: float | None
    numerator: float | None
    denominator_before: float | None
    denominator: float | None

    @property
    def key(self) -> Key:
        """What tells it from others."""
        return self.code, self.level, self.place, self.age_band


class ChangeCauses(NamedTuple):
    """How many cases entered a numerator and left it, and the events behind, by type.

    None where that is not known: against a release the first, where much moved the second.
    """

    entered: int | None = None
    left: int | None = None
    events: str | None = None


async def changes(site: LiveSite, call: Call) -> Answer:
    """A page of the figures that changed, of places that who asks sees in full."""
    taking, asked = call.taking, call.asked
    against, fresh = await held_against(site, asked)
    cut = against.earlier.cut if isinstance(against.earlier, Release) else ()
    tag = site.tag(fresh, call, against.name, against.day, cut)
    if is_held(tag, call.if_none_match):
        return unchanged(tag)
    found = await _changed(site, call, fresh, against)
    start = _start(found, call.asked.one("cursor"))
    page = found[start : start + PAGE_LENGTH]
    more = found[start + PAGE_LENGTH :]
    behind, left_out = await _behind(site, page, fresh, against)
    following = _cursor(page[-1]) if more else None
    addresses = [_explained(call, it, against) for it in page]
    if taking.media == CSV:
        columns = (*ChangedFigure._fields, *ChangeCauses._fields)
        text = csv_text([columns, *((*it, *behind[it.key]) for it in page)])
    else:
        rows = [
            {**it._asdict(), **behind[it.key]._asdict(), "explanation": address}
            for it, address in zip(page, addresses, strict=True)
        ]
        told = {
            "against": against.name,
            "changed": len(found),
            "next": following,
            "events_left_out": left_out or None,
            "rows": rows,
        }
        text = as_json({**told_of(fresh), **told})
    answer = await site.answer(fresh, call, text, tag)
    if following is None:
        return answer
    link = f"<{with_query(call.route.path, call.asked.query(cursor=following))}>"
    return replace(answer, headers={**answer.headers, "Link": f'{link}; rel="next"'})


async def _changed(
    site: LiveSite, call: Call, fresh: Freshness, against: Against
) -> list[ChangedFigure]:
    """The figures that changed of those that are asked for, in the order of the scorecard."""
    rules = site.rules
    scorecard = await site.figures.scorecard(fresh.day, fresh.moment)
    then: list[ScorecardRow] = []
    try:
        choice = RowChoice(rules, call.asked.rows)
        rows = choice.chosen(scorecard.rows)
        if against.earlier is None:
            then = choice.chosen((await site.figures.scorecard(against.day, fresh.moment)).rows)
    except NotThere as error:
        raise wrong_parameter(error.name, str(error)) from error
    seen = [it for it in rows if call.identity.sees(it.area, rules.areas)]
    if against.earlier is None:
        before = {_key(it): it for it in then}
        pairs = [(before.get(_key(it)), it) for it in seen]
        return [
            _figure(_key(now), was, now)
            for was, now in pairs
            if any(_of(was, name) != getattr(now, name) for name in FIGURE)
        ]
    released = await _cells_before(site, against)
    live = {it.key: it for it in released_cells(rules, seen)}
    of_areas = {it.name: it.level for it in rules.areas.area}
    return [
        _figure((now.code, now.level or of_areas[now.area], now.area, now.age_band), was, now)
        for key, now in live.items()
        if (was := released.get(key))
        and any(_of(was, name) != getattr(now, name) for name in FIGURE)
    ]


async def _cells_before(site: LiveSite, against: Against) -> Mapping[CellKey, ReleaseCell]:
    """The figures of a release, or as they were known at a moment. Raises Problem."""
    assert against.earlier is not None
    if isinstance(against.earlier, Release):
        return {it.key: it for it in against.earlier.cells}
    try:
        return (await site.figures.since(against.day, against.earlier)).before
    except ReleaseError as error:
        raise wrong_parameter("against", f"{against.name}: {error}") from error


def _key(row: ScorecardRow) -> Key:
    return row.code, row.level, row.area, row.age_band


def _of(figure: Any, name: str) -> Any:
    return None if figure is None else getattr(figure, name)


def _figure(key: Key, was: Any, now: Any) -> ChangedFigure:
    names = "value", "numerator", "denominator"
    return ChangedFigure(*key, *(_of(it, name) for name in names for it in (was, now)))


async def _behind(
    site: LiveSite, page: Sequence[ChangedFigure], fresh: Freshness, against: Against
) -> tuple[dict[Key, ChangeCauses], str]:
    """What is behind each of the figures; and why events are left out, where they are."""
    if against.earlier is not None:
        try:
            since = await site.figures.since(against.day, against.earlier)
        except ReleaseError as error:
            return {it.key: ChangeCauses() for it in page}, str(error)
        named = {(it.code, it.level, it.area, it.age_band): it for it in since.changes}
        areas = site.rules.areas.levels
        unsaid = ((it, "" if it.level in areas else it.level) for it in page)
        found = ((it, named.get((it.code, level, it.place, it.age_band))) for it, level in unsaid)
        return {it.key: ChangeCauses(events=_types_of(change)) for it, change in found}, ""
    return await _behind_days(site, page, day_number(fresh.day), day_number(against.day))


def _types_of(change: Change | None) -> str | None:
    if change is None:
        return None
    more = [f"{change.more_causes:,} more"] if change.more_causes else []
    return "; ".join([*_by_type(it.type for it in change.causes), *more])


def _by_type(types: Iterable[str]) -> list[str]:
    return [f"{number:,} {name}" for name, number in sorted(Counter(types).items())]


async def _behind_days(
    site: LiveSite, page: Sequence[ChangedFigure], day: int, since: int
) -> tuple[dict[Key, ChangeCauses], str]:
    """What moved between two days, and by which events where not too much did."""
    rules = site.rules
    questions: dict[Key, Question] = {}
    for it in page:
        indicator = indicator_of(rules, it.code)
        if indicator.source == "events":
            place = place_of(rules, indicator, it.place, it.level)
            questions[it.key] = Question(indicator, place, it.age_band, day)
    asked = [(it._replace(day=since), it) for it in questions.values()]
    moves = dict(zip(questions, await site.cases.all_moved(asked), strict=True))
    is_little = sum(map(len, moves.values())) <= MOST_MOVED
    children = {it.subject.child for of_cell in moves.values() for it in of_cell}
    read = await site.cases.children(sorted(children)) if is_little else {}
    records = {name: it.record for name, it in read.items()}
    found = {}
    for it in page:
        if it.key not in moves:
            found[it.key] = ChangeCauses()
            continue
        of_cell: list[MovedSubject] = moves[it.key]
        above, _ = balances(of_cell)
        events = None
        if is_little:
            there = [move for move in of_cell if move.subject.child in records]
            behind = events_behind(rules, questions[it.key], since, there, records)
            await asyncio.sleep(0)  # whoever else is served has a turn
            each = {(one.source, one.id): one for some in behind.values() for one in some}
            events = "; ".join(_by_type(one.type for one in each.values()))
        found[it.key] = ChangeCauses(above.entered_subjects, above.left_subjects, events)
    much = f"more than {MOST_MOVED} cases moved: an explanation of each figure names its events"
    return found, "" if is_little else much


def _explained(call: Call, it: ChangedFigure, against: Against) -> str | None:
    """Where a change is explained case by case, for who may see cases."""
    if call.identity.roles.isdisjoint(SEE_CASES):
        return None
    own = {"code": it.code, "place": it.place, "level": it.level, "age_band": it.age_band}
    kept = {name: None for name in call.asked.values if name != "as_of"}
    return with_query(
        "/api/v1/explanations", call.asked.query(**{**kept, **own, "against": against.name})
    )


def _cursor(it: ChangedFigure) -> str:
    """Where the next page begins: after this one, in the order of the scorecard."""
    return base64.urlsafe_b64encode(json.dumps(it.key).encode()).decode().rstrip("=")


def _start(found: Sequence[ChangedFigure], cursor: str | None) -> int:
    """Where a page begins: after the figure that a cursor names, if it still differs."""
    if cursor is None:
        return 0
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
        key = tuple(json.loads(text))
    except (binascii.Error, ValueError, TypeError):
        raise wrong_parameter("cursor", "none that was given out here") from None
    at = next((number for number, it in enumerate(found) if it.key == key), None)
    if at is None:
        raise wrong_parameter("cursor", "figures have changed since: begin again without it")
    return at + 1
