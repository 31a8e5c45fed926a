"""Alerts on cases follow from the set of events and the day alone, whatever happens on the way."""

import json
from copy import deepcopy
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.alerts.judging import Judgement
from processors.alerts.phrases import alert_id
from processors.alerts.told import Alert
from processors.behind.case_waits import case_waits
from processors.days.calendar import date_of, day_number
from processors.ledger.tables import parts
from processors.record.decoding import Message
from processors.record.record import decode_record
from processors.rules import Rules
from schemas.alerts import CHANGE, CaseChange
from schemas.catalogue import load_catalogue
from schemas.events.registry import CASE_TOPIC
from schemas.standards import Standard, load_standards
from tests.reference.alerts import About, alerts
from tests.support.agreement import parsed
from tests.support.arrivals import Arrival, arrivals
from tests.support.durable import Worker
from tests.support.south_east import south_east_areas
from tests.support.strategies import History, histories
from tests.support.watched import told, true_of


@pytest.fixture(scope="module")
def watched() -> Rules:
    """The rules that ship, with the standards, on the tree of areas of the histories."""
    catalogue = load_catalogue()
    return Rules(catalogue, south_east_areas(), load_standards(catalogue))


def watch(worker: Worker, arrived: list[Arrival], days: list[date]) -> None:
    """Bring the worker what arrives on each of the days in turn, and let the clock go on."""
    share = len(arrived) // len(days) + 1
    for position, day in enumerate(days):
        judgement = Judgement(day_number(day))
        for line, then in arrived[position * share : (position + 1) * share]:
            for topic in worker.topics:
                if topic in line.topics:
                    worker.take([line.message], topic)
            if "commit" in then:
                worker.commit(judgement)
            if "forget" in then:
                worker.state.forget(1)
            if then == "restart":
                worker.restart()
        worker.commit(judgement)
        worker.look(judgement)


@settings(max_examples=60)
@given(st.data(), histories())
def test_any_arrival_under_any_clock_tells_the_alerts_of_brute_force(
    watched: Rules, data: st.DataObject, history: History
) -> None:
    days = sorted(history.dates)
    if (days[-1] - days[0]).days > 3_000:
        days = [day for day in days if abs((day - days[0]).days) < 3_000]
    worker = Worker(watched, CASE_TOPIC)
    watch(worker, data.draw(arrivals(history.lines)), days)
    assert true_of(worker) == alerts(parsed(history.lines), days[-1])


@settings(max_examples=60)
@given(st.data(), histories())
def test_a_clock_that_was_set_back_and_forward_has_told_what_is_true_once_it_is_right(
    watched: Rules, data: st.DataObject, history: History
) -> None:
    first = history.dates[0]
    jumps = st.integers(-2, 3).map(lambda days: first + timedelta(days=days))
    days = data.draw(st.lists(jumps, min_size=1, max_size=6))
    worker = Worker(watched, CASE_TOPIC)
    watch(worker, data.draw(arrivals(history.lines)), [*days, max(days)])
    assert true_of(worker) == alerts(parsed(history.lines), max(days))


@settings(max_examples=60)
@given(st.data(), histories())
def test_what_a_case_waits_for_is_what_alerts_are_on(
    watched: Rules, data: st.DataObject, history: History
) -> None:
    worker = Worker(watched, CASE_TOPIC)
    watch(worker, data.draw(arrivals(history.lines)), [history.dates[0]])
    day = history.dates[0] + timedelta(days=data.draw(st.integers(0, 60)))
    records = {
        name: decode_record(stored, watched.make_row) for name, stored in worker.records.items()
    }
    waits = {
        (*about, it.standard, it.episode): it
        for about, found in case_waits(watched, records, day_number(day)).items()
        for it in found
    }
    of_alerts = alerts(parsed(history.lines), day)
    on = {about: it for about, it in of_alerts.items() if it.state != "resolved"}
    assert {
        about: (it.state, date_of(it.due))
        for about, it in waits.items()
        if it.state in {"due-soon", "breached"}
    } == {about: (it.state, it.due) for about, it in on.items()}
    for about, it in of_alerts.items() - on.items():
        over = waits[about].over
        assert over is not None
        assert (waits[about].reason, date_of(over)) == (it.reason, it.since)


@settings(max_examples=60)
@given(st.data(), histories())
def test_changes_of_an_alert_are_numbered_and_end_in_what_was_told(
    watched: Rules, data: st.DataObject, history: History
) -> None:
    worker = Worker(watched, CASE_TOPIC)
    arrived = [
        Arrival(line, "commit" if then == "restart" else then)
        for line, then in data.draw(arrivals(history.lines))
    ]
    watch(worker, arrived, sorted(history.dates))
    latest: dict[About, Alert] = {}
    for child, alert, before in worker.changes:
        about = (child, *alert.about)
        known = latest.get(about)
        assert alert.version == (known.version + 1 if known else 1)
        assert before == (known.state if known else None)
        assert known is None or known.content != alert.content
        latest[about] = alert
        name, text = watched.wording.change(child, alert)
        change = CHANGE.validate_json(text)
        assert isinstance(change, CaseChange)
        assert change.alert == name == alert_id(*about)
        assert change.key == f"{name}:{alert.version}"
        assert CHANGE.validate_json(CHANGE.dump_json(change)) == change
    assert latest == told(worker)


@settings(max_examples=60)
@given(st.data(), histories())
def test_stocks_of_the_ledger_count_the_breaches_of_any_day(
    watched: Rules, data: st.DataObject, history: History
) -> None:
    worker = Worker(watched, CASE_TOPIC)
    watch(worker, data.draw(arrivals(history.lines)), [history.dates[0]])
    day = history.dates[0] + timedelta(days=data.draw(st.integers(0, 60)))
    events = parsed(history.lines)
    stock = worker.state.tables.stock(day_number(day), watched.calendar)
    slot, _, _ = parts(stock.cells)
    breached = [
        about[2] for about, found in alerts(events, day).items() if found.state == "breached"
    ]
    first = len(watched.catalogue.slots)
    for position, standard in enumerate(watched.standards.standard):
        assert stock.amounts[slot == first + position].sum() == breached.count(standard.code)


NOON = "T12:00:00Z"


def happened(kind: str, day: str, name: str = "", **data: object) -> Message:
    """A message of something that happened to the one case of a child."""
    event = {
        "specversion": "1.0",
        "id": name or f"{kind} {day}",
        "source": "urn:a",
        "type": kind,
        "subject": "C1",
        "time": day + NOON,
        "partitionkey": "P1",
        "data": data,
    }
    return b"P1", json.dumps(event).encode(), ()


def unit_case(received: str) -> list[Message]:
    """A case that a unit's first team has from the day on which it is received."""
    return [
        happened("notification.received", received, notification_type="EHN", district="Dover"),
        happened("case.allocated", received, service="unit", team="One"),
    ]


def on(day: str) -> Judgement:
    return Judgement(day_number(date.fromisoformat(day)))


def alert_on(worker: Worker, standard: str) -> Alert:
    return told(worker)["P1", "C1", standard, 1]


def changes_since(rules: Rules, worker: Worker, known: int) -> list[CaseChange]:
    """The changes that were told after so many."""
    found = []
    for child, alert, _ in worker.changes[known:]:
        change = CHANGE.validate_json(rules.wording.change(child, alert)[1])
        assert isinstance(change, CaseChange)
        found.append(change)
    return found


def changed(rules: Rules, standards: tuple[Standard, ...]) -> Rules:
    """The rules with other standards of cases."""
    update = {"standard": standards}
    return Rules(rules.catalogue, rules.areas, rules.standards.model_copy(update=update))


def rebuilt(worker: Worker, rules: Rules, messages: list[Message]) -> Worker:
    """A worker on the state that a rebuild with other rules makes: what was told remains."""
    other = Worker(rules, CASE_TOPIC)
    other.take(messages)
    other.commit()
    other.store.told, other.changes = deepcopy(worker.told), list(worker.changes)
    other.state.forget(0)
    return other


def test_an_allocation_to_come_changes_the_team_on_its_day_without_any_event(
    watched: Rules,
) -> None:
    worker = Worker(watched, CASE_TOPIC)
    worker.take(unit_case("2015-10-01"))
    worker.take([happened("case.allocated", "2015-10-20", service="unit", team="Two")])
    worker.commit(on("2015-10-19"))
    assert alert_on(worker, "unit-contact").team == "One"
    worker.look(on("2015-10-20"))
    assert alert_on(worker, "unit-contact").team == "Two"


def test_a_standard_that_is_changed_changes_what_is_active(watched: Rules) -> None:
    messages = unit_case("2015-10-01")
    worker = Worker(watched, CASE_TOPIC)
    worker.take(messages)
    worker.commit(on("2015-10-19"))
    known = len(worker.changes)
    stricter = {"severity": "critical", "owner": "area"}
    contact, *others = watched.standards.standard
    rules = changed(watched, (contact.model_copy(update=stricter), *others))
    worker = rebuilt(worker, rules, messages)
    worker.look(on("2015-10-19"))
    (change,) = changes_since(rules, worker, known)
    assert (change.standard, change.state, change.version) == ("unit-contact", "breached", 2)
    assert (change.severity, change.owner_kind, change.owner) == ("critical", "area", "Dover")


def test_a_standard_that_is_withdrawn_ends_what_is_active_with_whoever_was_told(
    watched: Rules,
) -> None:
    messages = unit_case("2015-09-01")
    worker = Worker(watched, CASE_TOPIC)
    worker.take(messages)
    worker.commit(on("2015-10-19"))
    messages.append(happened("contact.made", "2015-10-19"))
    worker.take(messages[-1:])
    worker.commit(on("2015-10-19"))
    known = len(worker.changes)
    rules = changed(watched, ())
    worker = rebuilt(worker, rules, messages)
    worker.look(on("2015-10-19"))
    (change,) = changes_since(rules, worker, known)
    assert (change.standard, change.state, change.reason) == ("unit-plan", "resolved", "withdrawn")
    assert (change.severity, change.owner_kind, change.owner) == ("warning", "team", "One")
    worker.commit(on("2015-10-20"))
    worker = rebuilt(worker, watched, messages)
    worker.look(on("2015-10-20"))
    (again,) = changes_since(watched, worker, known + 1)
    assert (again.standard, again.state, again.version) == ("unit-plan", "breached", 3)


@pytest.mark.parametrize(
    ("kind", "data", "reason"),
    [
        ("contact.made", {}, "done"),
        ("case.closed", {"outcome": "Outcomes achieved"}, "closed"),
        ("case.allocated", {"service": "other"}, "transferred"),
    ],
)
def test_what_ends_an_alert_on_the_day_it_was_raised_is_told_as_what_it_is(
    watched: Rules, kind: str, data: dict[str, str], reason: str
) -> None:
    worker = Worker(watched, CASE_TOPIC)
    worker.take(unit_case("2015-10-01"))
    worker.commit(on("2015-10-11"))
    assert not worker.changes
    worker.look(on("2015-10-12"))
    assert alert_on(worker, "unit-contact").state == "due-soon"
    worker.take([happened(kind, "2015-10-12", **data)])
    worker.commit(on("2015-10-12"))
    ended = alert_on(worker, "unit-contact")
    assert (ended.state, ended.reason, ended.is_void) == ("resolved", reason, True)
    known = len(worker.changes)
    worker.state.look_at(["P1"])
    worker.commit(on("2015-10-13"))
    assert len(worker.changes) == known


def test_what_was_never_late_by_a_late_event_is_done_and_by_a_retraction_retracted(
    watched: Rules,
) -> None:
    worker = Worker(watched, CASE_TOPIC)
    worker.take(unit_case("2015-09-01"))
    worker.commit(on("2015-10-12"))
    worker.take([happened("contact.made", "2015-09-02")])
    worker.commit(on("2015-10-12"))
    assert alert_on(worker, "unit-contact").reason == "done"
    worker.take(
        [happened("event.retracted", "2015-10-12", retracts="notification.received 2015-09-01")]
    )
    worker.commit(on("2015-10-12"))
    assert alert_on(worker, "unit-plan").reason == "retracted"
