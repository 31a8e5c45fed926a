"""Data quality: odd facts, what cases lack, and figures that contradict themselves."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from redis.asyncio import Redis

from processors.figures.evaluate import AsOf, rounded_half_up, shown, supplied_as_well
from processors.figures.scorecard_rows import scorecard
from processors.record.completeness import Completeness
from processors.record.decoding import Event
from processors.record.found_quality import QualityAsOf, QualityFound
from processors.rules import Rules
from streams.state.reading import read_children

# Whose cases all of them are.
EVERYONE = "all"
LACK_COLUMNS = ("indicator", "provider", "numerator", "denominator", "value")
CONTRADICTION_COLUMNS = ("finding", "code", "level", "place", "age_band", "value", "supplied")


def quality_of(rules: Rules, as_of: date, children: Iterable[Iterable[Event]]) -> QualityFound:
    """The quality of children's events, as it stands on a date."""
    found, judging = QualityFound(), QualityAsOf(rules.areas, rules.calendar, as_of)
    for events in children:
        found.add(judging.of_child(events))
    return found


async def read_quality(redis: Redis, deployment: str, rules: Rules, as_of: date) -> QualityFound:
    """The quality of every record there is. Raises as `read_children` does."""
    found, judging = QualityFound(), QualityAsOf(rules.areas, rules.calendar, as_of)
    async for events in read_children(redis, deployment, rules):
        found.add(judging.of_child(events))
    return found


def lack_rows(found: Iterable[Completeness]) -> list[Sequence[object]]:
    """What cases lack, in LACK_COLUMNS: how many of how many, and the percentage."""
    return [
        (
            str(it.lack),
            it.provider or EVERYONE,
            it.numerator,
            it.denominator,
            rounded_half_up(100 * it.numerator, it.denominator),
        )
        for it in found
    ]


def contradictions(rules: Rules, known: AsOf) -> Iterator[Sequence[object]]:
    """Percentages over 100, and figures that are computed and supplied as well.

    In CONTRADICTION_COLUMNS.
    """
    levels = rules.graph.levels
    units = {it.code: it.unit for it in rules.catalogue.indicator}
    for row in scorecard(rules, known, known, levels):
        if row.value is not None and row.value > 100 and units[row.code] == "percent":
            yield "over-100", row.code, row.level, row.area, row.age_band, row.value, ""
    for it in supplied_as_well(rules, known, levels):
        where = it.place.level, it.place.name, it.band
        values = (shown(it.indicator, part.value) for part in (it.computed, it.supplied))
        yield ("computed-and-supplied", it.indicator.code, *where, *values)
