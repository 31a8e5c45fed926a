"""Commands that run a deployment: workers and topics."""

import asyncio
import json
import time
from pathlib import Path
from typing import Annotated

import typer
from aiokafka.errors import KafkaError
from redis.asyncio import Redis
from redis.exceptions import RedisError
from rich.progress import TaskID
from rich.table import Table
from rich.text import Text

from schemas.audit_entries import AUDIT_TOPIC
from schemas.events.registry import VALIDATORS, json_schema
from snapshots.releases.access import write_privately
from streams.alerts.decisions import keeping
from streams.jobs.erasing.erased_state import forget_erased
from streams.jobs.rebuild.rebuild import Rebuild
from streams.jobs.rebuild.rebuild_plan import Acknowledgement
from streams.kafka.batches import TP
from streams.kafka.deadletters import DeadLetters
from streams.kafka.eventfiles import as_line
from streams.kafka.logreading import log_reader
from streams.state.erased_list import erased_everywhere, log_again
from streams.state.quarantine import Quarantine
from streams.state.redis_clients import connect_redis
from streams.terminal.console import (
    Exit,
    err,
    explained,
    on_redis,
    out,
    progress,
    settings_and_rules,
    the_clock,
)
from streams.terminal.logs import set_up_logs

topics = typer.Typer(help="Kafka topics of this deployment.", no_args_is_help=True)


def worker() -> None:
    """Run a worker until it is told to stop (Ctrl-C or SIGTERM).

    Start as many as there are partitions, anywhere: they share the work, and take over from one
    another when one stops or dies. Redis and Kafka that are away at the start are waited for, and
    the log says every few seconds what it waits for and where; refused credentials end it.
    """
    # Faust takes half a second to import, which no other command should wait for.
    from streams.kafka.app import WorkerFailed
    from streams.worker.worker import run

    settings, _ = settings_and_rules()
    set_up_logs(settings.log_level)
    with explained():
        try:
            asyncio.run(run(settings))
        except WorkerFailed as failed:
            # Which service failed it is for `explained` to say.
            if isinstance(failed.__cause__, (RedisError, KafkaError)):
                raise failed.__cause__ from None
            raise


@topics.command()
def create() -> None:
    """Create the topics that are missing, with their partitions and unlimited retention."""
    from streams.kafka.topics import create_topics

    settings, _ = settings_and_rules()
    with explained():
        for name, is_new in create_topics(settings).items():
            err.print(f"{name}: {'created' if is_new else 'was there'}")


@topics.command("export")
def export_topic(
    topic: Annotated[
        str, typer.Argument(help="A topic of events, such as case-events; or audit-log.")
    ],
    file: Annotated[Path, typer.Argument(help="Where to write them.", dir_okay=False)],
) -> None:
    """Write what is committed in a topic to a file, a message a line, for `caseline ingest`.

    Events in binary mode are written as one JSON object, like the others. The file has personal
    data, and only its owner may read it.
    """
    settings, _ = settings_and_rules()
    kept = [*VALIDATORS, AUDIT_TOPIC]
    if topic not in kept:
        raise typer.BadParameter(f"{topic} is not one of {', '.join(kept)}")

    async def write() -> int:
        count = 0
        write_privately(file, b"")
        with file.open("ab") as stream:
            async with log_reader(settings.kafka, [topic]) as reader:
                for tp, (first, end) in (await reader.bounds()).items():
                    async for _, records in reader.read(tp, first, end):
                        stream.writelines(as_line(it.value, it.headers) for it in records)
                        count += len(records)
        return count

    with explained():
        count = asyncio.run(write())
    err.print(f"{count:,} messages of {topic} written to {file}.")


YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


WhatIsThereOption = Annotated[
    bool,
    typer.Option(
        "--from-what-is-there",
        help="Go on though the log has lost messages; say by whose decision, and why.",
    ),
]
ByOption = Annotated[
    str | None, typer.Option("--by", metavar="NAME", help="Who decides to go on without them.")
]
ReasonOption = Annotated[
    str | None, typer.Option("--reason", metavar="TEXT", help="Why that is right.")
]


def rebuild(
    yes: YesOption = False,
    from_what_is_there: WhatIsThereOption = False,
    by: ByOption = None,
    reason: ReasonOption = None,
) -> None:
    """Make a deployment's state anew from the log, and replace the present one by it.

    Readers and workers go on with the present state until the new one takes over. Do this after
    changing a measure in the catalogue or the tree of areas, when the state is in doubt, or when
    workers say that the log is another one than before, and it is the right one.

    Where the log no longer has all that the state rests on, nothing is changed, unless
    --from-what-is-there says by name and with a reason to go on: with the records of the present
    state and the rest of the log. What is lost is shown on scorecards and in releases until it has
    left every window, and by `doctor` for ever.
    """
    settings, rules = settings_and_rules()
    acknowledged = _acknowledged(by, reason) if from_what_is_there else None
    if (by or reason) and not from_what_is_there:
        raise typer.BadParameter("--by and --reason go with --from-what-is-there")
    if not yes:
        typer.confirm(f"Rebuild the state of deployment {settings.deployment!r}?", abort=True)

    async def run(redis: Redis) -> int:
        tasks: dict[TP, TaskID] = {}
        async with (
            log_reader(settings.kafka, VALIDATORS) as reader,
            DeadLetters(settings.kafka, settings.deployment) as letters,
        ):
            orders = Quarantine(redis, settings.kafka, settings.deployment, rules)
            await orders.adopt()
            await orders.put_back(await reader.describe())
            rules.erased = await erased_everywhere(settings, redis)
            await log_again(settings, redis)
            most = settings.records_in_memory, settings.records_bytes
            of = redis, settings.deployment, rules, reader, *most
            work = Rebuild(*of, letters, acknowledged)
            with progress("records") as bar:
                async for tp, offset, target in work.run():
                    if tp not in tasks:
                        name = f"{tp.topic}[{tp.partition}]"
                        tasks[tp] = bar.add_task(name, total=target)
                    bar.update(tasks[tp], completed=offset)
            if forgotten := await forget_erased(redis, settings.deployment, rules):
                err.print(f"{forgotten:,} erased children were forgotten again.")
            for note in work.notes:
                err.print(note, markup=False, soft_wrap=True)
            for gap in work.gaps:
                err.print(f"Noted: {gap.told}.", markup=False, soft_wrap=True)
        now = (await asyncio.to_thread(the_clock, settings)).now
        async with keeping(settings.kafka, redis, settings.deployment, now) as decisions:
            await decisions.turn()
        return len(tasks)

    err.print(f"{on_redis(settings, run)} partitions rebuilt.")


def _acknowledged(by: str | None, reason: str | None) -> Acknowledgement:
    if not (by or "").strip() or not (reason or "").strip():
        raise typer.BadParameter("--from-what-is-there takes --by NAME and --reason TEXT")
    return Acknowledgement(str(by), str(reason), int(time.time() * 1000))


DeepOption = Annotated[
    bool,
    typer.Option(
        "--deep", help="Also compare a sample of children and this month with the log, read whole."
    ),
]


def doctor(deep: DeepOption = False) -> None:
    """Check Kafka, Redis, topics, offsets, lag and workers, and say plainly what is wrong.

    Exit code 4 when something is wrong.
    """
    from streams.jobs.doctor import STYLES, Doctor, Finding, Verdict

    settings, rules = settings_and_rules()

    day = the_clock(settings).today() if deep else None

    async def examine() -> list[Finding]:
        async with connect_redis(settings) as redis:
            return [it async for it in Doctor(settings, rules, redis, day).findings()]

    findings = asyncio.run(examine())
    table = Table(box=None, show_header=False, padding=(0, 1))
    for finding in findings:
        table.add_row(
            finding.verdict, finding.what, Text(finding.text), style=STYLES[finding.verdict]
        )
    out.print(table)
    wrong = sum(finding.verdict is Verdict.WRONG for finding in findings)
    out.print(f"{wrong} wrong" if wrong else "Nothing wrong.")
    if wrong:
        raise typer.Exit(Exit.UNWELL)


def schema() -> None:
    """Print the JSON Schema of the events, by topic."""
    out.print_json(json.dumps(json_schema()))
