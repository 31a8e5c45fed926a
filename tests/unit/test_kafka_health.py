"""What doctor makes of brokers' directories."""

from typing import Any, cast

import pytest
from kafka.admin import KafkaAdminClient
from kafka.errors import ClusterAuthorizationFailedError

from streams.jobs.findings import Verdict
from streams.jobs.kafka_health import log_dirs

STORAGE_ERROR = 56


class Answering:
    """What a broker answers, or raises."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def describe_log_dirs(self, topic_partitions: object) -> Any:
        assert topic_partitions == {}  # of no partition, whose sizes nobody asks for
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def found(answer: Any) -> list[tuple[Verdict, str]]:
    admin = cast(KafkaAdminClient, Answering(answer))
    return [(it.verdict, it.text) for it in log_dirs(admin)]


def directory(**fields: Any) -> dict[str, Any]:
    return {"error_code": 0, "log_dir": "/data", "total_bytes": 1000, "usable_bytes": 900, **fields}


@pytest.mark.parametrize(
    ("fields", "verdict", "text"),
    [
        ({"usable_bytes": 140}, Verdict.ODD, "86% is in use (/data of broker 3)"),
        ({"usable_bytes": 9}, Verdict.WRONG, "99% is in use (/data of broker 3)"),
        ({"error_code": STORAGE_ERROR}, Verdict.WRONG, "/data of broker 3 has failed"),
    ],
)
def test_a_disk_that_is_nearly_full_or_failed_is_named(
    fields: dict[str, Any], verdict: Verdict, text: str
) -> None:
    dirs = [directory(), directory(**fields)]
    ((said, words),) = found([{"broker": 3, "log_dirs": dirs}])
    assert said is verdict
    assert words.startswith(text)


def test_nothing_is_said_of_room_enough_nor_where_brokers_do_not_tell() -> None:
    old = directory(total_bytes=-1, usable_bytes=-1)
    assert found([{"broker": 1, "log_dirs": [directory(), old]}]) == []


@pytest.mark.parametrize(
    "answer", [ClusterAuthorizationFailedError(), [{"broker": 1, "log_dirs": []}]]
)
def test_whoever_may_not_ask_is_told_so_and_nothing_is_wrong(answer: Any) -> None:
    ((verdict, text),) = found(answer)
    assert verdict is Verdict.GOOD
    assert "Describe on the cluster" in text
