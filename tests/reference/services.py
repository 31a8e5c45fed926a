"""Part B: casework of commissioned services, and young carers of part D, case by case."""

from datetime import date
from fractions import Fraction

from tests.reference.casework import Casework
from tests.reference.dates import back, working_days
from tests.reference.figures import Areas
from tests.reference.identity import in_order
from tests.reference.messages import Event
from tests.reference.places import Tally, areas_of, with_provider
from tests.reference.topics import REFERENCE, of_topic

GONE = ("Disengaged", "Consent withdrawn", "No contact")

# (code, numerator, denominator)
Entry = tuple[str, int, int]


def add_services(
    tally: Tally, facts: list[Event], cases: list[Casework], as_of: date, areas: Areas
) -> None:
    """CEH01 to CEH18 and CEH61 to CEH76."""
    april = date(as_of.year - (as_of.month < 4), 4, 1)
    for case in cases:
        spots = with_provider(areas_of(case.district, areas), case.provider)
        others = [it for it in cases if it.child == case.child and it is not case]
        found: list[Entry] = []
        if case.service == "family-support":
            found = family_support(case, others, as_of)
        elif case.service == "neet-support":
            found = neet_support(case, others, as_of)
        elif case.service == "young-carers":
            found = young_carers(case, as_of)
        for code, numerator, denominator in found:
            tally.add(code, spots, numerator, denominator)
        for code, service in (("CEH03", "family-support"), ("CEH63", "neet-support")):
            if case.ever_with(service, april, as_of):
                spots = with_provider(areas_of(case.district, areas), case.provider_for(service))
                tally.add(code, spots, 1, 1)
    for open_code, code, service in (
        ("CEH04", "CEH02", "family-support"),
        ("CEH64", "CEH62", "neet-support"),
    ):
        for (of, kind, place, _), (n, _) in list(tally.cells.items()):
            if of == open_code and kind.startswith("provider"):
                provider, _, area = place.partition(" / ")
                tally.add(code, [(kind, place)], n, _fte(facts, as_of, provider, area, service))


def family_support(case: Casework, others: list[Casework], as_of: date) -> list[Entry]:
    """What one family-support case adds."""
    month = as_of.replace(day=1)
    found = _held(case, as_of, "CEH01", "CEH04", "CEH05")
    if case.receipt is None:
        return found
    if case.receipt >= month:
        found += _in_time("CEH06", case.worker(), case.receipt, 2, as_of)
        found += _in_time("CEH07", case.first("contact.made"), case.receipt, 10, as_of)
        found += _in_time("CEH08", case.first("plan.completed"), case.receipt, 20, as_of)
        found += _referrer(case)
    if case.closed and case.closed >= month:
        assert case.closure
        data = case.closure["data"]
        found.append(("CEH09", int("Outcomes achieved" in data["outcome"]), 1))
        found.append(("CEH10", int(data.get("troubled_families_evidence") is True), 1))
        found.append(("CEH11", int(any(word in data["outcome"] for word in GONE)), 1))
    if case.closure is None:
        found.append(("CEH12", int((as_of - case.receipt).days > 180), 1))
        found.append(("CEH13", int(_is_again(case, others, "family-support", as_of)), 1))
    if case.days_of("case.stepped-up", max(month, case.received)):
        found.append(("CEH14", 1, 1))
    return found


def neet_support(case: Casework, others: list[Casework], as_of: date) -> list[Entry]:
    """What one case of NEET support adds."""
    month = as_of.replace(day=1)
    found = _held(case, as_of, "CEH61", "CEH64", "CEH66")
    if case.receipt is None:
        return found
    if case.receipt >= month:
        found += _in_time("CEH67", case.worker(), case.receipt, 5, as_of)
        found += _in_time("CEH68", case.first("contact.made"), case.receipt, 10, as_of)
        found += _in_time("CEH69", case.first("plan.completed"), case.receipt, 10, as_of)
    if case.closure is None:
        found.append(("CEH65", int((as_of - case.receipt).days > 84), 1))
        found.append(("CEH75", int(_is_again(case, others, "neet-support", as_of)), 1))
        return found
    assert case.closed
    outcome = case.closure["data"]["outcome"]
    if case.closed >= month:
        found.append(("CEH73", int("Outcomes achieved" in outcome), 1))
        found.append(("CEH74", int(any(word in outcome for word in GONE)), 1))
    started = min(case.days_of("destination.started", case.received), default=None)
    found.append(("CEH70", int(started is not None), 1))
    found.append(("CEH71", int(started is not None and (started - case.receipt).days <= 84), 1))
    sustained = case.days_of("destination.sustained", case.received)
    is_kept = started is not None and any(started <= back(day, 3) for day in sustained)
    found.append(("CEH72", int(is_kept), 1))
    return found


def young_carers(case: Casework, as_of: date) -> list[Entry]:
    """What one young carers' case adds."""
    found: list[Entry] = []
    if case.closure is None:
        found.append(("CEH15", 1, 1))
    if case.receipt is not None and case.receipt >= as_of.replace(day=1):
        found.append(("CEH16", 1, 1))
        found += _in_time("CEH17", case.worker(), case.receipt, 2, as_of)
        found += _in_time("CEH18", case.first("plan.completed"), case.receipt, 20, as_of)
    return found


def _held(case: Casework, as_of: date, new: str, is_open: str, closed: str) -> list[Entry]:
    """New in M, with the service since 1 April, open and closed in M."""
    month = as_of.replace(day=1)
    found = []
    if case.receipt and case.receipt >= month:
        found.append((new, 1, 1))
    if case.closure is None:
        found.append((is_open, 1, 1))
    if case.closed and case.closed >= month:
        found.append((closed, 1, 1))
    return found


def _in_time(code: str, done: date | None, receipt: date, limit: int, as_of: date) -> list[Entry]:
    """In time or not; nothing while it is neither done nor late."""
    if done is not None:
        return [(code, int(working_days(receipt, done) <= limit), 1)]
    if working_days(receipt, as_of) > limit:
        return [(code, 0, 1)]
    return []


def _referrer(case: Casework) -> list[Entry]:
    """CEH76."""
    contact = case.first("contact.made")
    if contact is None:
        return []
    referrer = min(case.days_of("referrer.contacted", case.received), default=None)
    return [("CEH76", int(referrer is not None and referrer <= contact), 1)]


def _is_again(case: Casework, others: list[Casework], service: str, as_of: date) -> bool:
    """Whether received in the last 12 months, after another case that had closed."""
    receipt = case.receipt
    assert receipt is not None
    if receipt <= back(as_of, 12):
        return False
    return any(
        back(receipt, 12) < closed <= receipt
        for other in others
        for closed in other.closures(service)
    )


def _fte(facts: list[Event], as_of: date, provider: str, area: str, service: str) -> Fraction:
    """The latest reported for a provider, area and service, else for all its services there."""
    reported = [
        e
        for e in of_topic(facts, REFERENCE)
        if e["type"] == "workforce.reported"
        and e["day"] <= as_of
        and e["data"]["provider"] == provider
        and (e["data"].get("area") or "") == area
    ]
    for wanted in (service, None):
        found = [e for e in reported if e["data"].get("service") == wanted]
        if found:
            return Fraction(str(max(found, key=in_order)["data"]["fte"]))
    return Fraction(0)
