"""Commands about the tokens by which `caseline serve` knows who asks."""

from datetime import timedelta
from typing import Annotated

import typer
from redis.asyncio import Redis
from rich import box
from rich.table import Table

from streams.serving.roles import Role
from streams.serving.tokens import NewToken, Token, Tokens
from streams.terminal.audited_commands import ByOption, Deciding
from streams.terminal.console import (
    err,
    fail,
    on_redis,
    out,
    settings_and_rules,
    the_clock,
)
from streams.terminal.selection import known

token = typer.Typer(help="Tokens by which `serve` knows who asks.", no_args_is_help=True)

# What the audit log calls what is done here.
CREATE, REVOKE = "caseline token create", "caseline token revoke"
# Who has places of their own.
HAVE_PLACES = {Role.MANAGER, Role.LEAD}
GIVEN_ROLES = [str(role) for role in Role if role is not Role.NOBODY]


@token.command()
def create(
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="Who or what has it, for the audit log.")
    ],
    role: Annotated[
        list[str],
        typer.Option(
            "--role", metavar="ROLE", help=f"One of {', '.join(GIVEN_ROLES)}; repeatable."
        ),
    ],
    place: Annotated[
        list[str] | None,
        typer.Option("--place", metavar="NAME", help="An area or provider of theirs; repeatable."),
    ] = None,
    team: Annotated[
        list[str] | None,
        typer.Option("--team", metavar="NAME", help="A team of a caseworker lead's; repeatable."),
    ] = None,
    days: Annotated[
        int, typer.Option("--days", min=1, max=366, help="For how long it is good.")
    ] = 90,
    by: ByOption = None,
) -> None:
    """Make a token and print it, this once: what is kept of it does not tell it.

    It is made once the audit log has who makes it and for whom.
    """
    settings, rules = settings_and_rules()
    roles = [Role(it) for it in sorted(known(role, GIVEN_ROLES, "--role"))]
    if Role.MANAGER in roles and not place:
        raise typer.BadParameter("a manager has places: add --place", param_hint="--role")
    if Role.LEAD in roles and not (place or team):
        raise typer.BadParameter("a caseworker lead has teams: add --team", param_hint="--role")
    if place and HAVE_PLACES.isdisjoint(roles):
        raise typer.BadParameter(
            "only a manager and a caseworker lead have places", param_hint="--place"
        )
    if team and Role.LEAD not in roles:
        raise typer.BadParameter("only a caseworker lead has teams", param_hint="--team")
    known(place, [*rules.areas.names, *rules.places.provider], "--place")
    if not name.strip():
        raise typer.BadParameter("who has it?", param_hint="--name")
    now = the_clock(settings).now()
    said = {"name": name.strip(), "role": roles, "days": days}
    said["place"] = [*(place or ()), *(team or ())]
    Deciding(settings, by, CREATE).note("token-made", said)

    async def make(redis: Redis) -> NewToken:
        tokens = Tokens(redis, settings.deployment)
        return await tokens.create(
            name.strip(), roles, [*(place or ()), *(team or ())], now, timedelta(days=days)
        )

    made = on_redis(settings, make)
    out.print(made.text, soft_wrap=True)
    err.print(f"Token {made.token.id}, good until {made.token.expires:%Y-%m-%d %H:%M}.")


@token.command("list")
def list_tokens() -> None:
    """List the tokens that there are, without their secrets."""
    settings, _ = settings_and_rules()
    now = the_clock(settings).now()

    async def read(redis: Redis) -> list[Token]:
        return await Tokens(redis, settings.deployment).all()

    table = Table("id", "name", "roles", "places", "made", "until", box=box.SIMPLE_HEAD)
    for it in on_redis(settings, read):
        until = f"{it.expires:%Y-%m-%d %H:%M}"
        table.add_row(
            *(it.id, it.name, ", ".join(it.roles), ", ".join(it.places)),
            *(f"{it.created:%Y-%m-%d %H:%M}", until if now < it.expires else f"{until}, expired"),
        )
    out.print(table)


@token.command()
def revoke(
    number: Annotated[str, typer.Argument(metavar="ID", help="The token, as `list` names it.")],
    by: ByOption = None,
) -> None:
    """Have a token be good for nothing, from the next question on.

    Where the audit log does not take that afterwards, it is said, with exit code 1.
    """
    settings, _ = settings_and_rules()
    deciding = Deciding(settings, by, REVOKE)

    async def remove(redis: Redis) -> Token | None:
        tokens = Tokens(redis, settings.deployment)
        made = next((it for it in await tokens.all() if it.id == number), None)
        return made if await tokens.revoke(number) else None

    revoked = on_redis(settings, remove)
    if revoked is None:
        fail(f"no token {number}: see `caseline token list`")
    err.print(f"Token {number} is good for nothing now.")
    deciding.note_done("token-revoked", {"token": number, "name": revoked.name})
