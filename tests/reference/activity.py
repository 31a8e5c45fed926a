"""Part D: registrations, attendances and sessions, person by person at every place."""

from datetime import date

from tests.reference.dates import back
from tests.reference.figures import Areas
from tests.reference.messages import Event
from tests.reference.people import Person, population
from tests.reference.places import Places, Spot, Tally, areas_of, with_provider
from tests.reference.topics import ACTIVITY, of_topic
from tests.reference.units import every_area

CENTRE, HUB = "centre", "hub"

# (code, numerator, denominator)
Entry = tuple[str, int, int]


def add_activity(
    tally: Tally,
    facts: list[Event],
    everyone: list[Person],
    places: Places,
    as_of: date,
    areas: Areas,
) -> None:
    """EH24 to EH34, CEH19 to CEH60, CEH78 and CEH79."""
    for person in everyone:
        for code, numerator, denominator in by_district(person, places, as_of):
            tally.add(code, areas_of(person.district, areas), numerator, denominator)
    for kind, name in every_area(areas):
        for code, band, group in (
            ("EH26", "0-4", "all"),
            ("EH27", "0-4", "all"),
            ("EH28", "0-4", "deprived"),
            ("EH29", "0-4", "deprived"),
            ("EH32", "5-11", "all"),
        ):
            tally.add(code, [(kind, name)], 0, population(facts, as_of, name, band, group))
    for place, about in places.items():
        for person in everyone:
            if about["kind"] == CENTRE:
                found = at_centre(person, place, places, as_of)
            elif about["kind"] == HUB:
                found = at_hub(person, place, as_of)
            else:
                found = []
            for code, numerator, denominator in found:
                tally.add(code, [(about["kind"], place)], numerator, denominator)
        if about["kind"] == CENTRE:
            for code, band, group in (
                ("CEH28", "0-4", "all"),
                ("CEH30", "0-2", "all"),
                ("CEH32", "0-4", "bme"),
                ("CEH34", "0-4", "disabled-sen"),
            ):
                tally.add(code, [(CENTRE, place)], 0, population(facts, as_of, place, band, group))
    add_sessions(tally, facts, everyone, places, as_of, areas)


def by_district(person: Person, places: Places, as_of: date) -> list[tuple[str, int, int]]:
    """What a person adds where she or he lives."""
    month = as_of.replace(day=1)
    found: list[tuple[str, int, int]] = []
    centres = [(place, day) for place, day in person.registered() if _is(places, place, CENTRE)]
    attended = person.attended(month)
    has_scs = bool(person.open_statuses())
    if person.is_aged(0, 4):
        if any(day >= month for _, day in centres):
            found.append(("EH24", 1, 1))
        if _at(attended, places, CENTRE):
            found += [("EH25", 1, 1), ("EH27", 1, 0)]
        if centres:
            found.append(("EH26", 1, 0))
        if centres and person.is_deprived:
            found.append(("EH28", 1, 0))
        if _at(person.attended_last_year(), places, CENTRE) and person.is_deprived:
            found.append(("EH29", 1, 0))
        if has_scs:
            found.append(("EH30", int(bool(centres)), 1))
    if person.is_aged(5, 11) and any(e["data"]["kind"] == "open-access" for e in attended):
        found.append(("EH32", 1, 0))
    if _at(attended, places, HUB):
        found.append(("EH33", 1, 1))
        if person.is_aged(11, 19):
            found.append(("EH34", int(has_scs), 1))
    return found


def at_centre(person: Person, centre: str, places: Places, as_of: date) -> list[Entry]:
    """What a person adds at one children's centre."""
    month = as_of.replace(day=1)
    firsts = [day for place, day in person.registered() if place == centre]
    is_reached = bool(firsts and _at(person.attended_last_year(), places, CENTRE))
    lives_here = person.district is not None and person.district == places[centre]["district"]
    has = set(person.characteristics)
    is_disabled = bool(has & {"disabled", "sen"})
    found: list[Entry] = []
    if person.is_aged(0, 4):
        if any(day >= month for day in firsts):
            found.append(("CEH27", 1, 1))
        for ratio, reach, is_one in (
            ("CEH28", "CEH29", True),
            ("CEH30", "CEH31", person.is_aged(0, 2)),
            ("CEH32", "CEH33", "bme" in has),
            ("CEH34", "CEH35", is_disabled),
        ):
            if is_one and firsts:
                found += [(ratio, 1, 0), (reach, int(is_reached), 1)]
        statuses = person.open_statuses()
        for known, reach, is_one in (
            ("CEH42", "CEH43", bool(statuses)),
            ("CEH44", "CEH45", "lac" in statuses),
            ("CEH46", "CEH47", "cp" in statuses),
            ("CEH48", "CEH49", "cin" in statuses),
        ):
            if is_one and lives_here:
                found.append((known, int(bool(firsts)), 1))
            if is_one and firsts:
                found.append((reach, int(is_reached), 1))
    is_carer = any(
        of_one[-1]["data"].get("kind") == "carer" and of_one[-1]["data"]["place"] == centre
        for of_one in person.in_force()
    )
    if is_carer:
        for count, reach, is_one in (
            ("CEH36", "CEH37", is_disabled),
            ("CEH38", "CEH39", "teenage-parent" in has),
            ("CEH40", "CEH41", "lone-parent" in has),
        ):
            if is_one:
                found += [(count, 1, 1), (reach, int(is_reached), 1)]
    return found


def at_hub(person: Person, hub: str, as_of: date) -> list[Entry]:
    """What a person adds at one youth hub."""
    firsts = [day for place, day in person.registered() if place == hub]
    sessions = {e["subject"] for e in person.attended_last_year() if e["data"]["place"] == hub}
    is_regular = bool(firsts) and len(sessions) >= 8
    is_young = person.is_aged(8, 19)
    is_older = person.is_aged(20, 24) and "sen" in person.characteristics
    found: list[Entry] = []
    for codes, is_one in (
        (("CEH50", "CEH51", "CEH52", "CEH51a", "CEH52a"), is_young),
        (("CEH53", "CEH54", "CEH55", "CEH54a", "CEH55a"), is_older),
        (("CEH56", "CEH57", "CEH58", "CEH57a", "CEH58a"), is_young or is_older),
    ):
        registered, reached, regular, of_registered, of_reached = codes
        if is_one and firsts:
            found += [(registered, 1, 1), (of_registered, int(bool(sessions)), 1)]
            if sessions:
                found += [(reached, 1, 1), (of_reached, int(is_regular), 1)]
            if is_regular:
                found.append((regular, 1, 1))
    if any(day >= as_of.replace(day=1) for day in firsts):
        found.append(("CEH59", 1, 1))
    outcomes = [
        e["data"]["accredited"]
        for e in person.events
        if e["type"] == "outcome.recorded"
        and e["day"] > back(as_of, 12)
        and hub in person.places_of(e["subject"])
    ]
    if any(outcomes):
        found.append(("CEH78", 1, 1))
    if outcomes and is_regular:
        found.append(("CEH79", 1, 1))
    return found


def add_sessions(
    tally: Tally,
    facts: list[Event],
    everyone: list[Person],
    places: Places,
    as_of: date,
    areas: Areas,
) -> None:
    """CEH19 to CEH26 and CEH60."""
    month = as_of.replace(day=1)

    def at(event: Event) -> tuple[str | None, str | None]:
        """The district and the provider of a session."""
        place = places.get(event["data"]["place"])
        provider = event["data"].get("provider") or (place["provider"] if place else None)
        return place["district"] if place else None, provider

    for event in of_topic(facts, ACTIVITY):
        if event["type"] != "session.held":
            continue
        data, day, (district, provider) = event["data"], event["day"], at(event)
        spots = with_provider(areas_of(district, areas), provider)
        participants = data.get("participants", 0)
        feedback = data.get("feedback_good", 0), data.get("feedback_total", 0)
        if data["kind"] == "group" and day >= month:
            tally.add("CEH19", spots, 1, 1)
        if data["kind"] == "training" and day >= month:
            tally.add("CEH23", spots, 1, 1)
            tally.add("CEH24", spots, participants, participants)
            tally.add("CEH25", spots, *feedback)
        if data["kind"] == "group" and day > back(as_of, 12):
            tally.add("CEH26", spots, *feedback)
        if _is(places, data["place"], HUB) and participants >= 1 and day > back(as_of, 12):
            tally.add("CEH60", [("hub", data["place"])], 1, 1)

    for person in everyone:
        attended: set[Spot] = set()
        for event in person.attended(month):
            if event["data"]["kind"] == "group":
                district, provider = at(event)
                attended |= set(with_provider(areas_of(district, areas), provider))
        tally.add("CEH20", attended, 1, 1)


def _is(places: Places, place: str, kind: str) -> bool:
    return place in places and places[place]["kind"] == kind


def _at(attended: list[Event], places: Places, kind: str) -> list[Event]:
    return [e for e in attended if _is(places, e["data"]["place"], kind)]
