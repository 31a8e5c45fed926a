"""A figure by month with what its variation says: live, from event files, or as released."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, timedelta

import numpy as np
from redis.asyncio import Redis

from processors.days.calendar import date_of, london_days, month_number, month_start
from processors.figures.evaluate import AsOf, value_alone
from processors.figures.series import CellOf, Dated, Reach, Series, dated, series
from processors.rules import Rules
from snapshots.publish.text.view import Point, View
from snapshots.publish.text.wording import FigureMark
from streams.jobs.replay import Replay
from streams.state.reading import each_as_of, read_first_day

# How the figures of some cells as of a date are shown to someone.
Seen = Callable[[AsOf, Sequence[CellOf]], Awaitable[list[Dated]]]


async def live_series(
    redis: Redis,
    deployment: str,
    rules: Rules,
    cells: Sequence[CellOf],
    months: Sequence[date],
    today: date,
    seen: Seen | None = None,
) -> list[Series]:
    """The figure of each of some cells as of some months, oldest first, as known now.

    As they are, or as `seen` shows them to someone. Raises streams.state.reading.NothingYet,
    streams.state.store.OtherLayout, or redis.RedisError.
    """
    found: list[list[Dated]] = [[] for _ in cells]
    latest = None
    async for at in each_as_of(redis, deployment, rules, months):
        latest = at.latest
        if seen:
            shown = await seen(at.as_of, cells)
        else:
            shown = [dated(rules, at.as_of, cell) for cell in cells]
        for figures, it in zip(found, shown, strict=True):
            figures.append(it)
    reach = Reach(await read_first_day(redis, deployment, rules), _civil_date(latest), today)
    return [series(rules, cell, it, reach) for cell, it in zip(cells, found, strict=True)]


def replayed_series(
    replayed: Replay, rules: Rules, cell: CellOf, months: Sequence[date], today: date
) -> Series:
    """A cell's figure as of each of some months, oldest first, as files say."""
    found = replayed.series(months, cell)
    return series(
        rules, cell, found, Reach(replayed.first_day, _civil_date(replayed.latest), today)
    )


def released_series(view: View, rules: Rules, cell: CellOf) -> Series:
    """A cell's figure in the release of each month up to a view's own, as the view may show it.

    Values are as they were released, to one decimal; targets are the release's, and not here.
    """
    indicator, place, band = cell
    level = "" if place.level in rules.areas.levels else place.level
    points = view.trend(indicator.code, place.name, band, level)
    figures = [_released(it) for it in points]
    breaks = {
        dated.day for dated, it in zip(figures, points, strict=True) if FigureMark.BREAK in it.marks
    }
    last = figures[-1].day
    reach = Reach(figures[0].day, last, last + timedelta(days=1))
    return series(rules, cell, figures, reach, breaks)


def _released(point: Point) -> Dated:
    """A month's figure as it was released: a value alone, or none."""
    month = month_number(date.fromisoformat(f"{point.period}-01"))
    day = month_start(month + 1) - timedelta(days=1)
    shown = point.shown.value
    return Dated(day, value_alone(shown, "not-available" if shown is None else "reported"), None)


def _civil_date(instant: int | None) -> date | None:
    """The date in London of an event time in microseconds."""
    return None if instant is None else date_of(int(london_days(np.array([instant]))[0]))
