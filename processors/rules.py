"""The rules: a catalogue, a tree of areas and standards, made ready for the fold."""

from processors.alerts.judging import Watch
from processors.alerts.wording import Wording
from processors.days.calendar import calendar
from processors.ledger.entries import Ledger
from processors.ledger.tables import Shape, Tables
from processors.record.rows import row_maker, unheld
from schemas.areas import Areas
from schemas.catalogue import AGE_BANDS, Catalogue
from schemas.standards import NO_STANDARDS, Standards


class Rules:
    """A catalogue, a tree of areas and standards, made ready once for all of a process."""

    def __init__(
        self, catalogue: Catalogue, areas: Areas, standards: Standards = NO_STANDARDS
    ) -> None:
        self.catalogue = catalogue
        self.areas = areas
        self.standards = standards
        self.calendar = calendar()
        self.make_row = row_maker(catalogue, areas, standards.providers)
        self.ledger = Ledger(catalogue, self.calendar)
        self.unheld = unheld(catalogue)
        self.slots = [*catalogue.slots, *standards.slots]
        # After the leaves, and nowhere, an area for each provider.
        self.first_provider = len(areas.leaves) + 1
        places = self.first_provider + len(standards.providers)
        self.shape = Shape(len(self.slots), places, len(AGE_BANDS))
        self.watch = Watch(standards, areas)
        self.wording = Wording(standards, areas)

    def empty_tables(self) -> Tables:
        """Tables of the right shape with nothing in them."""
        return Tables(self.shape)
