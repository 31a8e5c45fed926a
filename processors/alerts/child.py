"""All that is held of one child: what is known, what it adds to the tables, what was told."""

from processors.alerts.outlook import Outlook
from processors.alerts.toldalerts import ToldAlerts, read_told
from processors.facts.counting import Counted
from processors.facts.crowds import Crowd
from processors.facts.lives import Life
from processors.record.record import MakeRow, Record, decode_record


class Child:
    """A record with what rests on it.

    `counted` is all that the record's events of a person add to the tables, None where that is not
    known; `told` the alerts that were told of the child. `number` is the
    record's among those of its shard, and `seal` that of it as it was stored last, None where it
    never was; `size` the record's as it was added up last. `crowd` is what relations know of very
    many cases, `outlook` when each is to be judged next, and `life` what is known of a person of
    whom very much is; None until that is asked for.
    """

    __slots__ = ("counted", "crowd", "life", "number", "outlook", "record", "seal", "size", "told")

    def __init__(self) -> None:
        self.record = Record()
        self.counted: tuple[Counted, ...] | None = None
        self.told = ToldAlerts()
        self.crowd: Crowd | None = None
        self.outlook: Outlook | None = None
        self.life: Life | None = None
        self.number: int | None = None
        self.seal: int | None = None
        self.size = 0


def read_child(encoded: bytes | None, told: bytes | None, make_row: MakeRow) -> Child:
    """A child from what is stored, or one of whom nothing is known.

    Raises ValueError, LookupError or msgspec.DecodeError for what is not what was stored.
    """
    child = Child()
    if encoded is not None:
        child.record = decode_record(encoded, make_row)
    child.told = read_told(told)
    return child
