"""The topic's part of the public record, in memory, for tests that are not about Kafka."""

import pytest

# What publishes names the topic's publisher as a type when it is first imported, which commands do
# when they are first run: by then another might stand in its place.
import streams.jobs.publishing  # noqa: F401
from schemas.connection_settings import Brokers
from snapshots.releases import topic
from snapshots.releases.release_failures import NotPublished


class RecordTopic:
    """What `snapshots.releases.topic` says of the public record, and takes for it.

    Whoever was its publisher before is refused, as Kafka does.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.entries: dict[str, bytes] = {}
        self.is_away = False
        self.latest: object = None
        patch.setattr(topic, "public_record", self._read)
        patch.setattr(topic, "ReleasePublisher", self._publisher)

    def _read(self, _: Brokers) -> dict[str, bytes]:
        return dict(self.entries)

    def _publisher(self, brokers: Brokers, transactions: str) -> "_Publisher":
        assert transactions == topic.PUBLIC_TRANSACTIONS
        if self.is_away:
            raise NotPublished(f"Kafka at {brokers} does not take releases: away")
        self.latest = _Publisher(self)
        return self.latest


class _Publisher:
    def __init__(self, record: RecordTopic) -> None:
        self._record = record

    def write(self, name: str, text: bytes) -> None:
        if self._record.latest is not self:
            raise NotPublished(f"{name} was not published: another process took over")
        self._record.entries[name] = text
