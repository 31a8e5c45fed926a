"""The demonstration: the whole path on embedded services, with a council's published month."""

import asyncio
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from importlib.resources import as_file
from itertools import count
from pathlib import Path
from time import sleep
from typing import Annotated

import typer
from redis.asyncio import Redis
from rich import box
from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from processors.days.calendar import day_number
from processors.places.forecast import forecast
from processors.rules import Rules
from schemas.alerts import AlertState
from schemas.catalogue import Catalogue
from schemas.events.registry import GROUPS
from schemas.scorecard import ScorecardRow
from schemas.settings import Settings
from streams.clock import clock_of, midnight
from streams.kafka.embedded import embedded_services
from streams.kafka.eventfiles import Judged, read_events
from streams.kafka.ingest import Sender
from streams.state.open_alerts import active_counts
from streams.state.reading import LiveScorecard, known_shards, read_scorecard, read_stocks
from streams.state.redis_clients import connect_redis, load_rules
from streams.state.store import ShardStore, stored_offsets
from streams.terminal.commands.figures import show_bad_lines
from streams.terminal.console import err, explained, out, settings_and_rules
from streams.terminal.demonstrations.june import June2017
from streams.terminal.demonstrations.october import October2015
from streams.terminal.demonstrations.processes import (
    HERE,
    START_SECONDS,
    check,
    command_process,
    free_port,
    wait_for_pages,
)
from streams.terminal.demonstrations.published import Published
from streams.terminal.demonstrations.trickle import turn

# Messages sent ahead of the worker: far fewer than the embedded broker keeps.
MOST_AHEAD = 10_000
POLL_SECONDS = 0.05
# How often the scorecard is read while it fills: reading takes from the worker's time.
SHOWN_SECONDS = 0.25
SHOWN_AREA = "Kent"
CALM_SECONDS = 1.0
AHEAD = timedelta(days=28)
# How often a family comes once the month is shown.
TURN_SECONDS = 3.0


class Year(StrEnum):
    """The published scorecards, by the year that they are of."""

    OCTOBER_2015 = "2015"
    JUNE_2017 = "2017"


ScorecardOption = Annotated[
    Year,
    typer.Option(
        "--scorecard",
        help="Which published scorecard: of October 2015, or commissioned services of June 2017.",
    ),
]
KeepOption = Annotated[
    bool,
    typer.Option(
        "--keep", help="Go on until Ctrl-C: pages in a browser, and events that move the figures."
    ),
]


SCORECARDS: dict[Year, Callable[[Catalogue], Published]] = {
    Year.OCTOBER_2015: October2015,
    Year.JUNE_2017: June2017,
}


def demo(scorecard: ScorecardOption = Year.OCTOBER_2015, keep: KeepOption = False) -> None:
    """See it work: a published month's events through Kafka into a live scorecard, in a minute.

    Starts a broker, a Redis and a worker in a temporary folder, sends synthetic events of the
    month, shows the scorecard fill, and compares it with the one that Kent published.
    """
    settings, shipped = settings_and_rules()
    published = SCORECARDS[scorecard](shipped.catalogue)
    with (
        explained(),
        tempfile.TemporaryDirectory(prefix="caseline-") as folder,
        ExitStack() as stack,
    ):
        settings, rules = _of_month(published, settings, stack)
        embedded = stack.enter_context(embedded_services(Path(folder), settings))
        worker = stack.enter_context(command_process(embedded, Path(folder), "worker"))
        events = [stack.enter_context(as_file(it)) for it in published.events]
        shown = Demonstration(embedded, rules, worker, published, events)
        asyncio.run(shown.run())
        if not keep:
            _say_what_next(published)
            return
        port = str(free_port())
        pages = stack.enter_context(
            command_process(embedded, Path(folder), "serve", "--port", port)
        )
        wait_for_pages(pages, int(port))
        _say_where(embedded, published, int(port))
        with suppress(KeyboardInterrupt):
            shown.go_on(pages)


def _of_month(published: Published, settings: Settings, stack: ExitStack) -> tuple[Settings, Rules]:
    """The settings with the month's places, as of its end by the worker's clock; and the rules.

    So that alerts are those of that day.
    """
    noon = datetime.combine(published.as_of, time(12), UTC)
    update: dict[str, object] = {"clock_from": noon, "alert_calm_seconds": CALM_SECONDS}
    if published.places is not None:
        update["places_file"] = stack.enter_context(as_file(published.places))
    settings = settings.model_copy(update=update)
    return settings, load_rules(settings)


class Demonstration:
    """One run of the demonstration against running services."""

    def __init__(
        self,
        settings: Settings,
        rules: Rules,
        worker: "subprocess.Popen[bytes]",
        published: Published,
        events: Sequence[Path],
    ) -> None:
        self._settings = settings
        self._rules = rules
        self._worker = worker
        self._published = published
        self._events = events
        self._redis: Redis = connect_redis(settings)
        self._sender = Sender(settings.kafka)
        self._sent = 0

    async def run(self) -> None:
        """Wait for the worker, send the events while showing the scorecard, and compare."""
        try:
            await self._wait_for_worker()
            await self._fill()
            await self._published.report(self._rows)
            await self._show_alerts()
        finally:
            await self._redis.aclose()

    def go_on(self, pages: "subprocess.Popen[bytes]") -> None:
        """Have events happen, one turn after another, until a process of it ends."""
        settings, areas = self._settings, self._rules.areas
        clock = clock_of(settings)
        districts = [it.name for it in areas.area if it.level == areas.levels[-1]]
        for number in count():
            sleep(TURN_SECONDS)
            self._check_worker()
            check("serve", pages)
            self._sender.send(turn(number, districts, clock.now()))
            self._sender.finish()

    async def _wait_for_worker(self) -> None:
        err.print("Starting an embedded broker, Redis and a worker ...")
        async with asyncio.timeout(START_SECONDS):
            held: set[str] = set()
            while held != set(GROUPS):
                self._check_worker()
                await asyncio.sleep(POLL_SECONDS)
                partitions = await known_shards(self._redis, self._settings.deployment)
                held = {tp.topic for tp in partitions}

    async def _fill(self) -> None:
        """Send all events, never far ahead of the worker, until all are in the scorecard."""
        printed = Judged(self._published.further(), [], 0)
        batches = [*(it for path in self._events for it in read_events(path)), printed]
        bar = Progress(TextColumn("messages in the tables"), BarColumn(), MofNCompleteColumn())
        task = bar.add_task("", total=sum(_messages(judged) for judged in batches))
        shown = await self._read()
        with Live(bar, console=out, refresh_per_second=8) as live:
            for judged in batches:
                self._send(judged)
                is_last = judged is batches[-1]
                while (behind := self._sent - _stored(shown)) > (0 if is_last else MOST_AHEAD):
                    self._check_worker()
                    await asyncio.sleep(SHOWN_SECONDS)
                    shown = await self._read()
                    bar.update(task, completed=self._sent - behind)
                    live.update(Group(bar, *self._tables(shown)))
            bar.update(task, completed=_stored(shown))
            live.update(Group(bar, *self._tables(shown)))

    async def _show_alerts(self) -> None:
        """Wait until the worker has judged every case, and count its alerts."""
        deployment, rules = self._settings.deployment, self._rules
        async with asyncio.timeout(START_SECONDS):
            while await self._is_judging():
                self._check_worker()
                await asyncio.sleep(POLL_SECONDS)
        active = await active_counts(self._redis, deployment)
        today = self._published.as_of
        later = today + AHEAD
        now, then = (await read_stocks(self._redis, deployment, rules, [today, later])).by_date
        ahead = {
            row.standard: row.later[later]
            for row in forecast(rules, now, [(later, then)])
            if (row.area, row.provider) == (rules.areas.top, None)
        }
        out.print(_alerts_table(rules, today, active, ahead))

    async def _is_judging(self) -> bool:
        """Whether anyone is to be looked at before the next day begins."""
        latest = midnight(day_number(self._published.as_of) + 1) - 1
        for tp in await known_shards(self._redis, self._settings.deployment):
            store = ShardStore(self._redis, self._settings.deployment, tp, self._rules)
            head = await store.head()
            if head and await store.due(head, latest, most=1):
                return True
        return False

    def _send(self, judged: Judged) -> None:
        show_bad_lines(self._events[0], judged.bad)
        self._sender.send(judged.good)
        self._sender.finish()
        self._sent += _messages(judged)

    async def _read(self, as_of: date | None = None) -> LiveScorecard:
        of, published = self._settings.deployment, self._published
        day = as_of or published.as_of
        return await read_scorecard(self._redis, of, self._rules, day, published.levels)

    async def _rows(self, as_of: date) -> Sequence[ScorecardRow]:
        return (await self._read(as_of)).rows

    def _tables(self, shown: LiveScorecard) -> list[Table]:
        return self._published.tables(shown.rows, out.width)

    def _check_worker(self) -> None:
        check("worker", self._worker)


def _alerts_table(
    rules: Rules,
    today: date,
    active: Mapping[tuple[str, AlertState], int],
    ahead: Mapping[str, int],
) -> Table:
    table = Table(
        title=f"Alerts on {today}, and breaches 28 days later if nothing happens",
        title_justify="left",
        box=box.SIMPLE_HEAD,
    )
    table.add_column("standard")
    for name in ("due soon", "breached", "later"):
        table.add_column(name, justify="right")
    for standard in rules.standards.standard:
        counts = [active.get((standard.code, state), 0) for state in ("due-soon", "breached")]
        if any(counts) or ahead[standard.code]:
            figures = [f"{count:,}" for count in (*counts, ahead[standard.code])]
            table.add_row(f"{standard.service}: {standard.title}", *figures)
    return table


def _messages(judged: Judged) -> int:
    return sum(len(line.topics) for line in judged.good)


def _stored(shown: LiveScorecard) -> int:
    return sum(stored_offsets(shown.heads).values())


def _say_what_next(published: Published) -> None:
    lines = [
        "",
        "Try next:",
        *(f"  {it}" for it in published.next_steps),
        "  scripts/services up            a real Kafka and Redis, for `caseline worker`",
        "  caseline --help",
    ]
    out.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)


def _say_where(settings: Settings, published: Published, port: int) -> None:
    day = published.as_of
    place = "" if settings.places_file is None else settings.places_file
    lines = [
        "",
        f"The live scorecard: http://{HERE}:{port}/",
        f"A family comes every {TURN_SECONDS:.0f} seconds, and figures move. Running until Ctrl-C.",
        "Or in another terminal:",
        f"  export CASELINE_DEPLOYMENT={settings.deployment} \\",
        f"    CASELINE_KAFKA_BOOTSTRAP={settings.kafka_bootstrap} \\",
        *([f"    CASELINE_PLACES_FILE={place} \\"] if place else []),
        f"    CASELINE_REDIS_URL={settings.redis_url}",
        f"  caseline scorecard --as-of {day} --area Thanet",
        "  caseline targets",
        "  caseline alerts list --area Thanet",
        f"  caseline quality --as-of {day}",
    ]
    out.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
