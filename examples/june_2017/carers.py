"""Groups, training and feedback for young carers, and the two figures that are supplied."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import cycle, islice

from examples.october_2015.geography import AREAS
from examples.october_2015.milp import Linear, total, value_of

from .casework import Provider
from .events import Event, event
from .fitting import Wishes
from .printed import MONTHS, Row, tenths

SESSIONS, PEOPLE, TRAINING, TRAINED, YEARLY_PRAISE = (
    "CEH19", "CEH20", "CEH23", "CEH24", "CEH26",
)  # fmt: skip
SUPPLIED = ("CEH21", "CEH22")
PROVENANCE = "Kent's scorecard of commissioned services of June 2017, as printed"
MOST_ANSWERS = 400
ASKED = date(2017, 1, 18)
BORN = "2004-05-06"


def activity(rows: Iterable[Row], provider: Provider) -> Iterator[Event]:
    """The sessions of a provider, at a place of its own in each district."""
    printed = {
        (it.code, it.area, month): text
        for it in rows
        for month, text in zip(MONTHS, it.figures, strict=True)
    }
    for leaf in provider.leaves:
        hidden = cycle(AREAS.get(leaf, (leaf,)))
        for month in MONTHS if leaf else ():
            counts = {
                code: tenths(printed[code, leaf, month]) // 10
                for code in (SESSIONS, PEOPLE, TRAINING, TRAINED)
            }
            yield from _groups(provider.name, hidden, month, counts)
            yield from _training(provider.name, hidden, month, counts)
    for leaf, (good, answers) in _feedback(rows, provider).items():
        place = f"{provider.name} {AREAS.get(leaf, (leaf,))[0]}"
        data = {"place": place, "kind": "group", "feedback_good": good, "feedback_total": answers}
        yield event("session.held", f"{place} feedback", place, ASKED, data)


def _groups(
    provider: str, districts: Iterator[str], month: str, counts: dict[str, int]
) -> Iterator[Event]:
    first = date.fromisoformat(f"{month}-01")
    places = [f"{provider} {it}" for it in islice(districts, max(counts[SESSIONS], 1))]
    names = [f"{place} group {month} {number}" for number, place in enumerate(places)]
    for number in range(counts[SESSIONS]):
        day = first + timedelta(days=number % 27)
        data = {"place": places[number], "kind": "group"}
        yield event("session.held", names[number], places[number], day, data)
    for number in range(counts[PEOPLE]):
        at = number % len(names)
        day = first + timedelta(days=at % 27)
        data = {"place": places[at], "kind": "group", "date_of_birth": BORN}
        person = f"carer {places[at]} {month} {number}"
        yield event("session.attended", names[at], person, day, data, person)


def _training(
    provider: str, districts: Iterator[str], month: str, counts: dict[str, int]
) -> Iterator[Event]:
    sessions, people = counts[TRAINING], counts[TRAINED]
    first = date.fromisoformat(f"{month}-01")
    for number, district in enumerate(islice(districts, sessions)):
        place = f"{provider} {district}"
        here = people // sessions + (number < people % sessions)
        data = {
            "place": place, "kind": "training", "participants": here,
            "feedback_good": here, "feedback_total": here,
        }  # fmt: skip
        name = f"{place} training {month} {number}"
        yield event("session.held", name, place, first + timedelta(days=9 + number), data)


def _feedback(rows: Iterable[Row], provider: Provider) -> dict[str, tuple[int, int]]:
    """Good answers and all, by leaf, that print as the year's share of May."""
    wishes = Wishes()
    good, answers = (
        {it: wishes.model.integer(0, MOST_ANSWERS, 1) for it in provider.leaves} for _ in range(2)
    )
    for leaf in provider.leaves:
        wishes.model.at_most(good[leaf], answers[leaf])
        if not leaf:
            wishes.model.equal(answers[leaf], 0)
    for row in rows:
        if row.code == YEARLY_PRAISE and row.figures[1]:
            inside = provider.under(row.area)
            part, whole = (total(it[leaf] for leaf in inside) for it in (good, answers))
            key = row.block, row.code, MONTHS[1]
            wishes.share(key, part, whole + Linear(), tenths(row.figures[1]))
    values = wishes.solve()
    provider.left_out |= wishes.left_out
    return {
        it: (value_of(good[it], values), value_of(answers[it], values))
        for it in provider.leaves
        if it
    }


def supplied(rows: Iterable[Row]) -> Iterator[Event]:
    """Figures whose events lie elsewhere, as they are printed."""
    for row in rows:
        for month, text in zip(MONTHS, row.figures, strict=True):
            if row.code in SUPPLIED and text:
                data = {
                    "code": row.code, "area": row.place, "age_band": "all", "period": month,
                    "status": "supplied", "value": tenths(text) / 10, "provenance": PROVENANCE,
                }  # fmt: skip
                name = f"{row.code} {row.place} {month}"
                day = date.fromisoformat(f"{month}-28")
                yield event("measure.supplied", name, row.place, day, data)


def targets(rows: Iterable[Row]) -> Iterator[Event]:
    """The printed targets: the month's where one is printed, which is what is rated against."""
    for row in rows:
        if row.targets:
            aim = float(row.targets[0])
            data = {"code": row.code, "area": row.place, "year": 2017, "target": aim}
            name = f"{row.code} {row.place} 2017"
            yield event("target.set", name, row.code, date(2017, 4, 1), data)
