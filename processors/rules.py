"""The rules of a deployment, made ready once for all of a process."""

from collections.abc import Iterator
from dataclasses import replace

from processors.alerts.deadlines import Deadlines
from processors.alerts.judging import Watch
from processors.alerts.phrases import Wording
from processors.days.calendar import calendar
from processors.facts.columns import Wanted
from processors.facts.counting import Counting
from processors.ledger.entries import Ledger
from processors.ledger.tables import Tables
from processors.record.erased import NOBODY, ErasedChildren
from processors.record.localities import Localities
from processors.record.rows import bits, row_maker, tests
from schemas.areas import Areas
from schemas.catalogue import Catalogue, Match
from schemas.places import NO_PLACES, PlaceGraph, Places
from schemas.standards import NO_STANDARDS, Standards


class Rules:
    """A catalogue, areas and places, and standards; and whose events count no more.

    `erased` is nobody until a process that folds or recounts a log has been told of them.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        areas: Areas,
        standards: Standards = NO_STANDARDS,
        places: Places = NO_PLACES,
    ) -> None:
        self.catalogue = catalogue
        self.areas = areas
        self.standards = standards
        self.places = places
        self.erased: ErasedChildren = NOBODY
        self.graph = PlaceGraph(areas, places)
        self.calendar = calendar()
        self.localities = Localities(self.graph)
        declared = catalogue.of_cases
        self.make_row = row_maker(declared, self.localities)
        self.ledger = Ledger(catalogue, self.calendar)
        self.counting = Counting(catalogue, self.localities, self.calendar)
        holder_tests = tests(declared, "holder")
        self.unheld = bits(holder_tests)("")
        self.wanted = Wanted(
            days=frozenset(_days(catalogue, standards)),
            relations=catalogue.relation,
            holder_bits={
                it.name: holder_tests.index(it.holder)
                for it in catalogue.relation
                if it.holder is not None
            },
            spell_tests=_spell_tests(catalogue, holder_tests),
        )
        # What relations look from and at: the rest of the facts is not worked out for them.
        anchors = {it.before or it.after or "" for it in catalogue.relation}
        self.related = replace(self.wanted, days=frozenset(anchors))
        # The ledger's slots begin with the catalogue's; those of the standards follow.
        self.slots = [*catalogue.slots, *standards.slots]
        self.first_of_standards = len(catalogue.slots)
        # How many months the figures of a day may look back on.
        self.longest_window = _longest_window(catalogue)
        self.deadlines = Deadlines(standards.standard, self.calendar)
        self.watch = Watch(standards, areas)
        self.wording = Wording(standards, areas)

    def empty_tables(self) -> Tables:
        """Tables with nothing in them."""
        return Tables()


def _spell_tests(catalogue: Catalogue, holder_tests: list[Match]) -> int:
    """The bits of the holder tests that measures of spells make; 0 where there are none."""
    found = 0
    for measure in catalogue.case_measures:
        if measure.of == "spell":
            assert measure.holder is not None  # as the catalogue asks
            found |= 1 << holder_tests.index(measure.holder)
    return found


def _longest_window(catalogue: Catalogue) -> int:
    """The months of the longest window of any measure, and never fewer than a year and one."""
    text = catalogue.model_dump(mode="json", include={"measure"})
    return max([13, *_months(text)])


def _months(data: object) -> Iterator[int]:
    """Every number of months in nested data."""
    if isinstance(data, dict):
        for name, value in data.items():
            if name in {"months", "again_within"} and isinstance(value, int):
                yield value
            yield from _months(value)
    elif isinstance(data, (list, tuple)):
        for value in data:
            yield from _months(value)


def _days(catalogue: Catalogue, standards: Standards) -> set[str]:
    """The days of cases that anything rests on."""
    days = {day for measure in catalogue.case_measures for day in measure.days_named}
    days |= {relation.before or relation.after or "" for relation in catalogue.relation}
    for standard in standards.standard:
        days |= {standard.clock, standard.milestone_day or "closed"}
    return days
