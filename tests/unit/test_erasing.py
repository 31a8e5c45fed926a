"""What goes when a child is erased and what stays, and what erased children are known by."""

import json
from collections import Counter
from typing import Any

import pytest
from typer.testing import CliRunner

from processors.record.decoding import Event
from processors.record.erased import ErasedChild, ErasedChildren, erasure_at, hash_of
from processors.record.retention import is_over
from snapshots.checking.verify import gone_from
from streams.cli import app
from streams.jobs.erasing.erasure_search import ErasureSearch
from streams.kafka.batches import TP, KafkaRecord
from streams.state.erased_list import NoErasureKey, erasure_key
from tests.support.frozenlogs import RELEASED_ON, FrozenLog

KEY = b"k" * 32
EVENTS, LETTERS = TP("case-events", 3), TP("case-events.dead-letter", 3)
TOLD, DECIDED = TP("alerts", 0), TP("alert-decisions", 0)
ALERT, OTHER = "a" * 20, "b" * 20


def record(key: bytes | None, value: bytes | None, offset: int = 7) -> KafkaRecord:
    return KafkaRecord(key, value, (), 1_445_000_000_000, offset)


def event(child: str, outcome: str = "Disengaged") -> KafkaRecord:
    text = {
        "specversion": "1.0",
        "id": "1",
        "source": "urn:test",
        "type": "case.closed",
        "subject": f"case of {child}",
        "time": "2015-10-01T09:00:00+01:00",
        "partitionkey": child,
        "data": {"outcome": outcome},
    }
    return record(child.encode(), json.dumps(text).encode())


def searched(*found: tuple[TP, KafkaRecord]) -> ErasureSearch:
    search = ErasureSearch(["child-1"])
    for tp, it in found:
        search.take(tp, it)
    return search


@pytest.mark.parametrize(
    ("tp", "its"),
    [
        (EVENTS, event("child-1")),
        (EVENTS, record(b"child-1", b"no event")),
        (EVENTS, record(b"x", b'[{"partitionkey": "child-1"}, {"partitionkey": "child-2"}]')),
        (LETTERS, record(b"x", b"about child-1, and child-2")),
        (TOLD, record(ALERT.encode(), json.dumps({"alert": ALERT, "child": "child-1"}).encode())),
    ],
)
def test_what_is_a_childs_goes_and_what_is_no_event_and_names_them(
    tp: TP, its: KafkaRecord
) -> None:
    search = searched((tp, its))
    assert (search.offsets, search.mentions) == ({tp: [7]}, [])


@pytest.mark.parametrize(
    ("its", "mentions"),
    [
        (event("child-2", outcome="moved with child-1"), [(EVENTS, 7)]),
        (event("child-12"), []),
        (record(b"child-12", b"no event"), []),
    ],
)
def test_an_event_of_anyone_else_stays_and_is_told_of_where_it_names_the_child(
    its: KafkaRecord, mentions: list[tuple[TP, int]]
) -> None:
    search = searched((EVENTS, its))
    assert (search.offsets, search.mentions) == ({}, mentions)


def test_what_is_keyed_by_a_place_is_no_childs() -> None:
    text = {
        "specversion": "1.0",
        "id": "1",
        "source": "urn:test",
        "type": "population.published",
        "subject": "estimate",
        "time": "2015-10-01T09:00:00+01:00",
        "partitionkey": "child-1",
        "data": {"area": "Dover", "age_band": "all", "year": 2015, "count": 7},
    }
    its = record(b"child-1", json.dumps(text).encode())
    assert searched((TP("reference-events", 0), its)).no_child == {"population.published"}
    assert not searched((EVENTS, event("child-1"))).no_child


def test_of_decisions_those_go_that_are_about_the_childs_alerts_alone() -> None:
    told = record(ALERT.encode(), json.dumps({"alert": ALERT, "child": "child-1"}).encode(), 1)
    both = json.dumps({"alerts": [ALERT, OTHER]}).encode()
    search = searched(
        (TOLD, told),
        (DECIDED, record(f"kent/ack/{ALERT}".encode(), b"{}", 2)),
        (DECIDED, record(b"kent/silence/1", both, 3)),
        (DECIDED, record(b"kent/silence/2", json.dumps({"alerts": [ALERT]}).encode(), 4)),
        (DECIDED, record(f"kent/ack/{OTHER}".encode(), b"{}", 5)),
    )
    assert search.offsets == {TOLD: [1], DECIDED: [2, 4]}


def test_only_what_has_nothing_but_the_header_is_an_empty_place() -> None:
    of = (("caseline-erased", b"e1"),)
    assert erasure_at(None, None, of) == "e1"
    assert erasure_at(None, None, (("caseline-erased", b""),)) == ""
    for other in (
        (b"k", None, of),
        (None, b"v", of),
        (None, None, ()),
        (None, None, (*of, *of)),
        (None, None, (("other", b"e1"),)),
    ):
        assert erasure_at(*other) is None


def test_an_erased_child_is_known_by_the_secret_alone_and_counts_again_later() -> None:
    erased = ErasedChildren(KEY, [ErasedChild(hash_of(KEY, "child-1"), "e1", 100)])
    assert [erased.counts("child-1", at) for at in (99, 100, 101)] == [False, False, True]
    assert erased.counts("child-2", 1)
    assert erased.was_erased("child-1")
    other = ErasedChildren(b"o" * 32, [ErasedChild(hash_of(KEY, "child-1"), "e1", 100)])
    assert other.counts("child-1", 1)
    with pytest.raises(ValueError, match="at least 32"):
        ErasedChildren(b"short", [ErasedChild("", "e1", 100)])


def test_without_a_secret_of_use_nothing_goes_on(tmp_path: Any) -> None:
    short = tmp_path / "short"
    short.write_bytes(b"short")
    for path, said in ((None, "names no file"), (short, "at least 32"), (tmp_path / "no", "No su")):
        with pytest.raises(NoErasureKey, match=said):
            erasure_key(path)


def test_only_known_erasures_since_a_release_excuse_what_cannot_be_recounted(rules: Any) -> None:
    release = FrozenLog(rules).release("2015-10").release
    day = RELEASED_ON.isoformat()
    known = {"before": "2015-11-08", "same": day, "after": "2020-01-01"}
    gone = gone_from(release, Counter({"before": 1, "same": 2, "after": 4, "forged": 8}), known)
    assert gone.since == {"same": 2, "after": 4}
    assert gone.unknown == {"forged": 8}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--child", "child-1"), "say why"),
        (("--child", " ", "--reason", "asked"), "names no child"),
        (("--child", "child-1", "--resume"), "go alone"),
        (("--resume", "--give-up"), "go alone"),
        ((), "either --child or --closed-before"),
        (("--closed-before", "2999-01-01", "--reason", "old"), "yet to come"),
    ],
)
def test_what_does_not_say_whom_and_why_is_refused(arguments: tuple[str, ...], said: str) -> None:
    run = CliRunner().invoke(app, ["erase", *arguments])
    assert run.exit_code == 2
    assert said in " ".join(run.output.replace("│", " ").split())


def of(kind: str, day: int, subject: str = "case-1") -> Event:
    at = day * 86_400_000_000
    return Event("urn:test", f"{kind} {day}", 0, at, day, kind, subject, {})


BEGUN, CLOSED = of("notification.received", 10), of("case.closed", 20)


@pytest.mark.parametrize(
    ("events", "is_it"),
    [
        ([CLOSED, BEGUN], True),
        ([BEGUN], False),
        ([], False),
        ([BEGUN, CLOSED, of("case.reopened", 25)], False),
        ([BEGUN, CLOSED, of("case.reopened", 25), of("case.closed", 29)], True),
        ([BEGUN, CLOSED, of("contact.made", 30)], False),
        ([BEGUN, CLOSED, of("contact.made", 29)], True),
        ([BEGUN, CLOSED, of("notification.received", 12, "case-2")], False),
        ([BEGUN, CLOSED, of("scs.opened", 12, "case-1")], False),
        ([BEGUN, CLOSED, of("scs.opened", 12, "s"), of("scs.closed", 13, "s")], True),
        ([BEGUN, CLOSED, of("registration.recorded", 5, "r")], False),
        ([of("session.held", 5, "s")], False),
    ],
)
def test_a_child_is_over_whose_all_has_ended_before_the_day(
    events: list[Event], is_it: bool
) -> None:
    assert is_over(events, 30) is is_it
