"""Figures as the pages and the API read them: by the readers of the command line, kept for a while.

What was worked out is kept under where the state stood, so that it is shown again only while that
is so. Redis is asked where the state stands for every answer, and for figures when that has moved.
"""

import asyncio
import logging
from collections.abc import Awaitable, Mapping, Sequence, Set
from datetime import date, datetime
from typing import NamedTuple, TypeVar

from aiokafka.errors import KafkaError
from msgspec.structs import replace
from redis.asyncio import Redis
from redis.exceptions import RedisError

from processors.days.calendar import previous_month_end
from processors.figures.evaluate import AsOf
from processors.figures.series import CellOf, Dated, Series
from processors.places.forecast import Forecast, forecast
from processors.rules import Rules
from schemas.cells import CellKey
from schemas.release import Change, Commentary, Release
from schemas.scorecard import ScorecardRow
from schemas.settings import Settings
from snapshots.disclosure.live_suppression import key_of
from snapshots.making.freeze import commentary
from snapshots.releases.release_failures import ReleaseError
from streams.clock import Clock
from streams.failures import Understood, described
from streams.jobs.data_quality import contradictions
from streams.jobs.live_changes import SinceCut, since
from streams.jobs.series_by_month import live_series
from streams.serving.identity import Identity, is_within
from streams.serving.last_asked import LastAsked
from streams.serving.problems import NothingRead, away
from streams.serving.seen_figures import SeenFigures, hidden_from
from streams.serving.shared_work import SharedWork
from streams.state.held_tables import HeldTables
from streams.state.reading import (
    NothingYet,
    StateStanding,
    latest_in,
    messages_in,
    read_known,
    read_reference,
    read_scorecard,
    read_series,
    read_standing,
    read_stocks,
)
from streams.state.store import layout

T = TypeVar("T")

log = logging.getLogger(__name__)

# A page is not waited for longer than this.
ANSWER_SECONDS = 10.0
# A list reads every record, so it takes longer.
LIST_SECONDS = 120.0
# Whole scorecards kept: some dates, and the month before each. One takes some ten megabytes.
KEPT = 8
# Sets of suppressed cells kept: of three days each for some who see different places in full.
KEPT_SUPPRESSED = 12
# Series of the headlines kept: those of some twenty places. One takes some ten kilobytes.
KEPT_TRENDS = 20
# Releases of which it is kept what they differ from live by, case by case.
KEPT_EXPLAINED = 2


class Moment(NamedTuple):
    """Where the state stood: what tells it from any other, and what is said of it.

    Before there is any state the version is empty, and the note says what to do.
    """

    version: str
    latest: int | None
    messages: int
    notes: tuple[str, ...]


class Scorecard(NamedTuple):
    """Every row of a scorecard, at every level, and the moment that it is of."""

    rows: list[ScorecardRow]
    moment: Moment


class _SuppressedCells(NamedTuple):
    """What is suppressed of rows."""

    rows: list[ScorecardRow]
    cells: Set[CellKey]


class _SeenRows(NamedTuple):
    """Rows, what is hidden of them and of the month before, and what is left to be seen."""

    rows: list[ScorecardRow]
    hidden: tuple[Set[CellKey], Set[CellKey]]
    seen: list[ScorecardRow]


class LiveChanges(NamedTuple):
    """Figures that are others than released with the events behind each; or why there are none."""

    changes: tuple[Change, ...]
    left_out: str = ""


class PeriodCommentary(NamedTuple):
    """A narrative, and the month whose figures it is about."""

    period: str
    said: Commentary


class LiveFigures:
    """The scorecards of a deployment."""

    def __init__(self, redis: Redis, settings: Settings, rules: Rules, clock: Clock) -> None:
        self.rules, self.clock, self.settings = rules, clock, settings
        self.redis = redis
        self._held = HeldTables()
        self._layout = layout(rules)
        self._scorecards = LastAsked[Scorecard](KEPT)
        self._suppressed = LastAsked[_SuppressedCells](KEPT_SUPPRESSED)
        self._seen_rows = LastAsked[_SeenRows](KEPT)
        self._trends = LastAsked[list[Series]](KEPT_TRENDS)
        self._seen_figures = SeenFigures(rules)
        self._explained = LastAsked[SinceCut](KEPT_EXPLAINED)
        self._explaining = asyncio.Lock()  # for which the log is gone through
        self._readings = SharedWork[Scorecard]()
        self._standings = SharedWork[StateStanding]()
        self._shown = SharedWork[Scorecard]()
        self._months = SharedWork[list[Series]]()

    async def moment(self, day: date) -> Moment:
        """Where the state stands for a date's figures. Raises Problem."""
        try:
            return self._moment(
                await self._standings.begun_from_now(
                    day, lambda: answered(read_standing(*self._state, day))
                )
            )
        except NothingRead as problem:
            return Moment("", None, 0, (f"No event has been read yet: {problem.detail}.",))

    async def scorecard(self, day: date, moment: Moment) -> Scorecard:
        """The scorecard of a date, as it is known at a moment or later. Raises Problem."""
        found = self._scorecards.get(("rows", day, moment.version))
        if found is None and (under_way := self._readings.under_way(day)):
            # It began before it was asked for, and yet may be of that very moment.
            await asyncio.wait([under_way])
            found = self._scorecards.get(("rows", day, moment.version))
        return found or await self._readings.begun_from_now(day, lambda: self._keep_read(day))

    async def shown(self, day: date, moment: Moment, identity: Identity) -> Scorecard:
        """The scorecard of a date as someone may see it. Raises Problem.

        Of what is suppressed nothing is left but that it is; nor is a figure compared with one of
        the month before that is.
        """
        full = await self.scorecard(day, moment)
        if identity.sees_all:
            return full
        before_day = previous_month_end(day)
        before = await self.scorecard(before_day, moment)
        key = "shown", day, full.moment.version, before.moment.version, identity.view
        found = self._scorecards.get(key)
        if found is None:

            async def suppress() -> Scorecard:
                hidden = await self._hidden(day, full, identity)
                hidden_before = await self._hidden(before_day, before, identity)
                rows = await self._seen(day, full, identity, (hidden, hidden_before))
                return Scorecard(rows, full.moment)

            found = self._scorecards.keep(key, await self._shown.joined(key, suppress))
        return found

    async def days(self, dates: Sequence[date], cell: CellOf) -> list[Dated]:
        """A figure as of each of some dates, as known now. Raises Problem."""
        return (await answered(read_series(*self._state, dates, cell))).figures

    async def months(
        self, cells: Sequence[CellOf], dates: Sequence[date], today: date, identity: Identity
    ) -> list[Series]:
        """Figures by month as someone may see them, with what the variation of each says.

        Of what is suppressed nothing is left but that it is. Raises Problem.
        """

        async def seen(as_of: AsOf, cells: Sequence[CellOf]) -> list[Dated]:
            return await self._seen_figures.of(as_of, cells, identity)

        is_full = all(identity.sees(place.name, self.rules.areas) for _, place, _ in cells)
        work = live_series(*self._state, cells, dates, today, None if is_full else seen)
        # What is suppressed is worked out meanwhile, which is no time that Redis takes.
        return await answered(work, ANSWER_SECONDS if is_full else LIST_SECONDS)

    async def trends(
        self,
        cells: Sequence[CellOf],
        dates: Sequence[date],
        today: date,
        moment: Moment,
        identity: Identity,
    ) -> list[Series]:
        """The same as it is known at a moment or later, kept. Raises Problem."""
        of = tuple((indicator.code, place, band) for indicator, place, band in cells)
        key = "trends", of, tuple(dates), today, moment.version, identity.view
        found = self._trends.get(key)
        if found is None:
            found = await self._months.joined(
                key, lambda: self.months(cells, dates, today, identity)
            )
            self._trends.keep(key, found)
        return found

    async def commentary(self, day: date) -> list[PeriodCommentary]:
        """What was written beside the figures of a date's month, and of the one before it.

        Raises Problem.
        """
        reference = await answered(read_reference(*self._state, self._held))
        return [
            PeriodCommentary(f"{month:%Y-%m}", it)
            for month in (day, previous_month_end(day))
            for it in commentary(reference.events, self.rules.areas, f"{month:%Y-%m}")
        ]

    async def forecast(self, today: date, days: Sequence[date]) -> list[Forecast]:
        """Cases that breach standards today, and later if nothing happens. Raises Problem."""
        now, *later = (await answered(read_stocks(*self._state, [today, *days]))).by_date
        return forecast(self.rules, now, list(zip(days, later, strict=True)))

    async def contradictions(self, day: date) -> list[Sequence[object]]:
        """Figures of a date that contradict themselves or what is supplied. Raises Problem."""
        known = await answered(read_known(*self._state, day))
        return list(contradictions(self.rules, known))

    async def changes_since(self, release: Release) -> LiveChanges:
        """The events behind what is not as it was released. Raises Problem."""
        try:
            return LiveChanges((await self.since(release.as_of, release)).changes)
        except ReleaseError as error:
            return LiveChanges((), str(error))

    async def since(self, day: date, earlier: Release | datetime) -> SinceCut:
        """Figures as they are live and were released or known, and why they differ.

        For one question at a time the log is gone through; what it said is kept while it holds.
        Raises Problem, ReleaseError.
        """
        async with self._explaining:
            moment = await self.moment(day)
            at = (earlier.period, earlier.cut) if isinstance(earlier, Release) else earlier
            key = "since", day, at, moment.version
            found = self._explained.get(key)
            if found is None:
                work = since(self.redis, self.settings, self.rules, day, earlier)
                try:
                    found = self._explained.keep(key, await answered(work, LIST_SECONDS))
                except KafkaError as error:
                    log.warning("the log cannot be read", extra={"error": described(error)})
                    raise away("the log does not answer, so it cannot say why") from error
            return found

    async def _hidden(self, day: date, of: Scorecard, identity: Identity) -> Set[CellKey]:
        """What is suppressed of a scorecard: of the same figures as before it is the same.

        Most events are of today, so that of days that are over little is worked out twice.
        """
        key = "hidden", day, identity.view
        found = self._suppressed.get(key)
        if found is None or found.rows != of.rows:
            hidden = await hidden_from(identity, self.rules, of.rows)
            found = self._suppressed.keep(key, _SuppressedCells(of.rows, hidden))
        return found.cells

    async def _seen(
        self,
        day: date,
        of: Scorecard,
        identity: Identity,
        hidden: tuple[Set[CellKey], Set[CellKey]],
    ) -> list[ScorecardRow]:
        """The rows without what is hidden, now and of the month before; kept as that is."""
        key = "seen", day, identity.view
        found = self._seen_rows.get(key)
        if found is None or found.hidden != hidden or found.rows != of.rows:
            seen = await asyncio.to_thread(self._all_as_seen, of.rows, *hidden, identity)
            found = self._seen_rows.keep(key, _SeenRows(of.rows, hidden, seen))
        return found.seen

    def _all_as_seen(
        self,
        rows: Sequence[ScorecardRow],
        hidden: Set[CellKey],
        hidden_before: Set[CellKey],
        identity: Identity,
    ) -> list[ScorecardRow]:
        areas, places = self.rules.areas, identity.own_places
        return [
            row if is_within(row.area, places, areas) else self._as_seen(row, hidden, hidden_before)
            for row in rows
        ]

    def _as_seen(
        self, row: ScorecardRow, hidden: Set[CellKey], hidden_before: Set[CellKey]
    ) -> ScorecardRow:
        key = key_of(row)
        nothing: Mapping[str, None] = {"numerator": None, "denominator": None}
        compared: Mapping[str, None] = {"previous": None, "direction": None, "rag": None}
        if key in hidden:
            gone = {**nothing, **compared, "value": None, "status": "suppressed"}
        elif key in hidden_before:
            gone = {**nothing, **compared}
        else:
            gone = {**nothing}
        return replace(row, **gone)

    async def _keep_read(self, day: date) -> Scorecard:
        found = await answered(self._read(day))
        return self._scorecards.keep(("rows", day, found.moment.version), found)

    async def _read(self, day: date) -> Scorecard:
        live = await read_scorecard(*self._state, day, self.rules.graph.levels, self._held)
        return Scorecard(live.rows, self._moment(StateStanding(live.heads, live.notes)))

    @property
    def _state(self) -> tuple[Redis, str, Rules]:
        return self.redis, self.settings.deployment, self.rules

    def _moment(self, standing: StateStanding) -> Moment:
        places = [(*shard, head.place) for shard, head in sorted(standing.heads.items())]
        version = repr((self._layout, self.rules.catalogue.version, places, standing.notes))
        heads = standing.heads
        return Moment(version, latest_in(heads), messages_in(heads), standing.notes)


async def answered(work: Awaitable[T], seconds: float | None = ANSWER_SECONDS) -> T:
    """What Redis answers within the time that a page is waited for, if any. Raises Problem.

    What rests on events raises NothingRead before there is any state.
    """
    try:
        async with asyncio.timeout(seconds):
            return await work
    except NothingYet as error:
        raise NothingRead(str(error)) from error
    except Understood as error:
        raise away(str(error)) from error
    except (RedisError, TimeoutError, OSError) as error:
        log.warning("figures cannot be read", extra={"error": described(error)})
        raise away(
            "the store of the figures does not answer, so none can be shown now; the operator's "
            "`caseline doctor` looks closer"
        ) from error
