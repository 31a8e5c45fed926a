"""Commands about alerts: what is active, what became of one, and telling of them."""

import asyncio
import sys
import tomllib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from redis.asyncio import Redis
from rich.table import Table
from rich.text import Text

from processors.alerts.overview import WantedAlerts
from processors.days.calendar import LONDON
from schemas.alerts import ALERTS_TOPIC
from schemas.receivers import Alertmanager, Smtp, Webhook, load_receivers, named_receivers
from schemas.settings import Settings
from streams.alerts.account import Account, account
from streams.alerts.alert_lists import (
    Listing,
    as_csv,
    as_json,
    judged_text,
    listing,
    rows,
    second,
    staleness,
)
from streams.alerts.alert_names import names_known, unknown_cases, whole_id
from streams.alerts.delivery.refusals import RECEIVER_HEADER
from streams.clock import Clock
from streams.kafka.deadletters import DeadLetter, read_dead_letters
from streams.metrics.exposition import new_registry, served
from streams.metrics.jobs import DeliveryMetrics
from streams.state.awaiting import clock_once_there
from streams.state.redis_clients import connect_redis
from streams.terminal.commands import deciding, forecasting
from streams.terminal.commands.deciding import (
    AlertArgument,
    AreaOption,
    OwnerOption,
    ProviderOption,
    SeverityOption,
    StandardOption,
    StateOption,
    areas_under,
    check_names,
)
from streams.terminal.console import (
    Exit,
    err,
    explained,
    fail,
    on_redis,
    out,
    settings_and_rules,
    the_clock,
)
from streams.terminal.logs import set_up_logs
from streams.terminal.selection import FormatOption
from streams.terminal.stopping import run_until_asked
from streams.terminal.tables.alert_tables import (
    cases_table,
    counts_table,
    history_table,
    indicators_table,
)
from streams.terminal.tables.scorecards import RowFormat

alerts = typer.Typer(
    help="Service standards that are due soon or breached: list, tell, acknowledge, silence.",
    no_args_is_help=True,
)
alerts.command()(deciding.ack)
alerts.command()(deciding.silence)
alerts.command()(deciding.silences)
alerts.command()(deciding.unsilence)
alerts.command("forecast")(forecasting.show_forecast)
# What of an alert is an instant, and shown by the clock in London.
MOMENTS = {"learnt", "stand_learnt", "acknowledged_until", "silenced_until"}

OnceOption = Annotated[bool, typer.Option("--once", help="Tell what there is to tell, and end.")]
CaseOption = Annotated[
    list[str] | None, typer.Option("--case", metavar="ID", help="Only this case's; repeatable.")
]
SinceOption = Annotated[
    datetime | None,
    typer.Option(
        "--since",
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"],
        metavar="TIME",
        help="Only those new since a day began, or a time, in London.",
    ),
]
DueBeforeOption = Annotated[
    datetime | None,
    typer.Option(
        "--due-before",
        formats=["%Y-%m-%d"],
        metavar="DATE",
        help="Only those on cases that are or were due before a day.",
    ),
]
LimitOption = Annotated[
    int | None, typer.Option("--limit", min=1, metavar="N", help="At most so many lines.")
]


@alerts.command()
def run(once: OnceOption = False) -> None:
    """Tell receivers of alerts as they change, until told to stop (Ctrl-C or SIGTERM).

    Run it beside any number of workers, more than once if you like: one of them is elected, and
    another takes over when it stops or dies. Who is told is in the file that `receivers_file`
    names. Redis and Kafka that are away are waited for, and the log says so every few seconds. With
    --once they are not; it first waits for `alert_calm_seconds` if an indicator's alert changes,
    to see that it lasts.
    """
    # Kafka's and HTTP's clients take a while to import, which no other command should wait for.
    from streams.alerts.duties import ElectedDuties
    from streams.alerts.teller import Teller

    settings, rules = settings_and_rules()
    set_up_logs(settings.log_level)
    registry, receivers = new_registry(), receivers_of(settings)

    def telling(clock: Clock) -> Teller:
        elected = ElectedDuties(settings, rules, clock, registry)
        watching = DeliveryMetrics(registry)
        return Teller(settings, receivers, clock.now, watching, elected.duties)

    async def tell() -> None:
        async with connect_redis(settings) as redis:
            clock = await clock_once_there(redis, settings)
        await telling(clock).run()

    with explained(), served(settings, registry):
        if once:
            asyncio.run(telling(the_clock(settings)).run_once())
        else:
            run_until_asked(tell())


@alerts.command("list")
def list_alerts(
    standard: StandardOption = None,
    state: StateOption = None,
    area: AreaOption = None,
    owner: OwnerOption = None,
    provider: ProviderOption = None,
    severity: SeverityOption = None,
    case: CaseOption = None,
    since: SinceOption = None,
    due_before: DueBeforeOption = None,
    limit: LimitOption = None,
    form: FormatOption = RowFormat.TABLE,
) -> None:
    """List the alerts that are active: counts by standard and owner, then a line for each case.

    The critical come first, then the longest overdue. Says as of when it is right; exit code 4
    where that is not today. What is new is so since yesterday's close, or --since.
    """
    settings, rules = settings_and_rules()
    now = the_clock(settings).now()
    wanted = WantedAlerts(
        standards=frozenset(standard or ()),
        states=frozenset(state or ()),
        areas=frozenset(areas_under(rules, area)),
        owners=frozenset(owner or ()),
        providers=frozenset(provider or ()),
        severities=frozenset(severity or ()),
        cases=frozenset(case or ()),
        since=since.replace(tzinfo=LONDON) if since else None,
        due_before=due_before.date() if due_before else None,
    )

    async def work(redis: Redis) -> Listing:
        there = await names_known(redis, settings, rules)
        check_names(there, standard, owner, provider)
        for name in await unknown_cases(redis, settings.deployment, rules, wanted.cases):
            raise typer.BadParameter(
                f"{name}: no event is of a case of this name, and no alert either",
                param_hint="--case",
            )
        return await listing(redis, settings.deployment, wanted, now, slice(limit))

    found = on_redis(settings, work)
    if form is RowFormat.JSON:
        sys.stdout.write(as_json(rows(found)) + "\n")
    elif form is RowFormat.CSV:
        sys.stdout.write(as_csv(rows(found)))
    else:
        _print(found, limit)
    said = staleness(found)
    for text in said:
        err.print(f"warning: {text}", style="bold red", markup=False, soft_wrap=True)
    if said:
        raise typer.Exit(Exit.UNWELL)


def _print(found: Listing, limit: int | None) -> None:
    overview = found.overview
    out.print(Text(judged_text(found), style="bold red" if staleness(found) else ""))
    if overview.counts:
        out.print(counts_table(overview))
    if overview.cases:
        out.print(cases_table(found, out.width, limit))
    if overview.indicators:
        out.print(indicators_table(found, limit))
    hidden = sum(
        max(0, len(it) - (limit or len(it))) for it in (overview.cases, overview.indicators)
    )
    more = f"; {hidden:,} lines more are not shown" if hidden else ""
    cases = f"{overview.total:,} alerts are active, on {len(overview.cases):,} cases"
    err.print(f"{cases} and {len(overview.indicators):,} figures{more}.")


@alerts.command()
def show(digits: AlertArgument) -> None:
    """Show an alert: how it stands, how it came there, and who was told."""
    settings, _ = settings_and_rules()
    names = [it.name for it in receivers_of(settings, named_receivers)]
    now = the_clock(settings).now()

    async def work(redis: Redis) -> Account | None:
        alert = await whole_id(redis, settings.deployment, digits)
        return await account(settings.kafka, redis, settings.deployment, alert, names, now)

    found = on_redis(settings, work)
    if found is None:
        fail(f"there is no alert {digits}: see `caseline alerts list`")
    _show(found)


@alerts.command()
def refused() -> None:
    """List what receivers refused: each change or digest, who refused it, and why."""
    settings, _ = settings_and_rules()

    async def read() -> list[DeadLetter]:
        letters = read_dead_letters(settings.kafka, [ALERTS_TOPIC])
        return [letter async for letter in letters]

    with explained():
        letters = asyncio.run(read())
    table = Table("alert or digest", "offset", "receiver", "reason", "message", box=None)
    for it in letters:
        receiver = dict(it.record.headers).get(RECEIVER_HEADER, b"").decode()
        key = (it.record.key or b"").decode("utf-8", "replace")
        table.add_row(*map(Text, (key, str(it.offset), receiver, it.reason, it.message)))
    if letters:
        out.print(table)
    err.print(f"{len(letters):,} refused.")


Receivers = tuple[Webhook | Alertmanager | Smtp, ...]


def receivers_of(
    settings: Settings, load: Callable[[Path | None], Receivers] = load_receivers
) -> Receivers:
    """The receivers of the settings; ends with why not."""
    try:
        return load(settings.receivers_file)
    except ValidationError as error:
        wrong = (f"{'.'.join(map(str, it['loc']))}: {it['msg']}" for it in error.errors())
        fail(f"{settings.receivers_file}: {'; '.join(wrong)}")
    except (tomllib.TOMLDecodeError, ValueError, OSError) as error:
        fail(f"{settings.receivers_file} cannot be used: {error}")


def _show(found: Account) -> None:
    standing, steps, told = found
    change = standing.change
    table = Table(box=None, show_header=False, padding=(0, 1))
    for name, value in standing.row.items():
        if value is not None:
            text = second(datetime.fromisoformat(value)) if name in MOMENTS else str(value)
            table.add_row(name, Text(text))
    if standing.ack:
        table.add_row("acknowledgement", Text(standing.ack.reason))
    for silence in standing.silences:
        table.add_row(f"silence {silence.id}", Text(f"by {silence.by}: {silence.reason}"))
    for receiver, how in told.items():
        table.add_row(f"receiver {receiver}", Text(how))
    out.print(Text(f"{change.title}: {change.state}", style="bold"), table, sep="\n")
    if steps:
        out.print(history_table(steps))
