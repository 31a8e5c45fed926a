"""Measures in words, and the types of events that they rest on: data of the catalogue, read out."""

from collections.abc import Iterable, Iterator

from schemas.catalogue import (
    Attended,
    Catalogue,
    Indicator,
    Limit,
    Match,
    Measure,
    PersonMeasure,
    PopulationOf,
    Relation,
    SessionMeasure,
    Start,
    Window,
    WorkforceOf,
)
from schemas.places import SiteKind

OPENED = ("scs.opened", "scs.status", "scs.closed")
CLOSED = ("case.closed", "case.reopened")
REGISTERED = ("registration.recorded", "registration.ended")
# A day of a case in words, and the events that it comes from.
DAYS: dict[str, tuple[str, tuple[str, ...]]] = {
    "received": ("the case's first notification", ("notification.received",)),
    "notified": ("the notification", ("notification.received",)),
    "contact": ("the first contact", ("contact.made",)),
    "plan": ("the plan", ("plan.completed",)),
    "closed": ("the closure", CLOSED),
    "receipt": ("receipt by the service", ("case.allocated",)),
    "service_worker": ("the assignment of a worker", ("worker.assigned",)),
    "service_contact": ("the first contact since receipt", ("contact.made",)),
    "service_plan": ("the plan since receipt", ("plan.completed",)),
    "referrer": ("the contact with the referrer", ("referrer.contacted",)),
    "stepped_up": ("the step-up", ("case.stepped-up",)),
    "destination": ("the first destination", ("destination.started",)),
    "sustained": (
        "a destination that was sustained",
        ("destination.started", "destination.sustained"),
    ),
    "until": ("the last day with the service", ("case.allocated", *CLOSED)),
}
FLAGS = {"troubled_families_evidence": "the closure has evidence for a troubled families claim"}
CASES = {
    "case": "cases",
    "notification": "notifications",
    "spell": "cases that were with a service",
}
RELATED = {
    "spell": "was with a service",
    "closure": "had closed with a service",
    "scs-opening": "a case that social care opened",
}
PEOPLE = {
    "person": "people",
    "scs-case": "open cases of social care",
    "scs-opening": "cases opened by social care",
    "scs-closing": "cases closed by social care",
}
SITES = {"childrens-centre": "children's centre", "youth-hub": "youth hub", "other": "other place"}
UNITS = {"days": "days", "working-days": "working days", "months": "months"}
STATUS = {"lac": "looked after", "cp": "on a protection plan", "cin": "in need"}


def told(catalogue: Catalogue, measure: Measure | PersonMeasure | SessionMeasure) -> list[str]:
    """What a measure counts, and then each thing that it asks of it."""
    if isinstance(measure, Measure):
        relations = {it.name: it for it in catalogue.relation}
        return [CASES[measure.of], *_of_case(measure, relations)]
    if isinstance(measure, PersonMeasure):
        return [PEOPLE[measure.of], *_of_person(measure)]
    return ["sessions", *_of_session(measure)]


def rests_on(catalogue: Catalogue, indicator: Indicator) -> list[str]:
    """The types of events that an indicator's figures rest on."""
    if indicator.source == "supplied":
        return ["measure.supplied"]
    found = [
        kind
        for measure in catalogue.measure
        if indicator.terms.intersection(measure.slots)
        for kind in _types(catalogue, measure)
    ]
    if isinstance(indicator.denominator, WorkforceOf):
        found.append("workforce.reported")
    elif indicator.denominator == "population" or isinstance(indicator.denominator, PopulationOf):
        found.append("population.published")
    return list(dict.fromkeys(found))


def _of_case(measure: Measure, relations: dict[str, Relation]) -> Iterator[str]:
    if measure.state:
        yield f"{measure.state} on the day"
    if measure.holder:
        yield f"held by a service that {_match(measure.holder)}"
    if measure.notification_type:
        yield f"whose type {_match(measure.notification_type)}"
    if measure.outcome:
        yield f"whose outcome {_match(measure.outcome)}"
    for flag in measure.flags:
        yield FLAGS.get(flag) or _related(relations[flag])
    for start in measure.starts:
        yield _start(start, relations)
    if measure.window:
        yield _window(measure.window, relations)
    if measure.limit:
        yield _limit(measure.limit, relations)


def _of_person(measure: PersonMeasure) -> Iterator[str]:
    if measure.age:
        yield f"aged {measure.age[0]} to {measure.age[1]} on the day"
    if measure.deprived:
        yield "living in the most deprived 30 %"
    if measure.characteristics:
        yield f"with {' or '.join(f'`{it}`' for it in measure.characteristics)}"
    if measure.registered:
        where = f" at a {_sites(measure.at)}" if measure.at else ""
        kind = f", of a kind that {_match(measure.registration)}," if measure.registration else ""
        yield f"registered{where}{kind}, active and with consent"
    if measure.newly:
        yield "whose registration was first recorded in the month"
    if measure.resident:
        yield "living in the district of the place"
    if measure.attended:
        yield _attended(measure.attended)
    if measure.recorded:
        accredited = "an accredited outcome" if measure.recorded.accredited else "an outcome"
        yield f"with {accredited} recorded in the last {measure.recorded.months} months"
    if measure.scs or measure.scs_status:
        status = f", {STATUS[measure.scs_status]}" if measure.scs_status else ""
        yield f"with an open case of social care{status}"
    if measure.origin:
        yield f"whose origin {_match(measure.origin)}"
    if measure.reason:
        yield f"whose reason {_match(measure.reason)}"
    if measure.of in {"scs-opening", "scs-closing"}:
        yield f"in the last {measure.months} months" if measure.months else "in the month"
    if measure.again_within:
        yield f"within {measure.again_within} months after the child's previous opening"
    if measure.once == "site":
        yield "counted once at each place"
    elif measure.once == "session":
        yield "counted once where the session was"


def _of_session(measure: SessionMeasure) -> Iterator[str]:
    if measure.kind:
        yield f"of a kind that {_match(measure.kind)}"
    if measure.at:
        yield f"at a {_sites(measure.at)}"
    if measure.attended:
        yield "with one participant or more"
    yield f"in the last {measure.months} months" if measure.months else "in the month"
    if measure.total:
        yield f"their `{measure.total}` added up"


def _match(match: Match) -> str:
    for words, start, joint, end in (
        (match.any_of, "is ", " or ", ""),
        (match.none_of, "is none of ", ", ", ""),
        (match.contains_any, "has ", " or ", " in it"),
        (match.contains_none, "has none of ", ", ", " in it"),
    ):
        if words:
            return start + joint.join(f"`{word}`" for word in words) + end
    raise ValueError("a match has one list")


def _day(name: str, relations: dict[str, Relation]) -> str:
    return DAYS[name][0] if name in DAYS else _related(relations[name])


def _related(relation: Relation) -> str:
    if relation.after:
        day, of = DAYS[relation.after][0], RELATED[relation.to]
        return f"{of} within {relation.months} months after {day}"
    day, of = DAYS[relation.before or ""][0], RELATED[relation.to]
    same = f", with the same {relation.same.replace('_', ' ')}" if relation.same else ""
    holder = f" that {_match(relation.holder)}" if relation.holder else ""
    return (
        f"another case of the child {of}{holder} in the {relation.months} months up to {day}{same}"
    )


def _start(start: Start, relations: dict[str, Relation]) -> str:
    day = _day(start.day, relations)
    if start.working_days is not None:
        return f"more than {start.working_days} working days after {day}"
    return f"{start.days} days after {day}, or later" if start.days else f"there is {day}"


def _window(window: Window, relations: dict[str, Relation]) -> str:
    day, months = _day(window.day, relations), window.months
    return {
        "month": f"{day} is in the month",
        "last-months": f"{day} is in the last {months} months",
        "months-after": f"{day} is in the {months} calendar months before the month",
        "month-after": f"{day} is in the calendar month {months} months before the month",
        "financial-year": f"{day} is since 1 April",
        "until-year-end": f"{day} is not before 1 April",
    }[window.kind]


def _limit(limit: Limit, relations: dict[str, Relation]) -> str:
    start, end = _day(limit.start, relations), _day(limit.end, relations)
    if limit.more_than < 0 and limit.at_most >= 2**31:
        return f"{start} is no later than {end}"
    at_most = limit.at_most < 2**31
    bound = f"at most {limit.at_most}" if at_most else f"more than {limit.more_than}"
    unended = ", or it has not come" if limit.unended else ""
    return f"{bound} {UNITS[limit.unit]} from {start} to {end}{unended}"


def _sites(kinds: Iterable[SiteKind]) -> str:
    return " or ".join(SITES[kind] for kind in kinds)


def _attended(attended: Attended) -> str:
    when = f"in the last {attended.months} months" if attended.months else "in the month"
    times = f"{attended.times} different sessions or more" if attended.times > 1 else "a session"
    kind = f" of a kind that {_match(attended.kind)}" if attended.kind else ""
    where = f" at {'any' if attended.anywhere else 'a'} {_sites(attended.at)}"
    return f"attended {times}{kind}{where if attended.at else ''} {when}"


def _types(
    catalogue: Catalogue, measure: Measure | PersonMeasure | SessionMeasure
) -> Iterable[str]:
    if isinstance(measure, SessionMeasure):
        return ["session.held"]
    return (
        _person_types(measure)
        if isinstance(measure, PersonMeasure)
        else _case_types(catalogue, measure)
    )


def _case_types(catalogue: Catalogue, measure: Measure) -> Iterator[str]:
    yield "notification.received"
    if measure.holder:
        yield "case.allocated"
    relations = {it.name: it for it in catalogue.relation}
    for name in sorted(measure.names):
        if name in DAYS:
            yield from DAYS[name][1]
        elif name in relations and relations[name].after:
            yield "scs.opened"
        elif name in relations:
            yield from ("case.allocated", *CLOSED)
    if measure.state or measure.flags:
        yield from CLOSED


def _person_types(measure: PersonMeasure) -> Iterator[str]:
    if measure.registered or measure.recorded:
        yield from REGISTERED
    if measure.attended:
        yield "session.attended"
    if measure.recorded:
        yield "outcome.recorded"
    if measure.of == "person" and (measure.age or measure.deprived or measure.characteristics):
        yield "registration.recorded"
    if measure.of == "scs-opening":
        yield "scs.opened"
    elif measure.of == "scs-closing":
        yield "scs.closed"
    elif measure.of == "scs-case" or measure.scs or measure.scs_status:
        yield from OPENED
