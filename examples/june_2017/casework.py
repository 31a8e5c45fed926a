"""The numbers behind what is printed of casework, by provider, district and month.

A *leaf* is the smallest place that is printed: a district, an area whose districts are not printed,
or, blank, what a provider has in none of these. Three models follow one another: cases received
and how soon what happened, cases closed and how, and cases open, whom they came from and went to.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from examples.october_2015.geography import AREAS
from examples.october_2015.milp import Linear, total, value_of

from .fitting import Key, Wishes
from .printed import MONTHS, Row, tenths

# Left out of the models, since they contradict what is printed beside them.
MISPRINTED = {("Family Support Service - Project Salus North - Dartford", "CEH04", "2017-05")}
# By when a case was received so that it is open long by the end of each month, and by none.
# How much larger than anything printed of a provider a number may be.
ROOM = 50
COHORTS = (*MONTHS, "later")


@dataclass(frozen=True)
class Codes:
    """Which code prints what of a service; blank where it prints nothing of the kind."""

    service: str
    received: str
    open: str
    worker: str = ""
    contact: str = ""
    plan: str = ""
    referrer: str = ""
    closed: str = ""
    achieved: str = ""
    evidence: str = ""
    disengaged: str = ""
    year: str = ""
    long: str = ""
    again: str = ""
    stepped_up: str = ""
    caseload: str = ""
    destination: str = ""
    sustained: str = ""
    # Whether all that was received before April is long open by June's end.
    all_old_are_long: bool = False


FAMILY_SUPPORT = Codes(
    "family-support", "CEH01", "CEH04", "CEH06", "CEH07", "CEH08", "CEH76", "CEH05", "CEH09",
    "CEH10", "CEH11", "CEH03", "CEH12", "CEH13", "CEH14", "CEH02",
)  # fmt: skip
NEET_SUPPORT = Codes(
    "neet-support", "CEH61", "CEH64", worker="CEH67", contact="CEH68", plan="CEH69",
    closed="CEH66", achieved="CEH73", disengaged="CEH74", year="CEH63", long="CEH65",
    again="CEH75", caseload="CEH62", destination="CEH70", sustained="CEH72",
    all_old_are_long=True,
)  # fmt: skip
YOUNG_CARERS = Codes("young-carers", "CEH16", "CEH15", worker="CEH17", plan="CEH18")
SERVICES = (FAMILY_SUPPORT, NEET_SUPPORT, YOUNG_CARERS)

Numbers = dict[tuple[str, str, str], int]
"""Counts by name, leaf and month."""


@dataclass
class Provider:
    """What is printed of a service by one provider, and the numbers found for it."""

    name: str
    codes: Codes
    rows: list[Row]
    numbers: Numbers = field(default_factory=dict)
    left_out: dict[Key, Wishes] = field(default_factory=dict)

    @property
    def leaves(self) -> list[str]:
        """The smallest places, the rest last."""
        areas = {row.area for row in self.rows}
        inside = {it for area in AREAS for it in AREAS[area] if it in areas}
        whole = [area for area in AREAS if area in areas and not inside.intersection(AREAS[area])]
        return [*sorted(inside), *whole, ""]

    @property
    def most(self) -> int:
        """The largest count that is printed."""
        codes = self.codes
        counted = {codes.received, codes.open, codes.closed, codes.year}
        return max(
            tenths(text) // 10
            for row in self.rows
            if row.code in counted
            for text in row.figures
            if text
        )

    def under(self, area: str) -> list[str]:
        """The leaves of an area or a district; all where it is blank."""
        if not area:
            return self.leaves
        return [it for it in self.leaves if it in (area, *AREAS.get(area, ()))]

    def fit(self) -> None:
        """Find the numbers."""
        by_month = [[it] for it in MONTHS]
        for step, times in (
            (self._received, by_month),
            (self._closed, by_month),
            (self._destined, [list(MONTHS)]),
            (self._open, [list(MONTHS)]),
        ):
            for months in times:
                found = Found(self, months)
                step(found)
                found.solve()

    def printed(self, code: str, months: Iterable[str]) -> Iterable[tuple[Key, str, str, str]]:
        """What is printed of a code: its key, area, month and text; the smallest places first."""
        for row in sorted(self.rows, key=lambda it: len(self.under(it.area))) if code else ():
            for month, text in zip(MONTHS, row.figures, strict=True):
                if (row.block, code, month) in MISPRINTED:
                    continue
                if row.code == code and text and month in months:
                    yield (row.block, code, month), row.area, month, text

    def _received(self, found: "Found") -> None:
        names = ("new", "worker", "contact", "plan", "worker late", "contact late", "plan late")
        found.count("new", cost=10)
        found.count("worker late", "contact late", "plan late", "referrer", "contacted")
        found.count("worker", "contact", "plan", cost=-1)
        for leaf in self.leaves:
            for (month,) in [found.months]:
                new, worker, contact, plan, *late = (found[it, leaf, month] for it in names)
                contacted, referrer = (found[it, leaf, month] for it in ("contacted", "referrer"))
                model = found.wishes.model
                for done, is_late in zip((worker, contact, plan), late, strict=True):
                    model.at_most(done + is_late, new)
                # Who is not yet late came at the month's end, and who is late did not.
                for at, done in enumerate((worker, contact)):
                    for other in late[at + 1 :]:
                        model.at_most(other, done + late[at])
                model.at_most(contact, contacted)
                model.at_most(contacted, contact + late[1])
                model.at_most(referrer, contacted)
                if month == MONTHS[0]:
                    model.equal(late[2], 0)
        codes = self.codes
        found.wish_counts(codes.received, "new")
        for code, name in (
            (codes.worker, "worker"),
            (codes.contact, "contact"),
            (codes.plan, "plan"),
        ):
            found.wish_shares(code, name, name, f"{name} late")
        found.wish_shares(codes.referrer, "referrer", "contacted")

    def _closed(self, found: "Found") -> None:
        found.count("closed", "achieved", "evidence", "disengaged")
        for leaf in self.leaves:
            for month in found.months:
                closed, achieved, evidence, disengaged = (
                    found[it, leaf, month]
                    for it in ("closed", "achieved", "evidence", "disengaged")
                )
                found.wishes.model.at_most(achieved + disengaged, closed)
                found.wishes.model.at_most(evidence, closed)
        codes = self.codes
        for code, name in (
            (codes.achieved, "achieved"), (codes.evidence, "evidence"),
            (codes.disengaged, "disengaged"),
        ):  # fmt: skip
            found.wish_shares(code, name, "closed")
        found.wish_counts(codes.closed, "closed")

    def _open(self, found: "Found") -> None:
        codes = self.codes
        found.count("open", "long", "again", "stepped up", "year", "gone", "gone later")
        for leaf in self.leaves:
            self._flow(found, leaf)
        found.wish_counts(codes.open, "open")
        found.wish_counts(codes.year, "year")
        found.wish_shares(codes.long, "long", "open")
        found.wish_shares(codes.again, "again", "open")
        found.wish_counts(codes.stepped_up, "stepped up")

    def _destined(self, found: "Found") -> None:
        codes = self.codes
        found.count("sustained", "ever closed", "closed with destination", "destination")
        for leaf in self.leaves:
            self._destinations(found, leaf)
        found.wish_shares(codes.destination, "destination", "ever closed")
        found.wish_shares(codes.sustained, "sustained", "ever closed")

    def _flow(self, found: "Found", leaf: str) -> None:
        """Who is open came from the month before, from elsewhere, or new."""
        model, most = found.wishes.model, found.most
        held = {it: model.integer(0, most) for it in COHORTS}
        if self.codes.all_old_are_long:
            model.equal(held["later"], 0)
        for cohort, count in held.items():
            found.extra[f"held {cohort}", leaf] = count
        begun, passed = total(held.values()), Linear()
        for at, month in enumerate(MONTHS):
            new, closed = (self.numbers[it, leaf, month] for it in ("new", "closed"))
            came, went = [], []
            for cohort in (*COHORTS, *(f"new {it}" for it in MONTHS[:at])):
                enters = model.integer(0, most, 1) if cohort in COHORTS else Linear()
                if cohort == "later" and self.codes.all_old_are_long:
                    enters = Linear()
                leaves = model.integer(0, most, 1)
                model.at_most(leaves, held[cohort])
                held[cohort] = held[cohort] + enters - leaves
                found.extra[f"came {cohort} {month}", leaf] = enters
                found.extra[f"went {cohort} {month}", leaf] = leaves
                came.append(enters)
                went.append(leaves)
            # Whose destination began by March was there by then, and is not received anew.
            early = self.numbers["closed with destination", leaf, month]
            at_once = model.integer(0, min(new, closed - early), 1)
            found.extra[f"closed at once {month}", leaf] = at_once
            held[f"new {month}"] = Linear(constant=new) - at_once
            # Who is gone is with another provider: at once, or passed on before to another service.
            gone, later = found["gone", leaf, month], found["gone later", leaf, month]
            model.at_most(gone + closed, total(went) + at_once)
            model.at_most(gone, total(went))
            model.within(total(went[: len(COHORTS)]), low=early)
            model.at_most(later, passed)
            passed = passed + total(went) + at_once - closed - gone - later
            before = begun if not at else found["year", leaf, MONTHS[at - 1]]
            model.equal(found["year", leaf, month], before + total(came) + new - gone - later)
            model.equal(found["open", leaf, month], total(held.values()))
            model.equal(found["long", leaf, month], total(held[it] for it in COHORTS[: at + 1]))
            model.at_most(found["again", leaf, month], found["open", leaf, month])
            model.at_most(found["stepped up", leaf, month], found["open", leaf, month])

    def _destinations(self, found: "Found", leaf: str) -> None:
        """Of closed cases; one that is sustained began in March or before."""
        model, ever = found.wishes.model, found.wishes.model.integer(0, found.most, 1)
        found.extra["ever closed before", leaf] = ever
        with_it: list[Linear] = []
        for at, month in enumerate(MONTHS):
            closed = self.numbers["closed", leaf, month]
            ever = ever + closed
            model.equal(found["ever closed", leaf, month], ever)
            destination, sustained, newly = (
                found[it, leaf, month]
                for it in ("destination", "sustained", "closed with destination")
            )
            model.at_most(destination, ever)
            model.within(newly, 0, closed)
            if at:
                before = found["destination", leaf, MONTHS[at - 1]]
                model.at_most(before + newly, destination)
                model.at_most(found["sustained", leaf, MONTHS[at - 1]], sustained)
                with_it.append(newly)
            else:
                model.equal(newly, 0)
            first = found["destination", leaf, MONTHS[0]]
            model.at_most(sustained, first + total(with_it))


class Found:
    """The variables of a model by name, leaf and month, and what is wished of them."""

    def __init__(self, provider: Provider, months: list[str]) -> None:
        self.provider, self.months, self.wishes = provider, months, Wishes()
        self.most = 2 * provider.most + ROOM
        self.counts: dict[tuple[str, str, str], Linear] = {}
        self.extra: dict[tuple[str, str], Linear] = {}

    def __getitem__(self, key: tuple[str, str, str]) -> Linear:
        return self.counts[key]

    def count(self, *names: str, cost: int = 1) -> None:
        """Count things in every leaf and month: as few as can be, or with -1 as many."""
        for name in names:
            for leaf in self.provider.leaves:
                for month in self.months:
                    self.counts[name, leaf, month] = self.wishes.model.integer(0, self.most, cost)

    def inside(self, area: str, month: str, *names: str) -> Linear:
        """What is counted in an area."""
        leaves = self.provider.under(area)
        return total(self.counts[name, leaf, month] for name in names for leaf in leaves)

    def wish_counts(self, code: str, name: str) -> None:
        """Wish for all that is printed of a count."""
        for key, area, month, text in self.provider.printed(code, self.months):
            self.wishes.equals(key, self.inside(area, month, name), tenths(text) // 10)

    def wish_shares(self, code: str, part: str, *rest: str) -> None:
        """Wish for all that is printed of a percentage: a part of a whole, named with its rest."""
        for key, area, month, text in self.provider.printed(code, self.months):
            part_of, whole_of = self.inside(area, month, part), self.inside(area, month, *rest)
            self.wishes.share(key, part_of, whole_of, tenths(text))

    def solve(self) -> None:
        """Find the numbers."""
        values = self.wishes.solve()
        found = {key: value_of(it, values) for key, it in self.counts.items()}
        extra = {(name, leaf, ""): value_of(it, values) for (name, leaf), it in self.extra.items()}
        self.provider.numbers |= found | extra
        self.provider.left_out |= self.wishes.left_out


def providers(rows: Iterable[Row]) -> list[Provider]:
    """The providers of each service, with their rows."""
    found = []
    rows = list(rows)
    for codes in SERVICES:
        known = {it for it in vars(codes).values() if isinstance(it, str)}
        of_service = [row for row in rows if row.code in known]
        for name in dict.fromkeys(row.place.partition(" / ")[0] for row in of_service):
            own = [row for row in of_service if row.place.partition(" / ")[0] == name]
            found.append(Provider(name, codes, own))
    return found
