"""Commands that feed Kafka: event files, and what became dead letters."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from snapshots.releases.access import write_privately
from streams.kafka.deadletters import DeadLetter, read_dead_letters
from streams.kafka.eventfiles import BadLine
from streams.kafka.ingest import Sender
from streams.terminal.commands.figures import EventFiles, feed_lines, show_bad_lines
from streams.terminal.console import Exit, err, explained, out, settings_and_rules

RejectsOption = Annotated[
    Path | None,
    typer.Option("--rejects", metavar="FILE", help="Write the bad lines there, to be corrected."),
]


ReasonOption = Annotated[
    str | None,
    typer.Option("--reason", metavar="REASON", help="Only those rejected for it, such as time."),
]

dead_letters = typer.Typer(
    help="Messages that were no events: list, correct and send again.", no_args_is_help=True
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
    topics = ", ".join(
        f"{count:,} to {name}" for name, count in sorted(sender.acknowledged.items())
    )
    err.print(f"{sent:,} events sent ({topics or 'none'}); {len(all_bad):,} bad lines.")
    if all_bad:
        raise typer.Exit(Exit.BAD_INPUT)


@dead_letters.command("list")
def list_dead_letters(reason: ReasonOption = None) -> None:
    """List dead letters: where each was, and why it is no event."""
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


@dead_letters.command()
def export(
    file: Annotated[Path, typer.Argument(help="Where to write them, one a line.", dir_okay=False)],
    reason: ReasonOption = None,
) -> None:
    """Write dead letters to a file, to be corrected and sent with `caseline ingest`."""
    letters = _letters(reason)
    with explained():
        write_privately(file, b"".join(_line(letter) for letter in letters))
    err.print(f"{len(letters):,} dead letters written to {file}.")


@dead_letters.command()
def resend(reason: ReasonOption = None) -> None:
    """Send dead letters to their topic again as they were, after what refused them was mended."""
    settings, _ = settings_and_rules()
    letters = _letters(reason)
    with explained():
        sender = Sender(settings.kafka)
        for letter in letters:
            sender.send_again(letter)
        sender.finish()
    err.print(f"{len(letters):,} dead letters sent again.")


def _letters(reason: str | None) -> list[DeadLetter]:
    settings, _ = settings_and_rules()

    async def read() -> list[DeadLetter]:
        letters = read_dead_letters(settings.kafka)
        return [letter async for letter in letters if reason in {None, letter.reason}]

    with explained():
        return asyncio.run(read())


def _line(letter: DeadLetter) -> bytes:
    """The message on one line: raw line breaks may stand between JSON's tokens, and only there."""
    return (letter.record.value or b"").replace(b"\n", b" ").replace(b"\r", b" ") + b"\n"
