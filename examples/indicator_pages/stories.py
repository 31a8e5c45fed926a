"""What happened to a few made-up children and places: the material of worked examples."""

import json
import tomllib
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

STORIES = Path(__file__).parent / "stories.toml"
# Without its time an event says nothing of the order within a day, and no example rests on it.
TIME = "T10:00:00Z"
SOURCE = "urn:example"

Data = dict[str, Any]


class Happening(NamedTuple):
    """An event before it is written: when, what, of whom, and what it says."""

    on: str
    type: str
    key: str
    subject: str
    data: Data


class Story(NamedTuple):
    """Everything that happened to one child or at one place, in order."""

    name: str
    pool: str
    events: tuple[Happening, ...]


def load() -> tuple[date, list[Story]]:
    """The date that examples are as of, and the stories."""
    text = tomllib.loads(STORIES.read_text("utf-8"))
    stories = [Story(it["name"], it["pool"], tuple(_happenings(it))) for it in text["story"]]
    return date.fromisoformat(text["as_of"]), stories


def _happenings(story: Data) -> Iterator[Happening]:
    key: str = story.get("key") or story["name"]
    for it in story["event"]:
        subject: str = it.get("subject") or story["name"]
        yield Happening(it["on"], it["type"], key, subject, it.get("data", {}))


def lines(events: Iterable[Happening]) -> list[str]:
    """The events as an event file has them, in order of time."""
    return [
        json.dumps(
            {
                "specversion": "1.0",
                "id": str(number),
                "source": SOURCE,
                "type": it.type,
                "subject": it.subject,
                "partitionkey": it.key,
                "time": it.on + TIME,
                **({"data": it.data} if it.data else {}),
            },
            ensure_ascii=False,
        )
        for number, it in enumerate(sorted(events, key=lambda it: it.on), start=1)
    ]


def read(text: Iterable[str]) -> list[Happening]:
    """The events of an event file, as `lines` wrote it."""
    found = (json.loads(line) for line in text)
    return [
        Happening(
            it["time"].removesuffix(TIME),
            it["type"],
            it["partitionkey"],
            it["subject"],
            it.get("data", {}),
        )
        for it in found
    ]
