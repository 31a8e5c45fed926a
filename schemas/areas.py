"""Areas as data: a tree from the whole authority down to the districts where cases lie."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

from schemas.datafile import data_file


class Area(BaseModel):
    """One area: its name, its level, and the area it is part of (none for the top).

    `code` is the Office for National Statistics' nine-character code, where the area has one;
    `dfe_number` the Department for Education's three-digit number of a local authority.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")
    name: str
    level: str
    parent: str | None = None
    code: str | None = None
    dfe_number: str | None = None


class Areas(BaseModel):
    """The whole tree, checked: one top, known parents listed first, known levels, unique names."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")
    levels: list[str]
    area: list[Area]

    @model_validator(mode="after")
    def _is_a_tree(self) -> Self:
        seen: set[str] = set()
        for area in self.area:
            if area.level not in self.levels:
                raise ValueError(f"area {area.name!r}: level {area.level!r} is not in levels")
            if area.name in seen:
                raise ValueError(f"area {area.name!r} is named twice")
            if (area.parent is None) != (not seen):
                raise ValueError(f"area {area.name!r}: the first area, and only it, has no parent")
            if area.parent is not None and area.parent not in seen:
                raise ValueError(
                    f"area {area.name!r}: parent {area.parent!r} is not named before it"
                )
            seen.add(area.name)
        return self

    @property
    def names(self) -> list[str]:
        """Every area's name, the top first."""
        return [area.name for area in self.area]

    @property
    def leaves(self) -> list[str]:
        """The names of the lowest level's areas, where cases lie."""
        return [area.name for area in self.area if area.level == self.levels[-1]]

    def under(self, name: str) -> list[str]:
        """The areas that are `name` or lie below it, in order."""
        below = {name}
        for area in self.area:
            if area.parent in below:
                below.add(area.name)
        return [area for area in self.names if area in below]

    def leaves_under(self, name: str) -> list[str]:
        """The leaves that are `name` or lie below it."""
        below = self.under(name)
        return [leaf for leaf in self.leaves if leaf in below]

    @property
    def top(self) -> str:
        """The name of the whole."""
        return self.area[0].name


def load_areas(path: Path | None = None) -> Areas:
    """The tree in a TOML file, or the one that ships.

    Raises OSError, tomllib.TOMLDecodeError or pydantic.ValidationError when the file cannot be
    read, is not TOML, or is not a tree.
    """
    return data_file(path, "areas.toml").into(Areas)
