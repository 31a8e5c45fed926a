"""The fold: a partition's state and a batch of messages in, the state and its changes out.

This is the whole of the live computation; where the bytes come from and go to is not its concern.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from processors.calendar import calendar
from processors.decoding import Event
from processors.ledger import Ledger
from processors.record import Record, decode_record
from processors.rows import row_maker, unheld
from processors.segments import derive
from processors.tables import Shape, Tables, Touched
from schemas.areas import Areas
from schemas.catalogue import AGE_BANDS, Catalogue


class Rules:
    """A catalogue and a tree of areas, made ready once for every partition of a process."""

    def __init__(self, catalogue: Catalogue, areas: Areas) -> None:
        self.catalogue = catalogue
        self.areas = areas
        self.calendar = calendar()
        self.make_row = row_maker(catalogue, areas)
        self.ledger = Ledger(catalogue, self.calendar)
        self.unheld = unheld(catalogue)
        self.shape = Shape(len(catalogue.slots), len(areas.leaves) + 1, len(AGE_BANDS))

    def empty_tables(self) -> Tables:
        """Tables of the right shape with nothing in them."""
        return Tables(self.shape)


@dataclass
class Settlement:
    """What a partition's state changed by since the last one: to be stored in one atomic step."""

    records: dict[str, bytes]
    touched: Touched


class Partition:
    """The state of one partition: the records it holds in memory, and the tables.

    Records may be left out and offered again as bytes (`admit`), so that memory is bounded; a
    child's record must be there before its events are folded.
    """

    def __init__(self, rules: Rules, tables: Tables | None = None) -> None:
        self.rules = rules
        self.tables = tables or rules.empty_tables()
        self.records: dict[str, Record] = {}
        self._dirty: dict[str, Record] = {}

    def missing(self, children: Iterable[str]) -> list[str]:
        """Those of the children whose record is not in memory."""
        return [child for child in dict.fromkeys(children) if child not in self.records]

    def admit(self, child: str, encoded: bytes | None) -> None:
        """Take a child's stored record into memory, or begin one."""
        self.records[child] = (
            decode_record(encoded, self.rules.make_row) if encoded is not None else Record()
        )

    def fold(self, events: Iterable[tuple[str, Event]]) -> int:
        """Take (child, event) pairs into their records; how many were known already."""
        make_row, known = self.rules.make_row, 0
        for child, event in events:
            record = self.records[child]
            if record.apply(event, make_row):
                self._dirty[child] = record
            else:
                known += 1
        return known

    @property
    def unsettled(self) -> int:
        """How many children's records changed since the last settlement."""
        return len(self._dirty)

    def settle(self) -> Settlement:
        """Bring the tables up to date with the records and give all that changed."""
        changes = [change for record in self._dirty.values() for change in record.settle()]
        touched = Touched({}, set())
        if changes:
            columns = derive(changes, self.rules.calendar, self.rules.unheld)
            touched = self.tables.add(self.rules.ledger.entries(*columns), self.rules.calendar)
        records = {child: record.encode() for child, record in self._dirty.items()}
        self._dirty.clear()
        return Settlement(records, touched)

    def forget(self, most: int) -> None:
        """Drop the records longest in memory beyond `most`, unless they are unsettled."""
        for child in list(self.records)[: max(0, len(self.records) - most)]:
            if child not in self._dirty:
                del self.records[child]
