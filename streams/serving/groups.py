"""What groups of an organisation may do here: roles and places, as data of the operator's."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, field_validator

from schemas.datafile import data_file
from streams.serving.identity import Identity
from streams.serving.roles import Role


class KnownGroup(BaseModel):
    """A group, as the proxy calls it, and what who is in it may do."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    roles: tuple[Role, ...]
    places: tuple[str, ...] = ()

    @field_validator("roles")
    @classmethod
    def _are_given(cls, roles: tuple[Role, ...]) -> tuple[Role, ...]:
        if Role.NOBODY in roles:
            raise ValueError("nobody is who does not sign in")
        return roles


class Groups(BaseModel):
    """The groups that anything is known of; any other may do nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    group: tuple[KnownGroup, ...] = ()

    def identity(self, name: str, groups: set[str]) -> Identity:
        """Who someone is that is in groups. Places are those of all of them together."""
        found = [it for it in self.group if it.name in groups]
        roles = frozenset(role for it in found for role in it.roles)
        return Identity(name, roles, frozenset(place for it in found for place in it.places))


def load_groups(path: Path | None) -> Groups:
    """The groups of a file; none without one. Raises OSError or ValueError."""
    return data_file(path).into(Groups) if path else Groups()
