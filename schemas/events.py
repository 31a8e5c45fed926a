"""The events Caseline accepts, as strict pydantic schemas (Events).

The schemas are typed dictionaries rather than models: pydantic validates them with the same
strictness and the same JSON Schema, at two fifths of the cost an event, and validation is the
largest single cost of the stream. JSON `null` stands for "absent" throughout, as the CloudEvents
JSON format has it.
"""

from datetime import date
from typing import Annotated, Any, Literal, NotRequired, get_args

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, TypeAdapter, with_config
from typing_extensions import TypedDict

CASE_TOPIC = "case-events"
REFERENCE_TOPIC = "reference-events"
DEAD_LETTER_SUFFIX = ".dead-letter"

# RFC 3339, section 5.6, with the offset that the contract requires. Whether the date exists is
# decided when it is converted (processors.record.decoding): a pattern cannot count the
# days of February.
_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]"
RFC3339 = rf"^{_DATE}[Tt]{_CLOCK}:[0-9]{{2}}(\.[0-9]+)?([Zz]|[+-]{_CLOCK})$"
FULL_DATE = f"^{_DATE}$"
MONTH = "^[0-9]{4}-(0[1-9]|1[0-2])$"

STRICT = ConfigDict(strict=True)


def _existing_date(text: str) -> str:
    """Refuse a date that no calendar has, such as 30 February."""
    date.fromisoformat(text)
    return text


Name = Annotated[str, StringConstraints(min_length=1)]
Instant = Annotated[
    str, StringConstraints(pattern=RFC3339), Field(json_schema_extra={"format": "date-time"})
]
Day = Annotated[
    str,
    StringConstraints(pattern=FULL_DATE),
    AfterValidator(_existing_date),
    Field(json_schema_extra={"format": "date"}),
]
# Whole numbers that JSON, msgpack and every client language carry exactly (RFC 7493, 2.2).
Count = Annotated[int, Field(ge=0, lt=2**53)]
Service = Literal["unit", "family-support", "young-carers", "neet-support", "other"]
SERVICES: tuple[Service, ...] = get_args(Service)
Destination = Literal["education", "employment", "training"]
AgeBand = Literal["all", "0-4", "5-10", "11-15", "16+"]
Year = Annotated[int, Field(ge=1900, le=2199)]
Month = Annotated[str, StringConstraints(pattern=MONTH)]
Number = Annotated[float, Field(allow_inf_nan=False)]


@with_config(STRICT)
class Nothing(TypedDict):
    """Data of an event whose type says it all."""


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
class Retraction(TypedDict):
    """Data of `event.retracted`."""

    retracts: Name


@with_config(STRICT)
class Population(TypedDict):
    """Data of `population.published`: children of an area and band in a mid-year estimate."""

    area: Name
    age_band: AgeBand
    year: Year
    count: Count


@with_config(STRICT)
class Target(TypedDict):
    """Data of `target.set`: what an indicator should reach in a year.

    Without `area` it is the whole authority's. `amber` is the furthest value from the target that
    still counts as near it.
    """

    code: Name
    area: NotRequired[Name | None]
    year: Year
    target: Number
    amber: NotRequired[Number | None]


@with_config(STRICT)
class Narrative(TypedDict):
    """Data of `commentary.written`: beside a figure, or without `code` an area's headline."""

    code: NotRequired[Name | None]
    area: Name
    period: Month
    author_role: Name
    text: Name


@with_config(STRICT)
class Attributes(TypedDict):
    """The CloudEvents attributes every event has (Events, first table)."""

    specversion: Literal["1.0"]
    id: Name
    source: Name
    subject: Name
    time: Instant
    partitionkey: Name
    revision: NotRequired[Count | None]


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


@with_config(STRICT)
class EventRetracted(Attributes):
    """The named event of the same source never counts."""

    type: Literal["event.retracted"]
    data: Retraction


@with_config(STRICT)
class PopulationPublished(Attributes):
    """A population estimate for an area and band."""

    type: Literal["population.published"]
    data: Population


@with_config(STRICT)
class TargetSet(Attributes):
    """A target for an indicator in a year."""

    type: Literal["target.set"]
    data: Target


@with_config(STRICT)
class CommentaryWritten(Attributes):
    """The narrative beside a month's figure."""

    type: Literal["commentary.written"]
    data: Narrative


CaseEvent = Annotated[
    NotificationReceived
    | CaseAllocated
    | WorkerAssigned
    | PlainCaseEvent
    | CaseClosed
    | DestinationEvent
    | EventRetracted,
    Field(discriminator="type"),
]
ReferenceEvent = Annotated[
    PopulationPublished | TargetSet | CommentaryWritten | EventRetracted,
    Field(discriminator="type"),
]
REFERENCE_TYPES = frozenset({"population.published", "target.set", "commentary.written"})

# What each consumed topic may carry.
TOPICS: dict[str, TypeAdapter[Any]] = {
    CASE_TOPIC: TypeAdapter(CaseEvent),
    REFERENCE_TOPIC: TypeAdapter(ReferenceEvent),
}


def topics_of(event_type: str) -> tuple[str, ...]:
    """The topics an event type belongs on: one, but every topic for a retraction.

    A retraction may go on any topic (Events); only the topic of the event it names acts on it,
    and its sender need not know which that is.
    """
    if event_type == "event.retracted":
        return (CASE_TOPIC, REFERENCE_TOPIC)
    return (REFERENCE_TOPIC,) if event_type in REFERENCE_TYPES else (CASE_TOPIC,)


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of every topic's events, by topic."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$defs": {topic: adapter.json_schema() for topic, adapter in TOPICS.items()},
    }
