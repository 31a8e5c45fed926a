"""Whether brokers can keep the log: the disks that they write to, as far as they tell of them."""

from collections.abc import Iterator
from typing import Any

from kafka.admin import KafkaAdminClient
from kafka.errors import ClusterAuthorizationFailedError, IncompatibleBrokerVersion

from streams.jobs.findings import Finding, Verdict
from streams.jobs.redis_health import FULL, NEARLY_FULL

NO_ERROR = 0
WHAT = "disk of Kafka"


def log_dirs(admin: KafkaAdminClient) -> Iterator[Finding]:
    """Directories of brokers that failed, or whose disk is nearly full. Raises KafkaError.

    Nothing of brokers before 3.3, which do not say how large their disks are, but what failed.
    """
    try:
        brokers: list[dict[str, Any]] = admin.describe_log_dirs(topic_partitions={})
    except IncompatibleBrokerVersion:
        return
    except ClusterAuthorizationFailedError:
        yield not_allowed()
        return
    for broker in brokers:
        if not broker["log_dirs"]:  # so it answers whoever may not ask
            yield not_allowed()
            return
        for directory in broker["log_dirs"]:
            yield from _directory(broker["broker"], directory)


def not_allowed() -> Finding:
    """That it may not be asked for is nothing wrong, and is said."""
    text = "not looked at: it takes the operation Describe on the cluster"
    return Finding(Verdict.GOOD, WHAT, text)


def _directory(broker: int, it: dict[str, Any]) -> Iterator[Finding]:
    where = f"{it['log_dir']} of broker {broker}"
    if it["error_code"] != NO_ERROR:
        text = (
            f"{where} has failed, most likely for want of room: nothing is written there until "
            "there is room and the broker was started again"
        )
        yield Finding(Verdict.WRONG, WHAT, text)
        return
    total, usable = it.get("total_bytes", -1), it.get("usable_bytes", -1)
    if total <= 0 or usable < 0:
        return
    part = 1 - usable / total
    if part > NEARLY_FULL:
        verdict = Verdict.WRONG if part > FULL else Verdict.ODD
        text = f"{part:.0%} is in use ({where}): make room, or brokers stop"
        yield Finding(verdict, WHAT, text)
