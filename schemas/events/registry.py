"""The one table of event types: what each is called, its topic and schema, and what keys it.

Everything that must know of topics and types follows from it: routing, subscription, validation,
dead letters, cuts, rebuilds, the exported schema. Adding a type is an entry here; adding a topic is
an entry in TOPICS.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, NamedTuple, NotRequired, Union, get_args, get_origin

from pydantic import Field, TypeAdapter
from pydantic.plugin._schema_validator import PluggableSchemaValidator
from pydantic_core import SchemaValidator

from schemas.events import activity, case, reference, scs
from schemas.events.attributes import EventRetracted

CASE_TOPIC = "case-events"
SCS_TOPIC = "scs-events"
ACTIVITY_TOPIC = "activity-events"
REFERENCE_TOPIC = "reference-events"
DEAD_LETTER_SUFFIX = ".dead-letter"
RETRACTION = "event.retracted"

Key = Literal["child", "place", "provider", "area"]
# The facts that events make: of cases, of people, of sessions, and figures that others supply.
Facts = Literal["case", "person", "session", "reference"]


class Topic(NamedTuple):
    """A topic: its name, and that of the first topic of its group.

    Topics of a group have the same number of partitions; what has one key lies in the partitions
    of one number, whose state is one shard.
    """

    name: str
    group: str


class EventType(NamedTuple):
    """A type of event: its schema, its topic, what its key names, and which facts it makes."""

    schema: type[Any]
    topic: str
    key: Key
    feeds: tuple[Facts, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The types that share the schema."""
        names: tuple[str, ...] = get_args(self.schema.__annotations__["type"])
        return names


TOPICS = (
    Topic(CASE_TOPIC, CASE_TOPIC),
    Topic(SCS_TOPIC, CASE_TOPIC),
    Topic(ACTIVITY_TOPIC, CASE_TOPIC),
    Topic(REFERENCE_TOPIC, REFERENCE_TOPIC),
)

EVENT_TYPES = (
    EventType(case.NotificationReceived, CASE_TOPIC, "child", ("case",)),
    EventType(case.CaseAllocated, CASE_TOPIC, "child", ("case",)),
    EventType(case.WorkerAssigned, CASE_TOPIC, "child", ("case",)),
    EventType(case.PlainCaseEvent, CASE_TOPIC, "child", ("case",)),
    EventType(case.CaseClosed, CASE_TOPIC, "child", ("case",)),
    EventType(case.DestinationEvent, CASE_TOPIC, "child", ("case",)),
    EventType(scs.ScsOpened, SCS_TOPIC, "child", ("case", "person")),
    EventType(scs.ScsStatusGiven, SCS_TOPIC, "child", ("person",)),
    EventType(scs.ScsClosed, SCS_TOPIC, "child", ("person",)),
    EventType(activity.RegistrationRecorded, ACTIVITY_TOPIC, "child", ("person",)),
    EventType(activity.RegistrationEnded, ACTIVITY_TOPIC, "child", ("person",)),
    EventType(activity.SessionAttended, ACTIVITY_TOPIC, "child", ("person",)),
    EventType(activity.OutcomeRecorded, ACTIVITY_TOPIC, "child", ("person",)),
    EventType(activity.SessionHeld, ACTIVITY_TOPIC, "place", ("session",)),
    EventType(reference.PopulationPublished, REFERENCE_TOPIC, "area", ("reference",)),
    EventType(reference.WorkforceReported, REFERENCE_TOPIC, "provider", ("reference",)),
    EventType(reference.TargetSet, REFERENCE_TOPIC, "area", ("reference",)),
    EventType(reference.MeasureSupplied, REFERENCE_TOPIC, "area", ("reference",)),
    EventType(reference.CommentaryWritten, REFERENCE_TOPIC, "area", ("reference",)),
)

GROUPS = tuple(dict.fromkeys(topic.group for topic in TOPICS))
_GROUP_OF = {topic.name: topic.group for topic in TOPICS}
_TOPIC_OF = {name: it.topic for it in EVENT_TYPES for name in it.names}


def types_feeding(facts: Facts) -> frozenset[str]:
    """The types of event that make facts of a kind."""
    return frozenset(name for it in EVENT_TYPES if facts in it.feeds for name in it.names)


def types_on(topic: str) -> frozenset[str]:
    """The types of event that belong on a topic alone: not the retraction, which any may carry."""
    return frozenset(name for name, its_topic in _TOPIC_OF.items() if its_topic == topic)


def topic_names() -> tuple[str, ...]:
    """Every topic that events are taken from."""
    return tuple(topic.name for topic in TOPICS)


def group_of(topic: str) -> str:
    """The first topic of the group that shares shards with a topic."""
    return _GROUP_OF[topic]


def topics_in(group: str) -> tuple[str, ...]:
    """The topics whose partitions of one number are one shard."""
    return tuple(topic.name for topic in TOPICS if topic.group == group)


def topics_of(event_type: str) -> tuple[str, ...]:
    """The topics an event type belongs on: one, but one of every group for a retraction.

    A retraction may go on any topic; only the shard of the event it names acts on it, and its
    sender need not know which that is. What is of no type that there is goes to the first topic,
    whose schema refuses it.
    """
    return GROUPS if event_type == RETRACTION else (_TOPIC_OF.get(event_type, CASE_TOPIC),)


def _on(topic: str) -> Iterator[type[Any]]:
    """The schemas of what a topic may carry."""
    yield from (it.schema for it in EVENT_TYPES if it.topic == topic)
    yield EventRetracted


def _adapter(topic: str) -> TypeAdapter[Any]:
    # The union is put together from the table, which a type checker cannot follow.
    union: Any = Union[tuple(_on(topic))]  # noqa: UP007
    return TypeAdapter(Annotated[union, Field(discriminator="type")])


VALIDATORS: dict[str, TypeAdapter[Any]] = {topic.name: _adapter(topic.name) for topic in TOPICS}


class DataOf(NamedTuple):
    """What is asked of the data of a type of event, and whether there may be none."""

    validator: SchemaValidator | PluggableSchemaValidator
    may_be_absent: bool


def data_on(topic: str) -> dict[str, DataOf]:
    """What the schemas of a topic's events ask of the attribute `data` alone, by type of event."""
    found = {}
    for schema in _on(topic):
        asked: Any = schema.__annotations__["data"]
        may_be_absent = "data" in schema.__optional_keys__
        of: Any = get_origin(asked)
        if of is NotRequired:
            (asked,) = get_args(asked)
        of_data = DataOf(TypeAdapter(asked).validator, may_be_absent)
        found.update(dict.fromkeys(get_args(schema.__annotations__["type"]), of_data))
    return found


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of every topic's events, by topic."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$defs": {topic: adapter.json_schema() for topic, adapter in VALIDATORS.items()},
    }
