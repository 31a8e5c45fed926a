"""The command `caseline export`: all that there is of one child, for whoever may ask for it."""

import asyncio
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from schemas.outward import for_json
from snapshots.releases.access import write_privately
from streams.jobs.subject_access import Document, counts_in, everything_of
from streams.state.redis_clients import connect_redis
from streams.terminal.console import err, explained, settings_and_rules


def export(
    child: Annotated[
        str, typer.Option("--child", metavar="ID", help="The child's pseudonym, as events have it.")
    ],
    to: Annotated[
        Path,
        typer.Option("--to", metavar="FILE", help="Where to; a new file, for its owner alone."),
    ],
) -> None:
    """Write all that the log and the state have of one child into one JSON document.

    Events of all topics, dead letters, the stored record, alerts, and what was decided about them;
    what only names the child is said by its place. Reads the whole log.
    """
    if not child.strip():
        raise typer.BadParameter("it names no child", param_hint="--child")
    if os.path.lexists(to):
        raise typer.BadParameter(f"{to} is there already", param_hint="--to")
    settings, rules = settings_and_rules()

    async def search() -> Document:
        async with connect_redis(settings) as redis:
            return await everything_of(
                settings.kafka, redis, settings.deployment, rules, child, datetime.now(UTC)
            )

    with explained():
        document = asyncio.run(search())
        text = json.dumps(document, ensure_ascii=False, indent=1)
        # Half a character, which JSON may spell and UTF-8 may not, stays spelt as it is.
        write_privately(to, f"{for_json(text)}\n".encode(errors="backslashreplace"))
    found = counts_in(document)
    parts = ", ".join(f"{count:,} {name}" for name, count in found.items())
    err.print(f"{to}: {parts or 'nothing of this child was found'}.", markup=False)
