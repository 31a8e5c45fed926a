"""What operators decide by a command of who may ask, in the audit log."""

import asyncio
import getpass
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlencode

import typer

from schemas.audit_entries import AuditResult
from schemas.settings import Settings
from streams.kafka.audit_log import Audited, AuditLog, NotAudited
from streams.terminal.console import explained, fail, the_clock

ByOption = Annotated[
    str | None,
    typer.Option(
        "--by",
        metavar="NAME",
        help="Who decides, for the audit log; whoever is logged in if not given.",
    ),
]


class Deciding:
    """Who decides by which command, known before anything is done."""

    def __init__(self, settings: Settings, by: str | None, command: str) -> None:
        self._settings, self._command = settings, command
        self._clock, self._who = the_clock(settings), who_decides(by)

    def note(self, result: AuditResult, said: Mapping[str, object], count: int = 0) -> None:
        """Have the audit log know what is decided, about so many; ends with why it does not."""
        with explained():
            asyncio.run(self._write(result, said, count))

    def note_done(self, result: AuditResult, said: Mapping[str, object], count: int = 0) -> None:
        """The same of what was done already; ends with that it was, where the log does not."""
        try:
            asyncio.run(self._write(result, said, count))
        except NotAudited:
            fail("this was done, but the audit log could not be told of it: is Kafka there?")

    async def _write(self, result: AuditResult, said: Mapping[str, object], count: int) -> None:
        settings, query = self._settings, urlencode(said, doseq=True)
        told = Audited(self._who, (), self._command, query, result, count, count)
        async with AuditLog(settings.kafka, settings.deployment, self._clock.now) as audit:
            await audit.write(told)


def who_decides(by: str | None) -> str:
    """Who is said to decide; whoever is logged in where nobody is. Raises typer.BadParameter."""
    try:
        return by or getpass.getuser()
    except (KeyError, OSError) as error:
        raise typer.BadParameter("this machine does not say who you are", param_hint="--by") from (
            error
        )
