"""Population estimates: the denominators of rates (docs/events.md, Reference events)."""

from collections.abc import Iterable
from datetime import date

import numpy as np
from numpy.typing import NDArray

from processors.days.calendar import day_number
from processors.record.decoding import Event
from schemas.areas import Areas
from schemas.catalogue import AGE_BANDS, ALL_AGES

PUBLISHED = "population.published"
BANDS = (ALL_AGES, *AGE_BANDS)


def population(events: Iterable[Event], areas: Areas, as_of: date) -> NDArray[np.int64]:
    """The population of every area and band, as an array (areas, all ages and bands); 0 for none.

    Of the estimates published by `as_of`, the latest year not after that of `as_of` counts
    (docs/indicators.md, EH02); of several for one year, the one published last, in order of (time,
    source, id, count).
    """
    index = {name: position for position, name in enumerate(areas.names)}
    counts = np.zeros((len(areas.names), len(BANDS)), dtype=np.int64)
    known = [
        event
        for event in events
        if event.type == PUBLISHED
        and event.day <= day_number(as_of)
        and event.data["year"] <= as_of.year
        and event.data["area"] in index
    ]
    # In rising order, so that what counts is written last.
    for event in sorted(known, key=_rank):
        position = index[event.data["area"]], BANDS.index(event.data["age_band"])
        counts[position] = event.data["count"]
    return counts


def _rank(event: Event) -> tuple[int, int, str, str, int]:
    return event.data["year"], event.instant, event.source, event.id, event.data["count"]
