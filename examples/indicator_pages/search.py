"""Examples are found, not written: the fewest stories that give a figure something to say.

A count must count one and leave one out; what is divided must have something below that is not
above; days added up must be of two.
"""

from collections.abc import Callable, Sequence
from datetime import date

from processors.figures.evaluate import Figure
from processors.rules import Rules
from schemas.catalogue import ALL_AGES, Indicator, PopulationOf, WorkforceOf
from schemas.places import PROVIDER, Place

from .example import Example, example, level_of
from .stories import Data, Happening, Story

# What others supply, in round numbers: people by what a figure is multiplied by, and full-time
# equivalents.
PEOPLE = {100: 20, 10_000: 4_000}
FTE = 0.5
SUPPLIED = {"count": {"value": 12.0}, "percent": {"numerator": 12.0, "denominator": 80.0}}


class NothingToSayError(Exception):
    """The stories give an indicator nothing to say."""


def find(rules: Rules, indicator: Indicator, as_of: date, stories: Sequence[Story]) -> Example:
    """The example of an indicator. Raises NothingToSayError."""
    tried = [
        _at(rules, indicator, as_of, place, stories) for place in _places(rules, indicator, stories)
    ]
    found = [it for it in tried if it]
    if not found:
        raise NothingToSayError(f"{indicator.code}: no story in stories.toml gives it anything")
    return min(found, key=lambda it: len(it.events))


def _places(rules: Rules, indicator: Indicator, stories: Sequence[Story]) -> list[Place]:
    level = level_of(rules, indicator)
    names = [rules.areas.top]
    if level == PROVIDER:
        names = list(rules.places.provider)
    elif level != rules.areas.levels[0]:
        told = {event.data.get("place") for story in stories for event in story.events}
        names = [it.name for it in rules.places.site if it.kind == level and it.name in told]
    return [Place(level, name) for name in names]


def _at(
    rules: Rules, indicator: Indicator, as_of: date, place: Place, stories: Sequence[Story]
) -> Example | None:
    supplied = _supplied(indicator, place, as_of)

    def of(events: Sequence[Happening]) -> Example:
        return example(rules, indicator, as_of, place, [*supplied, *events])

    if indicator.source == "supplied":
        return of([])
    chosen = list(stories)
    if not _says_something(indicator, of(_events(chosen)).figure):
        return None
    by_pool = [[it for it in stories if it.pool == pool] for pool in _pools(stories)]
    for without in [*by_pool, *([story] for story in reversed(stories))]:
        fewer = [it for it in chosen if it not in without]
        if len(fewer) < len(chosen) and _says_something(indicator, of(_events(fewer)).figure):
            chosen = fewer
    kept = _pruned(_events(chosen), lambda events: of(events).figure)
    if indicator.denominator is None:
        kept += _left_out(chosen, stories, kept, lambda events: of(events).figure)
    return of(kept)


def _says_something(indicator: Indicator, figure: Figure) -> bool:
    above, below = figure.numerator or 0, figure.denominator or 0
    if indicator.unit == "days":
        return below >= 2 and above > below
    if isinstance(indicator.denominator, dict):
        return 0 < above < below
    return above > 0 and below > 0


def _pools(stories: Sequence[Story]) -> list[str]:
    return list(dict.fromkeys(it.pool for it in reversed(stories)))


def _events(stories: Sequence[Story]) -> list[Happening]:
    return [event for story in stories for event in story.events]


def _pruned(
    events: list[Happening], figure: Callable[[Sequence[Happening]], Figure]
) -> list[Happening]:
    """The events without those that make no difference."""
    whole = figure(events)
    for event in reversed(events):
        fewer = [it for it in events if it is not event]
        if figure(fewer) == whole:
            events = fewer
    return events


def _left_out(
    chosen: Sequence[Story],
    stories: Sequence[Story],
    kept: Sequence[Happening],
    figure: Callable[[Sequence[Happening]], Figure],
) -> list[Happening]:
    """The events of a story that is like those that count, and does not."""
    pools, types = {it.pool for it in chosen}, {it.type for it in kept}
    whole = figure(kept)
    alike = [
        story
        for story in stories
        if story.pool in pools and story not in chosen and {it.type for it in story.events} & types
    ]
    for story in alike:
        if figure([*kept, *story.events]) == whole:
            return list(story.events)
    return []


def _supplied(indicator: Indicator, place: Place, as_of: date) -> list[Happening]:
    """What others supply for a figure: what it is divided by, or all of it."""
    year = f"{as_of.year - (as_of.month < 4)}"
    before = f"{as_of:%Y}-05-31"
    denominator = indicator.denominator

    def told(kind: str, data: Data) -> list[Happening]:
        return [Happening(before, kind, place.name, place.name, data)]

    if indicator.source == "supplied":
        is_monthly = indicator.frequency in {"M", "R12M"}
        figure = SUPPLIED["count" if indicator.unit == "count" else "percent"]
        data = {
            "code": indicator.code,
            "area": place.name,
            "age_band": ALL_AGES,
            "period": f"{as_of:%Y-%m}" if is_monthly else year,
            **figure,
            "status": "supplied",
            "provenance": "a made-up return",
        }
        return [Happening(f"{as_of}", "measure.supplied", place.name, place.name, data)]
    if isinstance(denominator, WorkforceOf):
        data = {"provider": place.name, "service": denominator.fte, "fte": FTE}
        return told("workforce.reported", data)
    if denominator == "population" or isinstance(denominator, PopulationOf):
        ages = denominator.ages if isinstance(denominator, PopulationOf) else ALL_AGES
        group = denominator.group if isinstance(denominator, PopulationOf) else "all"
        data = {"area": place.name, "age_band": ages, "year": as_of.year - 1}
        data |= {"count": PEOPLE[indicator.scale]} | ({} if group == "all" else {"group": group})
        return told("population.published", data)
    return []
