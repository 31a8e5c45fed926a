"""What a child or family may ask for: all that there is of one child, and that it be erased."""

import asyncio
import json
import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer
from redis.asyncio import Redis

from schemas.outward import for_json
from snapshots.releases.access import write_privately
from streams.jobs.belonging import Belonging
from streams.jobs.erasing.erasure import Erasing, still_named
from streams.jobs.erasing.erasure_journal import Erasure
from streams.jobs.erasing.erasure_search import ErasureSearch
from streams.jobs.subject_access import Document, counts_in, everything_of
from streams.state.redis_clients import connect_redis
from streams.terminal.audited_commands import who_decides
from streams.terminal.commands.running import YesOption
from streams.terminal.console import err, explained, on_redis, out, settings_and_rules, the_clock


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
    if not child.strip() or not child.isprintable():
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


def erase(
    child: Annotated[
        str | None,
        typer.Option("--child", metavar="ID", help="The child's pseudonym, as events have it."),
    ] = None,
    closed_before: Annotated[
        datetime | None,
        typer.Option(
            "--closed-before",
            formats=["%Y-%m-%d"],
            metavar="DATE",
            help="Everyone of whom all is over since before that day.",
        ),
    ] = None,
    reason: Annotated[
        str | None,
        typer.Option("--reason", metavar="TEXT", help="Why; it goes to the audit log."),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="NAME", help="Who decides; whoever runs it if not given."),
    ] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Say what would go, and change nothing.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an erasure that was broken off.")
    ] = False,
    give_up: Annotated[
        bool,
        typer.Option("--give-up", help="End one that was broken off before anything was deleted."),
    ] = False,
    yes: YesOption = False,
) -> None:
    """Erase a child: their messages leave the log, and what is known of them the state.

    --closed-before erases everyone whose cases, social care and registrations have all ended, and
    of whom nothing is dated that day or later; its --preview lists them.

    Published figures stand. Workers, `alerts run` and producers have to be stopped before: topics
    take no events for as long as it takes to write them anew twice. What was broken off is gone on
    with by --resume. A topic's deleted files leave the disk a minute later.
    """
    settings, rules = settings_and_rules()
    clock = the_clock(settings)
    day = closed_before.date() if closed_before else None
    if resume or give_up:
        if child or day or reason or by or preview or (resume and give_up):
            raise typer.BadParameter("--resume and --give-up go alone: the rest was said before")
    else:
        _check(child, day, clock.today())
        if not preview and not (reason or "").strip():
            raise typer.BadParameter("say why: it goes to the audit log", param_hint="--reason")

    def tell(what: str, done: int, total: int) -> None:
        err.print(f"{what}: {done:,} of {total:,}", markup=False)

    def erasing(redis: Redis) -> Erasing:
        return Erasing(settings, rules, redis, clock.now, tell)

    async def look(redis: Redis) -> tuple[list[str], ErasureSearch]:
        children = [str(child)] if day is None else await erasing(redis).over_before(day)
        return children, await erasing(redis).find(children)

    async def end(redis: Redis) -> None:
        async with erasing(redis).alone():
            await erasing(redis).give_up()

    async def run(redis: Redis) -> tuple[Erasure, dict[str, int]]:
        work = erasing(redis)
        async with work.alone() as term:
            if resume:
                erasure = await work.resume(term)
            else:
                who = who_decides(by)
                erasure = await work.erase(term, children, who, str(reason).strip(), day)
        return erasure, await still_named(work, erasure)

    if give_up:
        on_redis(settings, end)
        err.print("Given up: nothing was erased, and topics take events again.")
        return
    children: list[str] = []
    if not resume:
        children, found = on_redis(settings, look)
        if Belonging(children, set()).is_named(f"{reason} {by}".encode()):
            raise typer.BadParameter("it names a child: it is kept", param_hint="--reason, --by")
        parts = ", ".join(f"{count:,} of {topic}" for topic, count in found.counts.items())
        of = f"{len(children):,} children, " if day else ""
        err.print(f"To go: {of}{parts or 'nothing'}; alerts: {len(found.alerts):,}.", markup=False)
        if preview or not children:
            for each in children if day else ():
                out.print(each, markup=False)
            return
        if not yes:
            typer.confirm("Erase that for good? Topics take no events meanwhile.", abort=True)
    erasure, named = on_redis(settings, run)
    total = sum(erasure.counts.values())
    err.print(f"Erased: {total:,} messages, {len(erasure.children):,} children.", markup=False)
    err.print(f"Erasure {erasure.number} is in the audit log.", markup=False)
    for where, count in named.items():
        err.print(f"Still named {count:,} times, as others' or as what stands: {where}")


def _check(child: str | None, day: date | None, today: date) -> None:
    """Refuse what does not say whom. Raises typer.BadParameter."""
    if (child is None) == (day is None):
        raise typer.BadParameter("give either --child or --closed-before", param_hint="--child")
    if child is not None and (not child.strip() or not child.isprintable()):
        raise typer.BadParameter("it names no child", param_hint="--child")
    if day is not None and day > today:
        raise typer.BadParameter(f"{day} is yet to come", param_hint="--closed-before")
