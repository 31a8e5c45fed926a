"""A tree of areas smaller than the one that ships, because every area costs time."""

from schemas.areas import Areas
from tests.support.strategies import SOUTH_EAST


def south_east_areas() -> Areas:
    """The tree of the histories."""
    found = [{"name": "Kent", "level": "county"}]
    for area, districts in SOUTH_EAST["Kent"].items():
        found.append({"name": area, "level": "area", "parent": "Kent"})
        found += [{"name": name, "level": "district", "parent": area} for name in districts]
    return Areas.model_validate({"levels": ["county", "area", "district"], "area": found})
