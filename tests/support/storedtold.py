"""What a store has of told alerts, written as settlements say and given back as it is read."""

from collections.abc import Mapping

from processors.alerts.toldalerts import WrittenAlerts, is_apart, joined


class StoredTold(dict[str, bytes]):
    """The alerts told of each child, as a store gives them."""

    def __init__(self) -> None:
        super().__init__()
        self._apart: dict[str, dict[bytes, bytes]] = {}

    def take(self, told: Mapping[str, WrittenAlerts]) -> None:
        """Store what is to be stored, and no more."""
        for child, written in told.items():
            if not is_apart(written.place):
                self[child] = written.place
                continue
            if written.is_first:
                self._apart[child] = {}
            apart = self._apart[child]
            apart |= written.apart
            whole = joined(written.place, list(apart.values()))
            assert whole is not None, "what is stored apart is not what the child's place says"
            self[child] = whole
