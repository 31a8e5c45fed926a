"""The `releases` topic: every release under its name, kept for ever, each written once.

The public record (snapshots.disclosure.public_record) lies there as well, under names of its own.

Releases go out in transactions of one transactional id. So a process that was thought dead and
comes back is refused by the brokers once its successor has begun, whatever it believes.
"""

from collections.abc import Mapping

from schemas.connection_settings import Brokers
from snapshots.releases.chain import Sealed
from snapshots.releases.kafka_reading import read_committed
from snapshots.releases.release_failures import NotPublished
from snapshots.releases.transactions import NotCommitted, transactional, write

TOPIC = "releases"
# A release of a large county with many changes has a few megabytes.
MOST_BYTES = 32 << 20
# One for the topic, whatever the deployment: whoever writes to it refuses all others.
TRANSACTIONS = f"caseline-{TOPIC}"
# Another one for the public record, so that publishing and freezing do not refuse each other.
PUBLIC_TRANSACTIONS = "caseline-public"
PUBLIC = "public/"
CONFIG = {"cleanup.policy": "compact", "max.message.bytes": str(MOST_BYTES)}


def published(brokers: Brokers) -> dict[str, bytes]:
    """Every release in the topic by name. Raises LogUnreadable."""
    return {it: text for it, text in _contents(brokers).items() if not it.startswith(PUBLIC)}


def public_record(brokers: Brokers) -> dict[str, bytes]:
    """Every entry of the public record in the topic by name. Raises LogUnreadable."""
    return {it: text for it, text in _contents(brokers).items() if it.startswith(PUBLIC)}


def _contents(brokers: Brokers) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for records in read_committed(brokers, TOPIC):
        found |= {(it.key or b"").decode("utf-8", "replace"): it.value or b"" for it in records}
    return found


def of_period(releases: Mapping[str, bytes], period: str) -> dict[str, bytes]:
    """Those of a period."""
    return {name: text for name, text in releases.items() if name.startswith(f"{period}/")}


class ReleasePublisher:
    """The one process that may write releases, or the public record, from when it is made.

    Whoever was it before is refused from then on, and what it had not finished is undone. Raises
    NotPublished when Kafka does not answer.
    """

    def __init__(self, brokers: Brokers, transactions: str = TRANSACTIONS) -> None:
        try:
            self._producer = transactional(brokers, transactions, message_max_bytes=MOST_BYTES)
        except NotCommitted as error:
            raise NotPublished(f"Kafka at {brokers} does not take releases: {error}") from error

    def publish(self, sealed: Sealed) -> None:
        """Write a release, as a whole or not at all. Raises NotPublished."""
        self.write(sealed.name, sealed.text)

    def write(self, name: str, text: bytes) -> None:
        """Write what has a name, as a whole or not at all. Raises NotPublished."""
        try:
            write(self._producer, TOPIC, [(name, text)])
        except NotCommitted as error:
            raise NotPublished(
                f"{name} was not published: {error}. Another process may have taken over; "
                "if not, run the same command again"
            ) from error
