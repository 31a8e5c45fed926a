"""Who asks: the roles that someone has, and the places whose figures they see in full."""

from collections.abc import Hashable, Set
from dataclasses import dataclass, field
from datetime import datetime

from schemas.alerts import CaseChange, IndicatorChange
from schemas.areas import Areas
from streams.serving.roles import SEE_ALL, SEE_CASES, Role


@dataclass(frozen=True)
class Identity:
    """Someone who asks: a name for the audit log, roles, and places.

    Places are those of a manager, and of a caseworker lead, whose teams are among them. `until` is
    when the token or session ends that says so, if one does. `form_token` is what the forms that
    they are shown carry, where they have a session (streams.serving.form_tokens).
    """

    name: str
    roles: frozenset[Role]
    places: frozenset[str] = frozenset()
    until: datetime | None = None
    form_token: str = field(default="", repr=False)

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

    def sees_alert(self, change: CaseChange | IndicatorChange, areas: Areas) -> bool:
        """Whether an alert is shown with whom it is about: any to analysts, to leads their own."""
        if not self.roles.isdisjoint(SEE_CASES):
            return True
        return Role.LEAD in self.roles and is_of(change, self.places, areas)

    @property
    def sight(self) -> Hashable:
        """What tells apart who is shown the same alerts, and whose numbers are shown alike."""
        return self.roles, self.places

    def sees_case(self, area: str, holders: Set[str | None], areas: Areas) -> bool:
        """Whether a case is shown: any to analysts, to leads what their own teams or places have.

        `holders` are the team and the provider that have it.
        """
        if not self.roles.isdisjoint(SEE_CASES):
            return True
        return Role.LEAD in self.roles and is_held_by(area, holders, self.places, areas)

    def counts_alert(self, change: CaseChange | IndicatorChange, areas: Areas) -> bool:
        """Whether an alert is among those whose numbers are shown as they are."""
        return self.sees_all or is_of(change, self.own_places, areas)

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


def is_of(change: CaseChange | IndicatorChange, places: frozenset[str], areas: Areas) -> bool:
    """Whether an alert is of one of some places, teams or providers, or of what lies in one."""
    team = change.team if isinstance(change, CaseChange) else None
    named = {change.owner, change.provider, team}
    return is_held_by(change.area, named, places, areas)


def is_held_by(area: str, holders: Set[str | None], places: frozenset[str], areas: Areas) -> bool:
    """Whether what lies in an area and has some holders is of one of some places or holders."""
    return not places.isdisjoint(holders) or is_within(area, places, areas)
