"""What operators decide by a command of who may ask, in the audit log."""

import asyncio
import getpass
from typing import Annotated
from urllib.parse import urlencode

import typer

from schemas.audit_entries import AuditResult
from schemas.settings import Settings
from streams.clock import Clock
from streams.kafka.audit_log import Audited, AuditLog

ByOption = Annotated[
    str | None,
    typer.Option(
        "--by",
        metavar="NAME",
        help="Who decides, for the audit log; whoever is logged in if not given.",
    ),
]


def note_decided(
    settings: Settings,
    clock: Clock,
    by: str | None,
    command: str,
    result: AuditResult,
    said: list[tuple[str, str]],
    count: int = 0,
) -> None:
    """Have the audit log know who decided what by a command, about so many. Raises NotAudited."""

    async def write() -> None:
        async with AuditLog(settings.kafka, settings.deployment, clock.now) as audit:
            who = by or getpass.getuser()
            await audit.write(Audited(who, (), command, urlencode(said), result, count, count))

    asyncio.run(write())
