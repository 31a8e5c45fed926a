"""Topics are created once brokers are alive, and are there for everybody then."""

from collections.abc import Iterable

import pytest
from kafka.errors import InvalidReplicationFactorError

from schemas.settings import Settings
from streams.kafka import topics
from streams.kafka.topics import TopicsNotCreated, create_topics, planned_topics

ALL = {plan.name for plan in planned_topics(Settings())}


class LateBrokers:
    """Brokers that create only when they were asked a few times, and then show what they have.

    Real ones do so now and then, and cannot be made to.
    """

    def __init__(self, looks: int, asks: int = 0) -> None:
        self.created: list[str] = []
        self.looks_left, self.asks_left = looks, asks

    def create_topics(self, new: Iterable[object]) -> None:
        self.asks_left -= 1
        if self.asks_left > 0:
            raise InvalidReplicationFactorError("all brokers are currently fenced")
        self.created += [str(vars(each).get("name")) for each in new]

    def list_topics(self) -> list[str]:
        self.looks_left -= 1
        return self.created[: -1 if self.looks_left > 0 else None]

    def close(self) -> None:
        pass


def test_creating_topics_returns_once_the_brokers_show_all_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    brokers = LateBrokers(3, 3)
    monkeypatch.setattr(topics, "admin_client", lambda _: brokers)
    assert set(create_topics(Settings())) == ALL
    assert set(brokers.created) == ALL
    assert brokers.looks_left == 0


def test_topics_that_the_brokers_do_not_show_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    brokers = LateBrokers(1_000_000)
    monkeypatch.setattr(topics, "admin_client", lambda _: brokers)
    monkeypatch.setattr(topics, "SHOWN_SECONDS", 0.0)
    with pytest.raises(TopicsNotCreated, match="audit"):
        create_topics(Settings())
