"""Events of people at children's centres, youth hubs and group sessions (docs/events.md)."""

from typing import Literal, NotRequired

from pydantic import with_config
from typing_extensions import TypedDict

from schemas.events.attributes import STRICT, Attributes, Count, Day, Name, Nothing

RegistrationKind = Literal["child", "carer", "young-person"]
Characteristic = Literal["bme", "disabled", "sen", "lone-parent", "teenage-parent"]


@with_config(STRICT)
class Registration(TypedDict):
    """Data of `registration.recorded`; `deprived_area` is of the most deprived 30 % of LSOAs."""

    place: Name
    kind: RegistrationKind
    date_of_birth: NotRequired[Day | None]
    district: NotRequired[str | None]
    deprived_area: NotRequired[bool | None]
    characteristics: NotRequired[list[Characteristic] | None]
    active: bool
    consent: bool


@with_config(STRICT)
class Session(TypedDict):
    """Data of `session.held`."""

    place: Name
    provider: NotRequired[str | None]
    kind: Name
    participants: NotRequired[Count | None]
    feedback_good: NotRequired[Count | None]
    feedback_total: NotRequired[Count | None]


@with_config(STRICT)
class Attendance(TypedDict):
    """Data of `session.attended`: an attendance stands without its session."""

    place: Name
    kind: Name
    provider: NotRequired[str | None]
    date_of_birth: NotRequired[Day | None]
    district: NotRequired[str | None]


@with_config(STRICT)
class Outcome(TypedDict):
    """Data of `outcome.recorded`."""

    accredited: bool


@with_config(STRICT)
class RegistrationRecorded(Attributes):
    """Someone was registered at a place, or their registration changed."""

    type: Literal["registration.recorded"]
    data: Registration


@with_config(STRICT)
class RegistrationEnded(Attributes):
    """The registration is over."""

    type: Literal["registration.ended"]
    data: NotRequired[Nothing | None]


@with_config(STRICT)
class SessionHeld(Attributes):
    """A session was held at a place."""

    type: Literal["session.held"]
    data: Session


@with_config(STRICT)
class SessionAttended(Attributes):
    """A person attended a session."""

    type: Literal["session.attended"]
    data: Attendance


@with_config(STRICT)
class OutcomeRecorded(Attributes):
    """An outcome was recorded for someone registered."""

    type: Literal["outcome.recorded"]
    data: Outcome
