"""Events of one child as rules read them, made from a few words each."""

import json
from datetime import date
from typing import Any

from processors.record.decoding import Event, decode
from processors.record.record import Record
from processors.rules import Rules
from schemas.events.registry import topics_of

NOON = "T12:00:00Z"


class Happening:
    """Makes events in the order in which they are asked for; each has an id of its own."""

    def __init__(self, child: str = "P1") -> None:
        self.child = child
        self.events: list[Event] = []

    def __call__(
        self, kind: str, day: date, /, subject: str = "C1", at: str = NOON, **data: Any
    ) -> "Happening":
        """Something happens on a day."""
        event = {
            "specversion": "1.0",
            "id": f"{len(self.events):03}",
            "source": "urn:a",
            "type": kind,
            "subject": subject,
            "time": f"{day}{at}",
            "partitionkey": self.child,
            "data": data,
        }
        message = self.child.encode(), json.dumps(event).encode(), ()
        decoded = decode(topics_of(kind)[0], [message])
        assert decoded.rejected == []
        self.events += [event for _, event in decoded.events]
        return self

    def rows(self, rules: Rules) -> dict[str, bytes]:
        """The rows of each case, by its subject; of what is of the child alone by no name."""
        record = Record()
        for event in self.events:
            record.apply(event, rules.make_row)
        return {case: now for case, (_, now) in record.settle().items()}
