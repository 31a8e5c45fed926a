"""Commands by which people decide about alerts: acknowledge and silence them."""

import re
from datetime import datetime
from difflib import get_close_matches
from enum import StrEnum
from typing import Annotated, Any

import typer
from redis.asyncio import Redis

from processors.days.calendar import LONDON
from processors.rules import Rules
from streams.alerts.actions import Ack, Actions, Silence, lasting, new_id
from streams.alerts.alert_lists import moment
from streams.alerts.alert_names import DIGITS, KnownNames, names_known, whole_id
from streams.alerts.decisions import Decisions
from streams.terminal.console import err, on_redis, out, settings_and_rules, the_clock
from streams.terminal.selection import known
from streams.terminal.tables.alert_tables import matched, silences_table

ALERT = rf"[0-9a-f]{{6,{DIGITS}}}"


class SeverityName(StrEnum):
    """The severities of standards."""

    WARNING = "warning"
    CRITICAL = "critical"


class ActiveState(StrEnum):
    """The states in which an alert is active."""

    DUE_SOON = "due-soon"
    BREACHED = "breached"


def checked_alert(text: str) -> str:
    """The text if it can be an alert's id. Raises typer.BadParameter."""
    if not re.fullmatch(ALERT, text):
        raise typer.BadParameter(
            f"{text}: an alert's id is {DIGITS} hexadecimal digits; of one that is active, the "
            "first will do"
        )
    return text


def _checked_alerts(texts: list[str] | None) -> list[str] | None:
    return [checked_alert(text) for text in texts] if texts else texts


def _checked_duration(text: str | None) -> str | None:
    if text is not None and lasting(text) is None:
        raise typer.BadParameter(f"{text}: a duration is written like 30m, 8h, 3d or 2w")
    return text


AlertArgument = Annotated[
    str,
    typer.Argument(
        metavar="ALERT",
        help="The alert's id; of an active one, as much of it as `list` shows.",
        callback=checked_alert,
    ),
]
ByOption = Annotated[str, typer.Option("--by", metavar="NAME", help="Who decides.")]
ReasonOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")]
UntilOption = Annotated[
    datetime | None,
    typer.Option(
        "--until",
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"],
        metavar="TIME",
        help="When it expires, in London: 2015-10-31 (as that day begins) or 2015-10-31T17:00.",
    ),
]
ForOption = Annotated[
    str | None,
    typer.Option(
        "--for",
        metavar="DURATION",
        help="How long it holds: 30m, 8h, 3d or 2w.",
        callback=_checked_duration,
    ),
]


def names(option: str, what: str) -> Any:
    """An option that names one or more of something."""
    return typer.Option(option, metavar="NAME", help=f"Only {what}; repeatable.")


StandardOption = Annotated[list[str] | None, names("--standard", "this standard")]
OwnerOption = Annotated[list[str] | None, names("--owner", "this team, provider or area's")]
AreaOption = Annotated[list[str] | None, names("--area", "this area and those below it")]
ProviderOption = Annotated[list[str] | None, names("--provider", "this provider's")]
SeverityOption = Annotated[
    list[SeverityName] | None, typer.Option("--severity", help="Only this; repeatable.")
]
StateOption = Annotated[
    list[ActiveState] | None, typer.Option("--state", help="Only this; repeatable.")
]
AlertsOption = Annotated[
    list[str] | None,
    typer.Option("--alert", metavar="ID", help="Only this; repeatable.", callback=_checked_alerts),
]


def ack(
    alert: AlertArgument,
    by: ByOption,
    reason: ReasonOption,
    until: UntilOption = None,
    duration: ForOption = None,
) -> None:
    """Say that someone sees to an alert.

    It holds as long as the alert stays in its state and with its owner, and no longer than was
    said. What is over meanwhile and comes again has to be acknowledged again.
    """
    settings, _ = settings_and_rules()
    now = the_clock(settings).now()
    ends = _ends(now, until, duration)

    async def work(redis: Redis) -> Ack:
        whole = await whole_id(redis, settings.deployment, alert)
        decisions = Decisions(settings.kafka, redis, settings.deployment)
        return await decisions.acknowledge(whole, by, reason, now, ends)

    made = on_redis(settings, work)
    err.print(f"{made.alert} ({made.state}) acknowledged until {moment(ends)}.")


def silence(
    by: ByOption,
    reason: ReasonOption,
    standard: StandardOption = None,
    owner: OwnerOption = None,
    area: AreaOption = None,
    provider: ProviderOption = None,
    severity: SeverityOption = None,
    alert: AlertsOption = None,
    until: UntilOption = None,
    duration: ForOption = None,
) -> None:
    """Have no alerts of some kind raised for a time; that one is over is still told.

    What is active when the silence ends is told then.
    """
    settings, rules = settings_and_rules()
    if not any((standard, owner, area, provider, severity, alert)):
        raise typer.BadParameter("say what is silenced: --standard, --owner, --area, ...")
    now = the_clock(settings).now()
    asked = Silence(
        id=new_id(),
        by=by,
        reason=reason,
        at=now,
        until=_ends(now, until, duration),
        standards=tuple(standard or ()),
        owners=tuple(owner or ()),
        areas=tuple(area or ()),
        within=tuple(areas_under(rules, area)),
        providers=tuple(provider or ()),
        severities=tuple(severity or ()),
    )

    async def work(redis: Redis) -> Silence:
        check_names(await names_known(redis, settings, rules), standard, owner, provider)
        whole = [await whole_id(redis, settings.deployment, it) for it in alert or ()]
        made = asked.model_copy(update={"alerts": tuple(whole)})
        await Decisions(settings.kafka, redis, settings.deployment).silence(made)
        return made

    made = on_redis(settings, work)
    err.print(f"{made.id}: {matched(made)} silenced until {moment(made.until)}.", markup=False)


def silences(
    expired: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
) -> None:
    """List the silences that hold."""
    settings, _ = settings_and_rules()
    now = the_clock(settings).now()
    found = on_redis(settings, lambda redis: Actions(redis, settings.deployment).silences())
    chosen = [it for it in found if expired or it.holds(now)]
    if chosen:
        out.print(silences_table(chosen, now))
    err.print(f"{len(chosen):,} silences.")


def unsilence(
    number: Annotated[str, typer.Argument(metavar="ID", help="As `silences` shows it.")],
    by: ByOption,
) -> None:
    """End a silence early."""
    settings, _ = settings_and_rules()
    now = the_clock(settings).now()
    brokers, deployment = settings.kafka, settings.deployment
    on_redis(settings, lambda redis: Decisions(brokers, redis, deployment).end(number, by, now))
    err.print(f"{number} ended.")


def areas_under(rules: Rules, named: list[str] | None) -> list[str]:
    """The areas named and all below them. Raises typer.BadParameter for one there is not."""
    known(named, rules.areas.names, "--area")
    return list(dict.fromkeys(it for name in named or () for it in rules.areas.under(name)))


def check_names(
    there: KnownNames,
    standard: list[str] | None,
    owner: list[str] | None,
    provider: list[str] | None,
) -> None:
    """Raises typer.BadParameter for a name that is misspelt: nothing found is not nothing wrong."""
    known(standard, there.standards, "--standard")
    for asked, names, option in (
        (owner, there.owners, "--owner"),
        (provider, there.providers, "--provider"),
    ):
        for name in sorted(set(asked or ()) - set(names)):
            near = get_close_matches(name, names, n=3, cutoff=0.5)
            hint = f"; is it {' or '.join(near)}?" if near else ""
            raise typer.BadParameter(
                f"{name}: no alert was ever for anyone of this name{hint}", param_hint=option
            )


def _ends(now: datetime, until: datetime | None, duration: str | None) -> datetime:
    """When what is decided expires. Raises typer.BadParameter unless exactly one is given."""
    if (until is None) == (duration is None):
        raise typer.BadParameter("give --until or --for, and not both")
    if duration and (lasts := lasting(duration)):
        return now + lasts
    assert until is not None
    return until.replace(tzinfo=LONDON)
