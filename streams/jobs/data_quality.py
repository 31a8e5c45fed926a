"""Data quality: odd facts, what cases lack, and figures that contradict themselves."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from redis.asyncio import Redis

from processors.figures.evaluate import AsOf, rounded_half_up, shown, supplied_as_well
from processors.figures.scorecard_rows import scorecard
from processors.record.completeness import Completeness, Tally
from processors.record.decoding import Event
from processors.record.quality import OddFact, odd_facts
from processors.rules import Rules
from streams.state.reading import read_children

# Whose cases all of them are.
EVERYONE = "all"
LACK_COLUMNS = ("indicator", "provider", "numerator", "denominator", "value")
CONTRADICTION_COLUMNS = ("finding", "code", "level", "place", "age_band", "value", "supplied")


class QualityFound:
    """What is found in records, child by child, as it stands on a date."""

    def __init__(self, rules: Rules, as_of: date) -> None:
        self._rules, self._as_of = rules, as_of
        self._tally = Tally(rules.areas, as_of)
        self._facts = set[OddFact]()

    def add(self, events: Sequence[Event]) -> None:
        """Take in one child's events; of a child that comes twice each fact counts once."""
        rules = self._rules
        self._facts.update(odd_facts(events, rules.areas, rules.calendar, self._as_of))
        self._tally.add(events)

    @property
    def facts(self) -> list[OddFact]:
        """Every odd fact, in order of kind and case."""
        return sorted(self._facts)

    @property
    def lacking(self) -> list[Completeness]:
        """How many cases lack something, of all and then by provider."""
        return self._tally.found()


def quality_of(rules: Rules, as_of: date, children: Iterable[Iterable[Event]]) -> QualityFound:
    """The quality of children's events."""
    found = QualityFound(rules, as_of)
    for events in children:
        found.add(list(events))
    return found


async def read_quality(redis: Redis, deployment: str, rules: Rules, as_of: date) -> QualityFound:
    """The quality of every record there is. Raises as `read_children` does."""
    found = QualityFound(rules, as_of)
    async for events in read_children(redis, deployment, rules):
        found.add(events)
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
