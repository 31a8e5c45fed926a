"""Commands about the sessions of people who are signed in to `caseline serve` by a page."""

from typing import Annotated

import typer
from redis.asyncio import Redis
from rich import box
from rich.table import Table

from streams.serving.sessions import Sessions, SignInSession
from streams.terminal.audited_commands import ByOption, Deciding
from streams.terminal.console import (
    err,
    fail,
    on_redis,
    out,
    settings_and_rules,
    the_clock,
)

# What the audit log calls it.
END = "caseline session end"

session = typer.Typer(help="Sessions of people who are signed in to `serve`.", no_args_is_help=True)


@session.command("list")
def list_sessions() -> None:
    """List who is signed in, since when, and until when if they ask for nothing more."""
    settings, _ = settings_and_rules()
    now = the_clock(settings).now()

    async def read(redis: Redis) -> list[SignInSession]:
        return await Sessions(redis, settings.deployment).all(now)

    table = Table("name", "roles", "places", "since", "until", box=box.SIMPLE_HEAD)
    for it in on_redis(settings, read):
        table.add_row(
            *(it.name, ", ".join(it.roles), ", ".join(it.places)),
            *(f"{it.began:%Y-%m-%d %H:%M}", f"{it.ends:%Y-%m-%d %H:%M}"),
        )
    out.print(table)


@session.command()
def end(
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="Whose, as `list` names them.")
    ] = None,
    everyone: Annotated[bool, typer.Option("--everyone", help="Everyone's.")] = False,
    by: ByOption = None,
) -> None:
    """End sessions, from the next question on: whoever had one has to sign in again.

    Where the audit log does not take that afterwards, it is said, with exit code 1.
    """
    if (name is None) is not everyone:
        raise typer.BadParameter("say whose: --name NAME, or --everyone", param_hint="--name")
    settings, _ = settings_and_rules()
    deciding = Deciding(settings, by, END)

    async def remove(redis: Redis) -> int:
        return await Sessions(redis, settings.deployment).end_those_of(name)

    ended = on_redis(settings, remove)
    if name is not None and not ended:
        fail(f"{name} is not signed in: see `caseline session list`")
    err.print(f"{ended} {'session' if ended == 1 else 'sessions'} ended.")
    if ended:
        deciding.note_done("signed-out", {} if name is None else {"name": name}, ended)
