"""The demonstration: the whole path on embedded services, with a council's published month."""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from importlib.resources import as_file, files
from pathlib import Path
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
from schemas.events.registry import GROUPS
from schemas.settings import Settings
from streams.clock import midnight
from streams.failures import Understood
from streams.kafka.embedded import embedded_services
from streams.kafka.eventfiles import Judged, read_events
from streams.kafka.ingest import Sender
from streams.october.compare import (
    OCTOBER,
    SEPTEMBER,
    Comparison,
    PrintedDifference,
    compare,
    load_with_activity,
)
from streams.october.supplied import (
    AsPrinted,
    as_printed_then,
    load_social_care,
    load_supplied,
    supplied_lines,
)
from streams.state.clients import connect_redis
from streams.state.open_alerts import active_counts
from streams.state.reading import LiveScorecard, known_shards, read_scorecard, read_stocks
from streams.state.store import ShardStore, stored_offsets
from streams.terminal.commands.figures import show_bad_lines
from streams.terminal.console import err, explained, out, settings_and_rules
from streams.terminal.tables.scorecards import LEGEND, as_tables

EVENTS = ("events.jsonl.gz", "social_care.jsonl.gz", "activity.jsonl.gz")
SOCIAL_CARE_DIFFERS = (
    "The others are September's rates (SCS02) that no number of children gives together with EH02."
)
SUPPLIED_DIFFERS = "The others move by less than is printed."
# Messages sent ahead of the worker: far fewer than the embedded broker keeps.
MOST_AHEAD = 10_000
START_SECONDS = 60.0
POLL_SECONDS = 0.05
SHOWN_AREA = "Kent"
# By the worker's clock it is the end of October 2015, so that alerts are those of that day.
CLOCK_FROM = datetime(2015, 10, 31, 12, tzinfo=UTC)
CALM_SECONDS = 1.0
AHEAD = timedelta(days=28)
# Who is to be looked at by then is to be looked at now: the next day has not begun.
LATEST_SECONDS = midnight(day_number(OCTOBER) + 1) - 1

KeepOption = Annotated[
    bool, typer.Option("--keep", help="Keep everything running afterwards, until Ctrl-C.")
]


class WorkerGone(Understood):
    """The demonstration's worker ended by itself."""


def demo(keep: KeepOption = False) -> None:
    """See it work: events of October 2015 through Kafka into a live scorecard, in a minute.

    Starts a broker, a Redis and a worker in a temporary folder, sends the synthetic events of
    Kent's October 2015, shows the scorecard fill, and compares it with the one that was published.
    """
    settings, rules = settings_and_rules()
    with (
        explained(),
        tempfile.TemporaryDirectory(prefix="caseline-") as folder,
        embedded_services(Path(folder), _as_of_october(settings)) as embedded,
        _worker(embedded, Path(folder) / "worker.log") as worker,
        ExitStack() as stack,
    ):
        folders = (as_file(files("streams.october") / name) for name in EVENTS)
        events = [stack.enter_context(it) for it in folders]
        asyncio.run(Demonstration(embedded, rules, worker, events).run())
        _say_what_next(embedded, keep=keep)
        if keep:
            with suppress(KeyboardInterrupt):
                worker.wait()


class Demonstration:
    """One run of the demonstration against running services."""

    def __init__(
        self,
        settings: Settings,
        rules: Rules,
        worker: "subprocess.Popen[bytes]",
        events: Sequence[Path],
    ) -> None:
        self._settings = settings
        self._rules = rules
        self._worker = worker
        self._events = events
        self._redis: Redis = connect_redis(settings)
        self._sender = Sender(settings.kafka)
        self._sent = 0

    async def run(self) -> None:
        """Wait for the worker, send the events while showing the scorecard, and compare."""
        try:
            await self._wait_for_worker()
            october = await self._fill()
            september = await self._read(SEPTEMBER)
            _show_comparison(compare(october.rows, september.rows, load_with_activity()))
            care = as_printed_then(october.rows, load_social_care())
            _show_printed(care, "of social care", SOCIAL_CARE_DIFFERS)
            supplied = as_printed_then(october.rows, load_supplied())
            _show_printed(supplied, "that others supplied", SUPPLIED_DIFFERS)
            await self._show_alerts()
        finally:
            await self._redis.aclose()

    async def _wait_for_worker(self) -> None:
        err.print("Starting an embedded broker, Redis and a worker ...")
        async with asyncio.timeout(START_SECONDS):
            held: set[str] = set()
            while held != set(GROUPS):
                self._check_worker()
                await asyncio.sleep(POLL_SECONDS)
                partitions = await known_shards(self._redis, self._settings.deployment)
                held = {tp.topic for tp in partitions}

    async def _fill(self) -> LiveScorecard:
        """Send all events, never far ahead of the worker; the scorecard when all are in it."""
        printed = Judged(supplied_lines(load_supplied()), [], 0)
        batches = [*(it for path in self._events for it in read_events(path)), printed]
        bar = Progress(TextColumn("messages in the tables"), BarColumn(), MofNCompleteColumn())
        task = bar.add_task("", total=sum(_messages(judged) for judged in batches))
        shown = await self._read(OCTOBER)
        with Live(bar, console=out, refresh_per_second=8) as live:
            for judged in batches:
                self._send(judged)
                is_last = judged is batches[-1]
                while (behind := self._sent - _stored(shown)) > (0 if is_last else MOST_AHEAD):
                    self._check_worker()
                    await asyncio.sleep(POLL_SECONDS)
                    shown = await self._read(OCTOBER)
                    bar.update(task, completed=self._sent - behind)
                    live.update(Group(bar, *self._tables(shown)))
            bar.update(task, completed=_stored(shown))
            live.update(Group(bar, *self._tables(shown)))
        return shown

    async def _show_alerts(self) -> None:
        """Wait until the worker has judged every case, and count its alerts."""
        deployment, rules = self._settings.deployment, self._rules
        async with asyncio.timeout(START_SECONDS):
            while await self._is_judging():
                self._check_worker()
                await asyncio.sleep(POLL_SECONDS)
        active = await active_counts(self._redis, deployment)
        later = OCTOBER + AHEAD
        now, then = (await read_stocks(self._redis, deployment, rules, [OCTOBER, later])).by_date
        ahead = {
            row.standard: row.later[later]
            for row in forecast(rules, now, [(later, then)])
            if (row.area, row.provider) == (SHOWN_AREA, None)
        }
        out.print(_alerts_table(rules, active, ahead))

    async def _is_judging(self) -> bool:
        for tp in await known_shards(self._redis, self._settings.deployment):
            store = ShardStore(self._redis, self._settings.deployment, tp, self._rules)
            head = await store.head()
            if head and await store.due(head, LATEST_SECONDS, most=1):
                return True
        return False

    def _send(self, judged: Judged) -> None:
        show_bad_lines(self._events[0], judged.bad)
        self._sender.send(judged.good)
        self._sender.finish()
        self._sent += _messages(judged)

    async def _read(self, as_of: date) -> LiveScorecard:
        return await read_scorecard(self._redis, self._settings.deployment, self._rules, as_of)

    def _tables(self, shown: LiveScorecard) -> list[Table]:
        rows = [row for row in shown.rows if row.area == SHOWN_AREA]
        return as_tables(rows, self._rules.catalogue, out.width)

    def _check_worker(self) -> None:
        if self._worker.poll() is not None:
            raise WorkerGone(f"the worker ended with exit code {self._worker.returncode}")


def _as_of_october(settings: Settings) -> Settings:
    update = {"clock_from": CLOCK_FROM, "alert_calm_seconds": CALM_SECONDS}
    return settings.model_copy(update=update)


def _alerts_table(
    rules: Rules, active: Mapping[tuple[str, AlertState], int], ahead: Mapping[str, int]
) -> Table:
    table = Table(
        title=f"Alerts on {OCTOBER}, and breaches 28 days later if nothing happens",
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


@contextmanager
def _worker(settings: Settings, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A worker process on these settings; what it logs is shown if it fails."""
    values = settings.model_dump(mode="json", exclude_none=True)
    environment = {f"CASELINE_{name.upper()}": str(value) for name, value in values.items()}
    with log.open("wb") as errors:
        worker = subprocess.Popen(
            [sys.executable, "-m", "streams.cli", "worker"],
            env={**os.environ, **environment},
            stderr=errors,
        )
        try:
            yield worker
        except WorkerGone:
            sys.stderr.write(log.read_text("utf-8"))
            raise
        finally:
            worker.terminate()
            worker.wait()


def _show_comparison(comparison: Comparison) -> None:
    out.print(LEGEND, style="dim", markup=False)
    out.print(
        f"\nOf {comparison.cells:,} cells that Kent published for October 2015, the stream "
        f"reproduces {comparison.reproduced:,} exactly, and "
        f"{comparison.reproduced_directions:,} of {comparison.directions:,} directions of travel."
    )
    by_reason: dict[str, list[PrintedDifference]] = {}
    for it in (*comparison.different, *comparison.different_directions):
        by_reason.setdefault(it.reason, []).append(it)
    for reason, differences in by_reason.items():
        out.print(f"\n{reason}", style="bold", markup=False)
        out.print(_differences_table(differences))


def _show_printed(found: AsPrinted, what: str, differs: str) -> None:
    out.print(
        f"\nOf {found.figures:,} figures {what} it shows {found.shown:,} as printed, and "
        f"{found.turned:,} of {found.arrows:,} directions of travel. {differs}"
    )


def _differences_table(differences: list[PrintedDifference]) -> Table:
    table = Table("", "area", "ages", "as of", box=None, padding=(0, 1))
    for name in ("printed", "streamed", "the rest implies"):
        table.add_column(name, justify="right")
    for it in differences:
        cell = it.cell
        place = (cell.code, cell.area, cell.age_band, str(cell.as_of))
        table.add_row(*place, *(text or "-" for text in (it.printed, it.streamed, it.implied)))
    return table


def _say_what_next(settings: Settings, *, keep: bool) -> None:
    events = "streams/october/events.jsonl.gz"
    lines = [
        "",
        "Try next:",
        f"  caseline replay {events} --as-of 2015-09-15 --area Thanet",
        "  caseline demo --keep           and look at it from another terminal",
        "  scripts/services up            a real Kafka and Redis, for `caseline worker`",
        "  caseline --help",
    ]
    if keep:
        lines = [
            "",
            "Running until Ctrl-C. In another terminal:",
            f"  export CASELINE_DEPLOYMENT={settings.deployment} \\",
            f"    CASELINE_KAFKA_BOOTSTRAP={settings.kafka_bootstrap} \\",
            f"    CASELINE_REDIS_URL={settings.redis_url}",
            "  caseline scorecard --as-of 2015-10-31 --area Thanet",
            "  caseline targets",
            "  caseline alerts list --area Thanet",
            "  caseline quality --as-of 2015-10-31",
        ]
    out.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
