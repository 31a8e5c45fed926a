"""Events of Specialist Children's Services (docs/events.md); the subject is the SCS case's id."""

from typing import Literal, NotRequired

from pydantic import with_config
from typing_extensions import TypedDict

from schemas.events.attributes import STRICT, Attributes, Day

Origin = Literal["referral", "early-help-step-up"]
ScsStatus = Literal["cin", "cp", "lac"]


@with_config(STRICT)
class Opening(TypedDict):
    """Data of `scs.opened`."""

    origin: Origin
    status: NotRequired[ScsStatus | None]
    date_of_birth: NotRequired[Day | None]
    district: NotRequired[str | None]


@with_config(STRICT)
class StatusGiven(TypedDict):
    """Data of `scs.status`."""

    status: ScsStatus


@with_config(STRICT)
class ScsClosure(TypedDict):
    """Data of `scs.closed`."""

    reason: str


@with_config(STRICT)
class ScsOpened(Attributes):
    """Social care opened a case of the child."""

    type: Literal["scs.opened"]
    data: Opening


@with_config(STRICT)
class ScsStatusGiven(Attributes):
    """The child is in need, on a protection plan, or looked after, from then on."""

    type: Literal["scs.status"]
    data: StatusGiven


@with_config(STRICT)
class ScsClosed(Attributes):
    """Social care closed its case."""

    type: Literal["scs.closed"]
    data: ScsClosure
