"""Events of a case of early help (docs/events.md, Case events); the subject is the case's id."""

from typing import Literal, NotRequired, get_args

from pydantic import with_config
from typing_extensions import TypedDict

from schemas.events.attributes import STRICT, Attributes, Day, Nothing

Service = Literal["unit", "family-support", "young-carers", "neet-support", "other"]
SERVICES: tuple[Service, ...] = get_args(Service)
Destination = Literal["education", "employment", "training"]


@with_config(STRICT)
class Notification(TypedDict):
    """Data of `notification.received`."""

    notification_type: str
    date_of_birth: NotRequired[Day | None]
    district: NotRequired[str | None]
    primary_reason: NotRequired[str | None]


@with_config(STRICT)
class Allocation(TypedDict):
    """Data of `case.allocated`."""

    service: Service
    provider: NotRequired[str | None]
    team: NotRequired[str | None]


@with_config(STRICT)
class Assignment(TypedDict):
    """Data of `worker.assigned`."""

    worker: NotRequired[str | None]


@with_config(STRICT)
class Closure(TypedDict):
    """Data of `case.closed`."""

    outcome: str
    troubled_families_evidence: NotRequired[bool | None]


@with_config(STRICT)
class DestinationReached(TypedDict):
    """Data of `destination.started` and `destination.sustained`."""

    kind: Destination


@with_config(STRICT)
class NotificationReceived(Attributes):
    """A notification reached triage."""

    type: Literal["notification.received"]
    data: Notification


@with_config(STRICT)
class CaseAllocated(Attributes):
    """A service holds the case from then on."""

    type: Literal["case.allocated"]
    data: Allocation


@with_config(STRICT)
class WorkerAssigned(Attributes):
    """A worker was assigned to the case."""

    type: Literal["worker.assigned"]
    data: NotRequired[Assignment | None]


@with_config(STRICT)
class PlainCaseEvent(Attributes):
    """A milestone of a case that carries no data of its own."""

    type: Literal[
        "referrer.contacted", "contact.made", "plan.completed", "case.reopened", "case.stepped-up"
    ]
    data: NotRequired[Nothing | None]


@with_config(STRICT)
class CaseClosed(Attributes):
    """The case was closed with an outcome."""

    type: Literal["case.closed"]
    data: Closure


@with_config(STRICT)
class DestinationEvent(Attributes):
    """A positive destination began, or was still held later."""

    type: Literal["destination.started", "destination.sustained"]
    data: DestinationReached
