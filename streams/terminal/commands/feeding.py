"""Commands that feed Kafka: event files, and what became dead letters."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from redis.asyncio import Redis
from rich.table import Table
from rich.text import Text

from schemas.connection_settings import Brokers
from schemas.events.registry import VALIDATORS
from snapshots.releases.access import write_privately
from streams.kafka.batches import TP
from streams.kafka.deadletters import DeadLetter, read_dead_letters
from streams.kafka.eventfiles import BadLine, as_line
from streams.kafka.ingest import Sender
from streams.kafka.logreading import log_reader
from streams.state.quarantine import Order, Quarantine, Quarantined, all_quarantined
from streams.state.sources import log_name
from streams.state.store import ShardStore, shard_of
from streams.terminal.audited_commands import who_decides
from streams.terminal.commands.figures import EventFiles, feed_lines, show_bad_lines
from streams.terminal.console import Exit, err, explained, on_redis, out, settings_and_rules

RejectsOption = Annotated[
    Path | None,
    typer.Option("--rejects", metavar="FILE", help="Write the bad lines there, to be corrected."),
]


ReasonOption = Annotated[
    str | None,
    typer.Option("--reason", metavar="REASON", help="Only those rejected for it, such as time."),
]

EXAMPLE = "case-events:3:1504"

dead_letters = typer.Typer(
    help="Messages that were no events: list, correct, send again; pass over what stops a worker.",
    no_args_is_help=True,
)


def ingest(files: EventFiles, rejects: RejectsOption = None) -> None:
    """Send event files to Kafka.

    Each line is checked first: bad ones are reported with line number and reason, the good ones
    go, and the exit code is then 3. Sending a file again is harmless.
    """
    settings, _ = settings_and_rules()
    all_bad: list[BadLine] = []
    sent = 0
    with explained():
        sender = Sender(settings.kafka)
        for path in files:
            good, bad = feed_lines(path, sender.send)
            show_bad_lines(path, bad)
            sent, all_bad = sent + good, all_bad + bad
        sender.finish()
        if rejects and all_bad:
            write_privately(rejects, b"".join(line.value + b"\n" for line in all_bad))
    err.print(f"{_sent(sent, sender.acknowledged)}; {len(all_bad):,} bad lines.")
    if all_bad:
        raise typer.Exit(Exit.BAD_INPUT)


def _sent(events: int, messages: Mapping[str, int]) -> str:
    """How many events were sent, and as which messages: some go to more topics than one."""
    topics = ", ".join(f"{count:,} to {name}" for name, count in sorted(messages.items()))
    total = sum(messages.values())
    more = "" if total == events else f" as {total:,} messages"
    return f"{events:,} events sent{more} ({topics or 'none'})"


@dead_letters.command("list")
def list_dead_letters(reason: ReasonOption = None) -> None:
    """List dead letters: where each was, and why it is no event."""
    settings, rules = settings_and_rules()
    table = Table("topic", "partition", "offset", "reason", "message", box=None)
    letters = _letters(reason)
    for letter in letters:
        tp = letter.tp
        table.add_row(
            tp.topic, str(tp.partition), str(letter.offset), letter.reason, Text(letter.message)
        )
    if letters:
        out.print(table)
    err.print(f"{len(letters):,} dead letters.")
    passed = on_redis(settings, lambda redis: all_quarantined(redis, settings.deployment, rules))
    if passed:
        err.print(f"{len(passed):,} messages are passed over: see quarantine --list.")


@dead_letters.command("quarantine")
def quarantine_message(
    message: Annotated[
        str | None,
        typer.Argument(metavar="TOPIC:PARTITION:OFFSET", help="Where the message lies."),
    ] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", help="Why it is passed over; kept.")
    ] = None,
    by: Annotated[
        str | None, typer.Option("--by", help="Who says so; whoever is logged in if not given.")
    ] = None,
    list_them: Annotated[
        bool, typer.Option("--list", help="List the messages that are passed over.")
    ] = False,
) -> None:
    """Have everything pass over a message for good: workers, rebuilds, and the recount of releases.

    For a message that has stopped its partition and cannot be mended. It stays in its topic.
    """
    settings, rules = settings_and_rules()
    if list_them:
        _list_quarantined(
            on_redis(settings, lambda redis: all_quarantined(redis, settings.deployment, rules))
        )
        return
    if message is None or not (reason or "").strip():
        raise typer.BadParameter("name a message and a --reason, or ask for --list")
    tp, offset = _place(message)
    who, now = who_decides(by), datetime.now(UTC)

    async def store(redis: Redis) -> Quarantined:
        orders = Quarantine(redis, settings.kafka, settings.deployment, rules)
        at = now.isoformat(timespec="seconds")
        return await orders.order(Order(tp, offset, str(reason).strip(), who, at, log_id))

    with explained():
        end, log_id = asyncio.run(_end_of(settings.kafka, tp))
        if end is None or offset >= end:
            raise typer.BadParameter(f"there is no message at {message}: the log ends at {end}")
    entry = on_redis(settings, store)
    head = on_redis(
        settings,
        lambda redis: ShardStore(redis, settings.deployment, shard_of(tp), rules).head(
            any_layout=True
        ),
    )
    err.print(f"{message} is passed over from now on.")
    if head and entry.since > head.generation:
        err.print(
            "It is in the state already: run `caseline rebuild` to take it out of the figures."
        )


def _place(message: str) -> tuple[TP, int]:
    topic, _, rest = message.partition(":")
    numbers = rest.split(":")
    if topic not in VALIDATORS or len(numbers) != 2 or not all(map(_is_number, numbers)):
        raise typer.BadParameter(f"{message} is not TOPIC:PARTITION:OFFSET, such as {EXAMPLE}")
    return TP(topic, int(numbers[0])), int(numbers[1])


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


async def _end_of(brokers: Brokers, tp: TP) -> tuple[int | None, str]:
    """The end of a partition, None for none, and which log it is of."""
    async with log_reader(brokers, [tp.topic]) as reader:
        end = (await reader.bounds()).get(tp, (0, None))[1]
        return end, log_name(await reader.describe(), tp.topic)


def _list_quarantined(passed: list[Quarantined]) -> None:
    table = Table("topic", "partition", "offset", "since", "by", "reason", box=None)
    for it in passed:
        table.add_row(
            it.tp.topic, str(it.tp.partition), str(it.offset), it.at, Text(it.by), Text(it.reason)
        )
    if passed:
        out.print(table)
    err.print(f"{len(passed):,} messages are passed over.")


@dead_letters.command()
def export(
    file: Annotated[Path, typer.Argument(help="Where to write them, one a line.", dir_okay=False)],
    reason: ReasonOption = None,
) -> None:
    """Write dead letters to a file, to be corrected and sent with `caseline ingest`."""
    letters, stubs = _whole(_letters(reason))
    with explained():
        write_privately(file, b"".join(as_line(letter.record.value) for letter in letters))
    err.print(f"{len(letters):,} dead letters written to {file}.")
    _say_stubs(stubs)


@dead_letters.command()
def resend(reason: ReasonOption = None) -> None:
    """Send dead letters to their topic again as they were, after what refused them was mended."""
    settings, _ = settings_and_rules()
    letters, stubs = _whole(_letters(reason))
    with explained():
        sender = Sender(settings.kafka)
        for letter in letters:
            sender.send_again(letter)
        sender.finish()
    err.print(f"{len(letters):,} dead letters sent again.")
    _say_stubs(stubs)


def _whole(letters: list[DeadLetter]) -> tuple[list[DeadLetter], int]:
    """The dead letters that are there as they came, and how many only stand for one."""
    whole = [letter for letter in letters if not letter.is_stub]
    return whole, len(letters) - len(whole)


def _say_stubs(stubs: int) -> None:
    if stubs:
        err.print(
            f"{stubs:,} left out: they were too large for the dead-letter topic, and lie in their "
            "own topic alone."
        )


def _letters(reason: str | None) -> list[DeadLetter]:
    settings, _ = settings_and_rules()

    async def read() -> list[DeadLetter]:
        letters = read_dead_letters(settings.kafka)
        return [letter async for letter in letters if reason in {None, letter.reason}]

    with explained():
        return asyncio.run(read())
