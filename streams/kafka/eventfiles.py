"""Event files: JSON lines, plain or gzip, one event a line."""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple, cast

from pydantic_core import from_json

from processors.record.decoding import (
    Headers,
    Message,
    RejectedError,
    Rejection,
    decode,
    structured,
)
from schemas.events.registry import VALIDATORS, topics_of
from streams.failures import Understood

GZIP_MAGIC = b"\x1f\x8b"
# Lines judged at a time: enough for work over columns to pay, few enough to be quick to show.
BATCH = 5_000


class BrokenFile(Understood):
    """A compressed file does not decompress to its end."""


class EventLine(NamedTuple):
    """A line of an event file that is an event: its number, the message it makes, its topics."""

    number: int
    message: Message
    topics: tuple[str, ...]


class BadLine(NamedTuple):
    """A line that is no event: its number, its bytes, and why."""

    number: int
    value: bytes
    rejection: Rejection


class Judged(NamedTuple):
    """Some lines of a file, in order, and how many of its bytes have been read so far."""

    good: list[EventLine]
    bad: list[BadLine]
    bytes_read: int


def open_events(path: Path) -> IO[bytes]:
    """The file opened for reading bytes, decompressed if it is gzip. Raises OSError."""
    with path.open("rb") as file:
        is_gzip = file.read(2) == GZIP_MAGIC
    return cast(IO[bytes], gzip.open(path)) if is_gzip else path.open("rb")


def read_events(path: Path) -> Iterator[Judged]:
    """All lines that are not blank, judged as the stream would judge them.

    Raises OSError when the file cannot be read, and BrokenFile when it is not whole.
    """
    with open_events(path) as file:
        raw = getattr(file, "fileobj", file)
        numbered = ((number, line.strip()) for number, line in enumerate(file, start=1))
        lines = ((number, value) for number, value in numbered if value)
        try:
            while batch := list(islice(lines, BATCH)):
                yield Judged(*judged(batch), raw.tell())
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise BrokenFile(f"{path}: the gzip file is cut short or damaged ({error})") from error


def judged(lines: list[tuple[int, bytes]]) -> tuple[list[EventLine], list[BadLine]]:
    """Numbered events as the stream would judge them: those that are, and those that are none."""
    routed = [(number, *_route(value)) for number, value in lines]
    bad = {line.number: line for line in _bad_lines(routed)}
    good = [EventLine(*line) for line in routed if line[0] not in bad]
    return good, list(bad.values())


def _bad_lines(routed: Iterable[tuple[int, Message, tuple[str, ...]]]) -> Iterator[BadLine]:
    for topic in VALIDATORS:
        lines = [(number, message) for number, message, topics in routed if topics[0] == topic]
        for position, rejection in decode(topic, [message for _, message in lines]).rejected:
            number, (_, value, _) = lines[position]
            yield BadLine(number, value or b"", rejection)


def _route(value: bytes) -> tuple[Message, tuple[str, ...]]:
    """The message a line makes and its topics; what is wrong with it is for the schema to say."""
    try:
        event = from_json(value, allow_inf_nan=False)
        event_type, child = str(event["type"]), str(event["partitionkey"])
    except (ValueError, TypeError, KeyError):
        event_type, child = "", ""
    return (child.encode("utf-8", "replace"), value, ()), topics_of(event_type)


def as_line(value: bytes | None, headers: Headers = ()) -> bytes:
    """A message on one line: raw line breaks may stand between JSON's tokens, and only there.

    With its headers an event in binary mode becomes one in structured mode.
    """
    try:
        text = structured(value, headers)
    except RejectedError:
        text = value or b""
    return text.replace(b"\n", b" ").replace(b"\r", b" ") + b"\n"
