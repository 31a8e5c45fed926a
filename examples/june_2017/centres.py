"""Children's centres: who is registered and reached, and who of them social care knows.

The open cases of social care are of a month each: open at its end and at no other's, by children
who are registered all along. What is printed of them is fitted by district, since a district's
centres have one number of such children between them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

from examples.october_2015.milp import Linear, total, value_of

from .events import Event, event
from .fitting import Key, Wishes
from .people import Group
from .printed import CENTRES, MONTHS, Row, tenths

NEWLY = "CEH27"
# What of: registered of a population, reached of the registered; the group that both are of.
SHARES = {
    "all": ("CEH28", "CEH29"),
    "0-2": ("CEH30", "CEH31"),
    "bme": ("CEH32", "CEH33"),
    "disabled": ("CEH34", "CEH35"),
}
CARERS = {
    "disabled": ("CEH36", "CEH37"),
    "teenage-parent": ("CEH38", "CEH39"),
    "lone-parent": ("CEH40", "CEH41"),
}
WITH_CARE = {
    "any": ("CEH42", "CEH43"),
    "lac": ("CEH44", "CEH45"),
    "cp": ("CEH46", "CEH47"),
    "cin": ("CEH48", "CEH49"),
}
# What an open case is known as, if as anything.
STATUSES = ("lac", "cp", "cin", "")
MOST_KNOWN = 200
GROUPS = ("0-2", "older", "bme", "disabled")
POPULATIONS = {
    "all": ("0-4", "all"), "0-2": ("0-2", "all"), "bme": ("0-4", "bme"),
    "disabled": ("0-4", "disabled-sen"),
}  # fmt: skip
MOST = 6_000
BORN, BORN_LATER = "2013-03-01", "2015-03-01"
PUBLISHED, RECORDED, ATTENDED = date(2017, 1, 31), date(2017, 1, 16), date(2017, 3, 21)


@dataclass
class District:
    """The centres of a district and what is found of them."""

    name: str
    rows: dict[tuple[str, str], Row]
    centres: list[str]
    left_out: dict[Key, Wishes] = field(default_factory=dict)
    numbers: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def wish(
        self, wishes: Wishes, code: str, centre: str, at: int, part: Linear, whole: Linear
    ) -> None:
        """Wish for a printed percentage, if there is one."""
        row = self.rows[code, centre]
        if row.figures[at]:
            wishes.share((row.block, code, MONTHS[at]), part, whole, tenths(row.figures[at]))

    def fit(self) -> None:
        """Find the numbers of social care month by month, and then of each centre."""
        for at in range(len(MONTHS)):
            self._with_care(at)
        for centre in self.centres:
            self._registered(centre)
            self._carers(centre)

    def _with_care(self, at: int) -> None:
        wishes, month = Wishes(), MONTHS[at]
        model = wishes.model
        known = {it: model.integer(0, MOST_KNOWN, 1) for it in STATUSES}
        attending = {it: model.integer(0, MOST_KNOWN, 1) for it in STATUSES}
        variables = {("known", it): known[it] for it in STATUSES}
        variables |= {("attending", it): attending[it] for it in STATUSES}
        for centre in self.centres:
            registered = {it: model.integer(0, MOST_KNOWN) for it in STATUSES}
            reached = {it: model.integer(0, MOST_KNOWN) for it in STATUSES}
            for it in STATUSES:
                model.at_most(reached[it], registered[it])
                model.at_most(registered[it], known[it])
                # A child is reached or not, at whichever centres it is registered.
                model.at_most(reached[it], attending[it])
                model.at_most(registered[it] - reached[it], known[it] - attending[it])
                variables["registered " + centre, it] = registered[it]
                variables["reached " + centre, it] = reached[it]
            for status, (of_known, of_registered) in WITH_CARE.items():
                own = STATUSES if status == "any" else (status,)
                parts = [total(each[it] for it in own) for each in (registered, reached, known)]
                self.wish(wishes, of_known, centre, at, parts[0], parts[2])
                self.wish(wishes, of_registered, centre, at, parts[1], parts[0])
        self._take(wishes, {(*key, month): it for key, it in variables.items()})

    def _registered(self, centre: str) -> None:
        wishes = Wishes()
        model = wishes.model
        people = {it: model.integer(1, MOST, 1) for it in SHARES}
        variables = {(f"people {centre}", it, ""): people[it] for it in SHARES}
        # Children whom social care knows in any month are registered in all.
        care = [
            sum(self.numbers[f"{name} {centre}", it, month] for it in STATUSES for month in MONTHS)
            for name in ("registered", "reached")
        ]
        for at, month in enumerate(MONTHS):
            registered, reached = ({it: model.integer(0, MOST) for it in GROUPS} for _ in range(2))
            for it in GROUPS:
                model.at_most(reached[it], registered[it])
                variables[f"registered {centre}", it, month] = registered[it]
                variables[f"reached {centre}", it, month] = reached[it]
            newly = tenths(self.rows[NEWLY, centre].figures[at]) // 10
            model.within(registered["older"], low=newly)
            for it, (of_people, of_registered) in SHARES.items():
                own = GROUPS if it == "all" else (it,)
                part, visited = (
                    total(each[name] for name in own) for each in (registered, reached)
                )
                if it == "all":
                    part, visited = part + care[0], visited + care[1]
                self.wish(wishes, of_people, centre, at, part, people[it])
                self.wish(wishes, of_registered, centre, at, visited, part)
        self._take(wishes, variables)

    def _carers(self, centre: str) -> None:
        wishes = Wishes()
        variables = {}
        for name, (code, share) in CARERS.items():
            for at, month in enumerate(MONTHS):
                count = tenths(self.rows[code, centre].figures[at]) // 10
                reached = wishes.model.integer(0, count)
                variables[f"registered {centre}", name + " carers", month] = Linear(constant=count)
                variables[f"reached {centre}", name + " carers", month] = reached
                self.wish(wishes, share, centre, at, reached, Linear(constant=count))
        self._take(wishes, variables)

    def _take(self, wishes: Wishes, variables: dict[tuple[str, str, str], Linear]) -> None:
        values = wishes.solve()
        self.numbers |= {key: value_of(it, values) for key, it in variables.items()}
        self.left_out |= wishes.left_out

    def events(self) -> Iterator[Event]:
        """Everything as events."""
        for centre in self.centres:
            yield from self._populations(centre)
            yield from self._groups(centre)
        for month in MONTHS:
            for status in STATUSES:
                yield from self._known(month, status)

    def _populations(self, centre: str) -> Iterator[Event]:
        for it, (band, group) in POPULATIONS.items():
            data: dict[str, object] = {
                "area": centre, "age_band": band, "year": 2016,
                "count": self.numbers[f"people {centre}", it, ""],
            }  # fmt: skip
            if group != "all":
                data["group"] = group
            yield event("population.published", f"{centre} {band} {group}", centre, PUBLISHED, data)

    def _groups(self, centre: str) -> Iterator[Event]:
        for it in GROUPS:
            said: dict[str, object] = {
                "date_of_birth": BORN_LATER if it == "0-2" else BORN,
                "district": self.name,
            }
            if it in ("bme", "disabled"):
                said["characteristics"] = [it]
            newly = NEWLY if it == "older" else ""
            yield from self._group(centre, it, Group(centre, it, "child", said), newly)
        for name in CARERS:
            said = {"characteristics": [name]}
            group = Group(centre, f"{name} carer", "carer", said)
            yield from self._group(centre, f"{name} carers", group, "")

    def _group(self, centre: str, name: str, group: Group, newly: str) -> Iterator[Event]:
        for at, month in enumerate(MONTHS):
            registered, reached = (
                self.numbers[f"{it} {centre}", name, month] for it in ("registered", "reached")
            )
            new = tenths(self.rows[newly, centre].figures[at]) // 10 if newly else 0
            group.month(at, registered, reached, new)
        yield from group.events()

    def _known(self, month: str, status: str) -> Iterator[Event]:
        """Children with an open case at a month's end: those who attend first."""
        first = date.fromisoformat(f"{month}-01")
        known, attending = (self.numbers[it, status, month] for it in ("known", "attending"))
        at: list[list[str]] = [[] for _ in range(known)]
        for centre in self.centres:
            registered, reached = (
                self.numbers[f"{it} {centre}", status, month] for it in ("registered", "reached")
            )
            for number in (*range(reached), *range(attending, attending + registered - reached)):
                at[number].append(centre)
        following = MONTHS.index(month) + 1
        for number, centres in enumerate(at):
            child = f"{self.name} {status} {month} {number}"
            opened = {"origin": "referral", "date_of_birth": BORN, "district": self.name}
            if status:
                opened["status"] = status
            yield event("scs.opened", f"scs {child}", child, first.replace(day=4), opened)
            if following < len(MONTHS):
                day = date.fromisoformat(f"{MONTHS[following]}-02")
                yield event("scs.closed", f"scs {child}", child, day, {"reason": "assessed"})
            for centre in centres:
                data = {
                    "place": centre, "kind": "child", "active": True, "consent": True,
                    "date_of_birth": BORN, "district": self.name,
                }  # fmt: skip
                name = f"registration {child} {centre}"
                yield event("registration.recorded", name, child, RECORDED, data)
            if number < attending and centres:
                shown = {"place": centres[0], "kind": "open-access"}
                session = f"{centres[0]} {ATTENDED}"
                yield event("session.attended", session, child, ATTENDED, shown, child)


def districts(rows: Iterable[Row]) -> list[District]:
    """The districts with centres of their own."""
    by_district: dict[str, list[Row]] = {}
    for row in rows:
        service, _, where = row.block.partition(" - ")
        if service == CENTRES:
            by_district.setdefault(where.partition(" - ")[0], []).append(row)
    return [
        District(
            name,
            {(it.code, it.place): it for it in own},
            list(dict.fromkeys(it.place for it in own)),
        )
        for name, own in by_district.items()
    ]
