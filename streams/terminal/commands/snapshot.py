"""Commands that make releases: freezing a month, on demand and on schedule."""

import asyncio
from datetime import date, datetime, timedelta
from typing import Annotated

import typer

from processors.rules import Rules
from schemas.release import FrozenKind
from schemas.settings import Settings
from snapshots.checking.question import Show
from snapshots.making.schedule import wait
from snapshots.publish.formats.glyphs import unshown
from snapshots.releases.chain import Request, requested
from streams.clock import Clock
from streams.failures import described
from streams.jobs.releasing import WAIT_SECONDS, Released, Releasing
from streams.jobs.scheduling import FAILURES, Schedule
from streams.metrics.exposition import new_registry, served
from streams.metrics.jobs import FreezeMetrics
from streams.state.election import Elsewhere
from streams.state.redis_clients import connect_redis
from streams.terminal.commands import publish, releases
from streams.terminal.console import (
    Exit,
    err,
    explained,
    log_progress,
    settings_and_rules,
    the_clock,
)

# The schedule looks at the clock, and whether what is due was made, at least this often.
LONGEST_SLEEP = timedelta(minutes=10)

snapshot = typer.Typer(
    help="Month-end releases: freeze, show, compare and verify them.", no_args_is_help=True
)
snapshot.command("list")(releases.list_releases)
snapshot.command()(releases.show)
snapshot.command()(releases.diff)
snapshot.command()(releases.verify)
snapshot.command()(publish.publish)
snapshot.command()(publish.accept)

PeriodOption = Annotated[
    str,
    typer.Option(
        "--period", metavar="MONTH", help="Such as 2015-10.", callback=releases.checked_period
    ),
]
KindOption = Annotated[
    FrozenKind,
    typer.Option("--kind", help="What the release is in the month's chain."),
]
ByOption = Annotated[str, typer.Option("--by", metavar="NAME", help="Who makes the release.")]
ReasonOption = Annotated[
    str | None,
    typer.Option("--reason", metavar="TEXT", help="Why; a revision or correction must say."),
]
WithdrawalReasonOption = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Why; it is published in the notice.")
]
ReleasedOnOption = Annotated[
    datetime | None,
    typer.Option(
        "--released-on",
        formats=["%Y-%m-%d"],
        metavar="DATE",
        help="The date of the release, if that is after today.",
        show_default="today",
    ),
]
WaitOption = Annotated[
    float,
    typer.Option("--wait", min=0, metavar="SECONDS", help="How long workers may take to catch up."),
]
OnceOption = Annotated[
    bool, typer.Option("--once", help="Freeze what is due, if anything, and end.")
]


@snapshot.command()
def freeze(
    period: PeriodOption,
    by: ByOption,
    kind: KindOption = "first",
    reason: ReasonOption = None,
    released_on: ReleasedOnOption = None,
    wait_for: WaitOption = WAIT_SECONDS,
) -> None:
    """Freeze a month's figures into a release.

    The live tables are read at one vector of offsets, and computed a second time from the log up
    to there; unless both agree in every cell, nothing is released (exit code 1). Asked for again,
    by the same person for the same reason, it is the same release: what a run that was killed has
    left undone is completed, and never made twice. A revision or a correction asked for again is
    another one once the figures are others.

    A month that is not over yet can only have provisional figures.
    """
    settings, rules = settings_and_rules()
    today = the_clock(settings).today()
    day = released_on.date() if released_on else today
    with explained():
        request = requested(period, kind, by, reason)
        tell(asyncio.run(_make(settings, rules, request, (day, today), wait_for)), settings)


@snapshot.command()
def withdraw(period: PeriodOption, by: ByOption, reason: WithdrawalReasonOption) -> None:
    """Take back the releases of a month that were made in error.

    They stay in the chain, and the withdrawal follows them; publish it, and a notice takes the
    place of their publications. Then the month can be released anew, with `freeze --kind first`.
    """
    settings, rules = settings_and_rules()
    today = the_clock(settings).today()

    async def work() -> Released:
        async with connect_redis(settings) as redis:
            return await Releasing(settings, rules, redis, no_progress).withdraw(request, today)

    with explained():
        request = requested(period, "withdrawn", by, reason)
        tell(asyncio.run(work()), settings)


@snapshot.command()
def schedule(once: OnceOption = False, wait_for: WaitOption = WAIT_SECONDS) -> None:
    """Freeze each month when it is due, until told to stop.

    Run it beside any number of workers, more than once if you like: one of them is elected each
    time, and a month that has a release is left alone. Of the last 12 months, those that were
    missed since the oldest release are made up for, oldest first; where there is no release yet
    only the latest month is made. When a month is due is set by `snapshot_working_days`,
    `snapshot_hour` and `snapshot_kind`.
    """
    settings, rules = settings_and_rules()
    registry = new_registry()
    metrics = FreezeMetrics(registry)
    clock = the_clock(settings)
    with explained(), served(settings, registry):
        asyncio.run(_keep(settings, rules, clock, metrics, once=once, seconds=wait_for))


async def _keep(
    settings: Settings,
    rules: Rules,
    clock: Clock,
    metrics: FreezeMetrics,
    *,
    once: bool,
    seconds: float,
) -> None:
    async def make(request: Request, day: date) -> Released:
        return await _make(settings, rules, request, (day, day), seconds)

    def tell_outcome(outcome: Released) -> None:
        metrics.ran("released" if outcome.is_new else "there")
        tell(outcome, settings)

    def tell_failure(period: str, error: Exception) -> None:
        is_elsewhere = isinstance(error, Elsewhere)
        metrics.ran("elsewhere" if is_elsewhere else "failed")
        style = None if is_elsewhere else "red"
        err.print(f"{period}: {described(error)}", style=style, markup=False, soft_wrap=True)

    months = Schedule(settings, make, tell_outcome, tell_failure)
    while True:
        try:
            failed: Exception | None = await months.run(clock.now())
        except FAILURES as error:
            failed = error
            metrics.ran("failed")
            err.print(described(error), style="red", markup=False, soft_wrap=True)
        if once and failed:
            raise typer.Exit(Exit.FAILED)
        if once:
            return
        now = clock.now()
        await asyncio.sleep(wait(now, months.next_due(now), LONGEST_SLEEP))


async def _make(
    settings: Settings, rules: Rules, request: Request, days: tuple[date, date], seconds: float
) -> Released:
    """Make a release: of the days the first is that of the release, the second is today."""
    async with connect_redis(settings) as redis:
        with log_progress() as show:
            return await Releasing(settings, rules, redis, show).release(request, *days, seconds)


def no_progress(_: int) -> Show:
    """Show nothing of what is read, where nothing is."""
    return lambda *_: None


def tell(outcome: Released, settings: Settings) -> None:
    """Say which release there is now, and where."""
    sealed = outcome.sealed
    made = "released" if outcome.is_new else "was released already"
    err.print(f"{sealed.name} ({sealed.release.kind}) {made}: {settings.releases / sealed.name}")
    err.print(f"SHA-256 {sealed.sha256}")
    if sealed.release.kind == "withdrawn":
        err.print(f"Publish it wherever {sealed.release.period} was published, for a notice there.")
    for note in outcome.notes:
        err.print(note, style="yellow", markup=False, soft_wrap=True)
    for text in unshown(sealed.release):
        err.print(text, style="yellow", soft_wrap=True)
