"""Events as the lines of an event file, in order of time, the same bytes each time."""

import gzip
import io
import json
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

SOURCE = "urn:caseline:june-2017"
# Within a day, so that what follows on is later.
HOURS = {
    "notification.received": 7,
    "case.allocated": 9,
    "worker.assigned": 10,
    "referrer.contacted": 10,
    "contact.made": 11,
    "plan.completed": 12,
    "destination.started": 13,
    "destination.sustained": 14,
    "case.stepped-up": 15,
    "case.closed": 16,
}
MIDDAY = 12

Event = tuple[str, str, str, str, str]
"""When, its id, its type, whom it is about, and all of it as JSON."""


def event(
    kind: str, subject: str, key: str, day: date, data: Mapping[str, object], name: str = ""
) -> Event:
    """An event of a day; `name` tells those of one subject and day apart."""
    when = f"{day}T{HOURS.get(kind, MIDDAY):02d}:00:00Z"
    whole = {
        "specversion": "1.0",
        "id": f"{kind} {subject} {day} {name}".strip(),
        "source": SOURCE,
        "type": kind,
        "subject": subject,
        "partitionkey": key,
        "time": when,
        "data": dict(data),
    }
    return when, str(whole["id"]), kind, key, json.dumps(whole, separators=(",", ":"))


def write(path: Path, events: Iterable[Event]) -> int:
    """Write events as gzipped lines; how many there are."""
    lines = [it[-1] for it in sorted(events)]
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=buffer, mode="wb", compresslevel=9, mtime=0) as file:
        for line in lines:
            file.write(line.encode() + b"\n")
    path.write_bytes(buffer.getvalue())
    return len(lines)
