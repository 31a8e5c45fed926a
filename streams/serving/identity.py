"""Who asks: the roles that someone has, and the places whose figures they see in full."""

from dataclasses import dataclass
from datetime import datetime

from schemas.areas import Areas
from streams.serving.roles import SEE_ALL, Role


@dataclass(frozen=True)
class Identity:
    """Someone who asks: a name for the audit log, roles, and the places of a manager.

    `until` is when the token ends that says so, if one does.
    """

    name: str
    roles: frozenset[Role]
    places: frozenset[str] = frozenset()
    until: datetime | None = None

    @property
    def sees_all(self) -> bool:
        """Whether small numbers are shown as they are, wherever they are of."""
        return not self.roles.isdisjoint(SEE_ALL)

    @property
    def own_places(self) -> frozenset[str]:
        """The places and providers whose figures are shown in full, with all that is in them."""
        return self.places if Role.MANAGER in self.roles else frozenset()

    def sees(self, name: str, areas: Areas) -> bool:
        """Whether the figures of a place are shown in full."""
        return self.sees_all or is_within(name, self.own_places, areas)

    @property
    def view(self) -> str:
        """What tells apart whose figures are shown alike."""
        return "all" if self.sees_all else "\n".join(["suppressed", *sorted(self.own_places)])


NOBODY = Identity("nobody", frozenset({Role.NOBODY}))


def is_within(name: str, places: frozenset[str], areas: Areas) -> bool:
    """Whether a place, by its name, is one of some places or lies in one."""
    if not places:
        return False
    provider, _, part = name.partition(" / ")
    if name in places or provider in places:
        return True
    where = part or name
    return any(place in areas.names and where in areas.under(place) for place in places)
