"""Kafka topics: what there has to be, made with kafka-python's admin client."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic, sleep

from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import InvalidReplicationFactorError, KafkaError, TopicAlreadyExistsError
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from schemas.alerts import ALERTS_TOPIC, DECISIONS_TOPIC
from schemas.audit_entries import AUDIT_TOPIC
from schemas.events.registry import (
    CASE_TOPIC,
    DEAD_LETTER_SUFFIX,
    REFERENCE_TOPIC,
    group_of,
    topic_names,
)
from schemas.settings import Settings
from snapshots.releases import topic as releases
from streams.failures import Understood
from streams.kafka.clients import admin_of
from streams.kafka.deadletters import LARGEST_BYTES, dead_letter_topic

# Events are the record from which all state can be made anew, so they are kept for ever.
KEPT_FOR_EVER = {"retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete"}
# Of an alert the latest change is kept for ever, and each for a week, in which a receiver may be
# down and miss none.
LATEST_KEPT = {"cleanup.policy": "compact", "min.compaction.lag.ms": str(7 * 24 * 3_600_000)}
# How long brokers may take to show what they have created.
SHOWN_SECONDS = 60.0
LOOK_SECONDS = 0.05
# How long fewer brokers may be alive than a topic has copies: one counts a while after its start.
ALIVE_SECONDS = 10.0


def admin_client(settings: Settings) -> KafkaAdminClient:
    """A client for administration, to be closed. Raises kafka.errors.KafkaError."""
    return admin_of(settings.kafka)


class TopicsNotCreated(Understood):
    """The brokers did not create the topics."""


@dataclass(frozen=True)
class TopicPlan:
    """A topic as it should be."""

    name: str
    partitions: int
    replication: int
    config: Mapping[str, str] = field(default_factory=KEPT_FOR_EVER.copy)


def planned_topics(settings: Settings) -> list[TopicPlan]:
    """The topics of a deployment; dead letters have the partitions of their own topic.

    Topics of a group have as many partitions as one another, since a child spans them.

    Releases are one partition, because they are a chain, and so are alerts, which are told in the
    order in which they came. The audit log is one as well, in the order in which it was written.
    """
    partitions = {
        CASE_TOPIC: settings.case_partitions,
        REFERENCE_TOPIC: settings.reference_partitions,
    }
    events = [
        TopicPlan(name, partitions[group_of(topic)], settings.replication)
        for topic in topic_names()
        for name in (topic, dead_letter_topic(topic))
    ]
    return [
        *events,
        TopicPlan(releases.TOPIC, 1, settings.replication, releases.CONFIG),
        TopicPlan(ALERTS_TOPIC, 1, settings.replication, LATEST_KEPT),
        TopicPlan(dead_letter_topic(ALERTS_TOPIC), 1, settings.replication),
        TopicPlan(DECISIONS_TOPIC, 1, settings.replication, LATEST_KEPT),
        TopicPlan(AUDIT_TOPIC, 1, settings.replication),
    ]


def create_topics(settings: Settings) -> dict[str, bool]:
    """Create the topics that are not there yet; by name, whether it was created now.

    Returns once the brokers show all of them, which is later than they have created them. Raises
    TopicsNotCreated when the brokers do not answer, refuse, or do not show them.
    """
    try:
        return _create_all(settings)
    except KafkaError as error:
        raise TopicsNotCreated(
            f"{settings.kafka_bootstrap} did not create topics: {error}. Is it running, and is "
            "CASELINE_KAFKA_BOOTSTRAP right?"
        ) from error


def _create_all(settings: Settings) -> dict[str, bool]:
    admin = admin_client(settings)
    try:
        created = {plan.name: _create(admin, plan) for plan in planned_topics(settings)}
        _wait_until_shown(admin, set(created))
        return created
    finally:
        admin.close()


def _wait_until_shown(admin: KafkaAdminClient, names: set[str]) -> None:
    deadline = monotonic() + SHOWN_SECONDS
    while hidden := names - set(admin.list_topics()):
        if monotonic() > deadline:
            raise TopicsNotCreated(
                f"the brokers have {', '.join(sorted(hidden))} and do not show them after "
                f"{SHOWN_SECONDS:.0f} s: may this user describe topics? Else try again"
            )
        sleep(LOOK_SECONDS)


@retry(
    retry=retry_if_exception_type(InvalidReplicationFactorError),
    stop=stop_after_delay(ALIVE_SECONDS),
    wait=wait_fixed(LOOK_SECONDS),
    reraise=True,
)
def _create(admin: KafkaAdminClient, plan: TopicPlan) -> bool:
    configs = dict(plan.config)
    if plan.name.endswith(DEAD_LETTER_SUFFIX):
        configs["max.message.bytes"] = str(LARGEST_BYTES)
    topic = NewTopic(plan.name, plan.partitions, plan.replication, topic_configs=configs)
    try:
        admin.create_topics([topic])
    except TopicAlreadyExistsError:
        return False
    return True
