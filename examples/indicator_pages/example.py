"""A worked example: a few events, and the figure that Caseline makes of them."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from processors.behind.counted_rows import Question
from processors.behind.listing import Listed
from processors.days.calendar import day_number
from processors.figures.evaluate import Figure
from processors.record.decoding import Message
from processors.rules import Rules
from schemas.catalogue import ALL_AGES, Indicator
from schemas.events.registry import topics_of
from schemas.places import PROVIDER, SITE_LEVELS, Place
from streams.jobs.replay import Replay
from streams.kafka.eventfiles import EventLine

from .stories import Happening, lines

# The kinds of place that an example is of, the narrowest that an indicator is at first.
NARROWEST_FIRST = (*SITE_LEVELS, PROVIDER)


class Example(NamedTuple):
    """Events, the place that they are looked at for, the figure there and what is behind it."""

    place: Place
    events: tuple[Happening, ...]
    figure: Figure
    behind: tuple[Listed, ...]


def example(
    rules: Rules, indicator: Indicator, as_of: date, place: Place, events: Sequence[Happening]
) -> Example:
    """What Caseline makes of events: the processors of the live stream, as `replay` runs them."""
    replay = Replay(rules)
    replay.add(_taken(events))
    (dated,) = replay.series([as_of], (indicator, place, ALL_AGES))
    found: list[Listed] = []
    if indicator.source == "events":
        found = replay.behind(Question(indicator, place, ALL_AGES, day_number(as_of)))
    return Example(place, tuple(events), dated.figure, tuple(sorted(found)))


def level_of(rules: Rules, indicator: Indicator) -> str:
    """The kind of place that an example of an indicator is of."""
    narrow = [it for it in NARROWEST_FIRST if it in indicator.levels]
    return narrow[0] if narrow else rules.areas.levels[0]


def _taken(events: Iterable[Happening]) -> list[EventLine]:
    return [
        EventLine(number, _message(line, it.key), topics_of(it.type))
        for number, (line, it) in enumerate(
            zip(lines(events), sorted(events, key=lambda it: it.on), strict=True), start=1
        )
    ]


def _message(line: str, key: str) -> Message:
    return key.encode(), line.encode(), ()
