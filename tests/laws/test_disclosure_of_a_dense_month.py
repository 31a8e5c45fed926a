"""Disclosure control under attack on a month in which most counts by provider are small.

The right answers to an example log are the month; all of Kent's places and the attacker of
tests/support/attack_everywhere.py.
"""

from datetime import date
from functools import lru_cache

from schemas.areas import load_areas
from schemas.catalogue import ALL_AGES, Indicator, load_catalogue
from schemas.places import PROVIDER, Place, load_places
from schemas.release import Release
from snapshots.disclosure.disclose import disclose, primary
from snapshots.disclosure.public import PublicRelease, public_release
from snapshots.disclosure.suppression import Rule
from tests.support.all_answers import answers
from tests.support.attack_everywhere import Reader, secrets_of
from tests.support.releases import bare_release
from tests.support.wide_releases import cell

RULE = Rule()
JUNE = date(2017, 6, 30)
FAMILIES = ("Young carers", "Youth hubs")


@lru_cache
def dense_month() -> Release:
    """June 2017 of the families, at every place that exists, as the answers have it."""
    areas, given = load_areas(), answers("all-21", JUNE)
    chosen = [
        it
        for it in load_catalogue().indicator
        if it.family in FAMILIES and it.source == "events" and _is_of_people(it)
    ]
    providers = sorted({place for _, level, place, _ in given if level == PROVIDER})
    sites = {Place(level, place) for _, level, place, _ in given if level == "youth-hub"}
    places = [Place("", it.name) for it in areas.area]
    places += [Place(PROVIDER, it) for it in providers]
    places += [
        Place(f"{PROVIDER}-{area.level}", f"{provider} / {area.name}")
        for provider in providers
        for area in areas.area
        if area.parent
    ]
    cells = []
    for indicator in chosen:
        for place in (*places, *sorted(sites)):
            level = place.level or next(it.level for it in areas.area if it.name == place.name)
            if level in indicator.levels:
                figures = given.get((indicator.code, level, place.name, ALL_AGES))
                above, below = figures[:2] if figures else ("0", "0")
                cells.append(cell(indicator.code, place, int(above or 0), int(below or 0)))
    bare = bare_release(cells, tuple(chosen), areas, (ALL_AGES,), "2017-06", 1)
    measures = load_catalogue().measure
    return bare.model_copy(update={"measures": measures, "places": load_places()})


def _is_of_people(indicator: Indicator) -> bool:
    return indicator.unit in {"count", "percent"}


def pinned(public: PublicRelease) -> list[str]:
    """What a reader of the month is left a single value of."""
    reader = Reader(dense_month())
    reader.read(public)
    secrets = secrets_of(dense_month(), public, RULE)
    assert len(secrets) > 100
    return reader.pinned(secrets)


def test_nothing_small_is_pinned_down_where_nearly_all_is_small() -> None:
    release = dense_month()
    assert pinned(disclose(release, release.measures, RULE).public) == []


def test_without_secondary_suppression_much_of_it_is() -> None:
    bare = public_release(dense_month(), RULE, primary(dense_month(), RULE), ())
    assert len(pinned(bare)) > 10
