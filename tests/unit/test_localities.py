"""Localities have numbers, however many providers there come to be."""

import numpy as np

from processors.record.localities import Localities
from schemas.places import Locality, PlaceGraph
from tests.support.south_east import south_east_areas


def test_as_many_providers_as_there_come_to_be_each_have_a_locality_in_every_district() -> None:
    localities = Localities(PlaceGraph(south_east_areas()))
    district = localities.districts[1]
    index = localities.district(district)
    known: list[tuple[str, int]] = []
    for name in (f"provider {number}" for number in range(100)):
        provider = localities.providers.number(name)
        (found,) = localities.of(np.array([index]), np.array([provider])).tolist()
        known.append((name, found))
    assert [localities.all[number] for _, number in known] == [
        Locality(district, name) for name, _ in known
    ]
    everybody = np.array([localities.providers.number(name) for name, _ in known])
    again = localities.of(np.full(len(known), index), everybody).tolist()
    assert again == [number for _, number in known]
