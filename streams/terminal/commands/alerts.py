"""Commands about alerts: what is active, what became of one, and telling of them."""

import asyncio
import sys
import tomllib
from typing import Annotated

import typer
from pydantic import ValidationError
from redis.asyncio import Redis
from rich.table import Table
from rich.text import Text

from schemas.alerts import ALERTS_TOPIC, CaseChange, IndicatorChange
from schemas.receivers import Alertmanager, Smtp, Webhook, load_receivers
from schemas.settings import Settings
from streams.alerts.delivery.refusals import RECEIVER_HEADER
from streams.alerts.history import history, told_of
from streams.kafka.deadletters import DeadLetter, read_dead_letters
from streams.metrics.exposition import new_registry, served
from streams.metrics.jobs import DeliveryMetrics
from streams.state.open_alerts import open_change
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
)
from streams.terminal.console import (
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
from streams.terminal.tables.alerts import (
    Standing,
    Wanted,
    as_csv,
    as_json,
    as_table,
    decided,
    history_table,
    standings,
)
from streams.terminal.tables.scorecards import Format

alerts = typer.Typer(
    help="Service standards that are due soon or breached: list, tell, acknowledge, silence.",
    no_args_is_help=True,
)
alerts.command()(deciding.ack)
alerts.command()(deciding.silence)
alerts.command()(deciding.silences)
alerts.command()(deciding.unsilence)
alerts.command("forecast")(forecasting.show_forecast)

OnceOption = Annotated[bool, typer.Option("--once", help="Tell what there is to tell, and end.")]
CaseOption = Annotated[
    list[str] | None, typer.Option("--case", metavar="ID", help="Only this case's; repeatable.")
]


@alerts.command()
def run(once: OnceOption = False) -> None:
    """Tell receivers of alerts as they change, until told to stop (Ctrl-C or SIGTERM).

    Run it beside any number of workers, more than once if you like: one of them is elected, and
    another takes over when it stops or dies. Who is told is in the file that `receivers_file`
    names.
    """
    # Kafka's and HTTP's clients take a while to import, which no other command should wait for.
    from streams.alerts.duties import ElectedDuties
    from streams.alerts.running import Telling

    settings, rules = settings_and_rules()
    set_up_logs(settings.log_level)
    registry, clock = new_registry(), the_clock(settings)
    elected = ElectedDuties(settings, rules, clock, registry)
    telling = Telling(
        settings, receivers_of(settings), clock.now, DeliveryMetrics(registry), elected.duties
    )
    with explained(), served(settings, registry):
        if once:
            asyncio.run(telling.run_once())
        else:
            run_until_asked(telling.run())


@alerts.command("list")
def list_alerts(
    standard: StandardOption = None,
    state: StateOption = None,
    area: AreaOption = None,
    owner: OwnerOption = None,
    provider: ProviderOption = None,
    severity: SeverityOption = None,
    case: CaseOption = None,
    form: FormatOption = Format.TABLE,
) -> None:
    """List the alerts that are active: the critical first, then what was or is due first."""
    settings, rules = settings_and_rules()
    wanted = Wanted(
        standards=frozenset(standard or ()),
        states=frozenset(state or ()),
        areas=frozenset(areas_under(rules, area)),
        owners=frozenset(owner or ()),
        providers=frozenset(provider or ()),
        severities=frozenset(severity or ()),
        cases=frozenset(case or ()),
    )
    now = the_clock(settings).now()
    found: list[Standing] = on_redis(
        settings, lambda redis: standings(redis, settings.deployment, wanted, now)
    )
    rows = [it.row for it in found]
    if form is Format.JSON:
        sys.stdout.write(as_json(rows) + "\n")
    elif form is Format.CSV:
        sys.stdout.write(as_csv(rows))
    else:
        if found:
            out.print(as_table(found, out.width))
        err.print(f"{len(found):,} alerts are active.")


@alerts.command()
def show(alert: AlertArgument) -> None:
    """Show an alert: how it stands, how it came there, and who was told."""
    settings, _ = settings_and_rules()
    receivers = [it.name for it in receivers_of(settings)]
    now = the_clock(settings).now()

    async def work(
        redis: Redis,
    ) -> tuple[list[CaseChange | IndicatorChange], list[Standing], dict[str, str]]:
        changes = await history(settings.kafka, settings.deployment, alert)
        active = await open_change(redis, settings.deployment, alert)
        standing = [active] if active else changes[-1:]
        found = await decided(redis, settings.deployment, standing, now)
        return changes, found, await told_of(redis, settings.deployment, receivers, alert)

    changes, found, told = on_redis(settings, work)
    if not found:
        fail(f"there is no alert {alert}: see `caseline alerts list`")
    _show(found[0], changes, told)


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


def receivers_of(settings: Settings) -> tuple[Webhook | Alertmanager | Smtp, ...]:
    """The receivers of the settings; ends with why not."""
    try:
        return load_receivers(settings.receivers_file)
    except ValidationError as error:
        wrong = (f"{'.'.join(map(str, it['loc']))}: {it['msg']}" for it in error.errors())
        fail(f"{settings.receivers_file}: {'; '.join(wrong)}")
    except (tomllib.TOMLDecodeError, ValueError, OSError) as error:
        fail(f"{settings.receivers_file} cannot be used: {error}")


def _show(
    standing: Standing, changes: list[CaseChange | IndicatorChange], told: dict[str, str]
) -> None:
    change = standing.change
    table = Table(box=None, show_header=False, padding=(0, 1))
    for name, value in standing.row.items():
        if value is not None:
            table.add_row(name, Text(str(value)))
    if standing.ack:
        table.add_row("acknowledgement", Text(standing.ack.reason))
    for silence in standing.silences:
        table.add_row(f"silence {silence.id}", Text(f"by {silence.by}: {silence.reason}"))
    for receiver, how in told.items():
        table.add_row(f"receiver {receiver}", Text(how))
    out.print(Text(f"{change.title}: {change.state}", style="bold"), table, sep="\n")
    if changes:
        out.print(history_table(changes))
