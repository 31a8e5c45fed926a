"""Alerts as they were told last, which are kept with a child's record."""

import msgspec

from schemas.alerts import AlertState, Reason
from schemas.standards import OwnerKind, Severity

# (case, standard, episode): of one child, what an alert is about.
About = tuple[str, str, int]
# (source, id) of an event.
Identity = tuple[str, str]


class Alert(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """An alert as it was told last; `since` and `due` are day numbers, `area` a leaf or None.

    `severity` and `owner` are the standard's as it was then: who was told of an alert is told of
    its end, whatever has become of the standard. `is_void` is of one that was ended because it no
    longer follows from the facts. `rests_on` has the notification and the allocation that it was
    told by. `stand` is the version with which it came into its state under its owner, and
    `stand_at` when that was learnt, in seconds from 1970; 0 where that is not known.
    """

    case: str
    standard: str
    episode: int
    version: int
    state: AlertState
    since: int
    due: int
    reason: Reason | None
    historic: bool
    area: str | None
    team: str | None
    provider: str | None
    severity: Severity
    owner: OwnerKind
    is_void: bool = False
    rests_on: tuple[Identity, ...] = ()
    worker: str | None = None
    stand: int = 0
    stand_at: float = 0.0

    @property
    def about(self) -> About:
        """What it is about."""
        return self.case, self.standard, self.episode

    @property
    def is_active(self) -> bool:
        """Whether it is on."""
        return self.state != "resolved"

    @property
    def standing(self) -> tuple[AlertState, OwnerKind, str | None]:
        """What goes on unchanged while an acknowledgement of it may hold."""
        owner, who = self.owner, self.area
        if owner != "area":
            who = (self.team if owner == "team" else self.provider) or who
        return self.state, owner, who

    @property
    def content(self) -> tuple[object, ...]:
        """What a change of it is a change in."""
        return (
            self.state,
            self.since,
            self.due,
            self.reason,
            self.area,
            self.team,
            self.provider,
            self.worker,
            self.severity,
            self.owner,
            self.is_void,
        )
