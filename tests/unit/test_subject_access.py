"""What of a log is a child's, what only names them, and what is anyone else's."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from streams.cli import app
from streams.jobs.subject_access import FoundInLog
from streams.kafka.batches import TP, KafkaRecord

CHILD = "child-1"
EVENTS, LETTERS = TP("case-events", 3), TP("case-events.dead-letter", 3)
TOLD, DECIDED = TP("alerts", 0), TP("alert-decisions", 0)

Headers = tuple[tuple[str, bytes], ...]


def record(key: bytes | None, value: bytes | None, headers: Headers = ()) -> KafkaRecord:
    return KafkaRecord(key, value, headers, 1_445_000_000_000, 7)


def found(tp: TP, *records: KafkaRecord, child: str = CHILD) -> FoundInLog:
    log = FoundInLog(child)
    for it in records:
        log.take(tp, it)
    return log


def values(log: FoundInLog) -> list[Any]:
    return [it["value"] for messages in log.messages.values() for it in messages]


@pytest.mark.parametrize(
    "its",
    [
        record(b"child-1", b"no event at all"),
        record(b"child-1", None),
        record(b"other", b'{"partitionkey": "child-1"}'),
        record(None, b"1", (("ce_partitionkey", b"child-1"),)),
    ],
)
@pytest.mark.parametrize("tp", [EVENTS, LETTERS])
def test_a_message_is_a_childs_by_its_key_or_its_partition_key(tp: TP, its: KafkaRecord) -> None:
    log = found(tp, its)
    assert len(log.messages[tp.topic]) == 1
    assert log.mentions == []


@pytest.mark.parametrize(
    "others",
    [
        record(b"child-12", b'{"partitionkey": "child-12", "subject": "child-12"}'),
        record(b"grandchild-1", b'{"child": "grandchild-1"}'),
        record(b"child-2", b'["not", "an", "object"]'),
        record(None, b"\xff\xfe"),
    ],
)
def test_a_message_of_anyone_else_is_not_told_of(others: KafkaRecord) -> None:
    log = found(EVENTS, others)
    assert (log.messages, log.mentions) == ({}, [])


@pytest.mark.parametrize(
    "naming",
    [
        record(b"child-2", b'{"data": {"outcome": "moved with child-1."}}'),
        record(b"child-2", b"\xff child-1 \xff"),
        record(b"x", b"{}", (("note", b"child-1"),)),
    ],
)
def test_what_only_names_a_child_is_said_by_its_place_alone(naming: KafkaRecord) -> None:
    log = found(EVENTS, naming)
    assert log.messages == {}
    assert log.mentions == [{"topic": "case-events", "partition": 3, "offset": 7}]


def test_a_name_is_found_however_json_spells_it() -> None:
    spelt = record(b"x", json.dumps({"data": {"outcome": "with Zoë"}}).encode())
    plain = record(b"x", json.dumps({"data": {"outcome": "with Zoë"}}, ensure_ascii=False).encode())
    assert len(found(EVENTS, spelt, plain, child="Zoë").mentions) == 2


def test_what_was_decided_about_a_childs_alerts_is_theirs_in_any_deployment() -> None:
    log = found(TOLD, record(b"a1", b'{"alert": "a1", "child": "child-1"}'))
    log.take(TOLD, record(b"a2", b'{"alert": "a2", "child": "child-2"}'))
    log.take(DECIDED, record(b"kent/ack/a1", b'{"alert": "a1", "reason": "seen to"}'))
    log.take(DECIDED, record(b"other/silence/s1", b'{"id": "s1", "alerts": ["a2", "a1"]}'))
    log.take(DECIDED, record(b"kent/ack/a2", b'{"alert": "a2"}'))
    log.take(DECIDED, record(b"kent/silence/s2", b'{"id": "s2", "alerts": []}'))
    keys = [it["key"] for it in log.messages["alert-decisions"]]
    assert keys == ["kent/ack/a1", "other/silence/s1"]
    assert log.alerts == {"a1"}


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (b"[" * 900 + b"]" * 900, "[" * 900 + "]" * 900),
        (b"[" * 100_000, "[" * 100_000),
        (b'{"a": NaN}', '{"a": NaN}'),
        (b"[1e999]", "[1e999]"),
        (b"9" * 5_000, "9" * 5_000),
        (b"\xff", "base64:/w=="),
        (b"", ""),
        (None, None),
        (b'{"a": [1, 2.5, null, "\\ud800"]}', {"a": [1, 2.5, None, "\ud800"]}),
    ],
)
def test_any_value_can_be_written_out_again(value: bytes | None, kept: object) -> None:
    (its,) = values(found(EVENTS, record(b"child-1", value)))
    assert its == kept
    text = json.dumps(its, ensure_ascii=False, indent=1).encode(errors="backslashreplace")
    assert json.loads(text) == kept


@given(st.binary(max_size=60), st.binary(max_size=60) | st.none(), st.text(min_size=1, max_size=9))
def test_no_message_stops_a_search(key: bytes, value: bytes | None, child: str) -> None:
    log = found(EVENTS, record(key, value, (("h", key),)), child=child)
    json.dumps([log.messages, log.mentions], allow_nan=False)
    if key == child.encode(errors="replace"):
        assert log.messages


@pytest.mark.parametrize("child", [" ", "\udcff"])
def test_what_can_be_no_childs_identifier_is_wrong_usage(child: str, tmp_path: Path) -> None:
    run = CliRunner().invoke(app, ["export", "--child", child, "--to", str(tmp_path / "it.json")])
    assert run.exit_code == 2
    assert "names no child" in run.output


def test_a_file_that_is_there_is_not_written_over_nor_a_link_followed(tmp_path: Path) -> None:
    there, link = tmp_path / "there.json", tmp_path / "link.json"
    there.write_text("kept")
    link.symlink_to(tmp_path / "elsewhere.json")
    for path in (there, link):
        run = CliRunner().invoke(app, ["export", "--child", CHILD, "--to", str(path)])
        assert run.exit_code == 2
    assert there.read_text() == "kept"
    assert not (tmp_path / "elsewhere.json").exists()


def test_a_release_that_names_a_case_of_the_childs_is_said_by_its_place() -> None:
    text = b'{"partitionkey": "child-1", "subject": "case-9"}'
    late = record(b"2015-10/2", b'{"causes": [{"subject": "case-9"}]}')
    log = found(EVENTS, record(b"child-1", text))
    log.take(TP("releases", 0), late)
    assert log.mentions == []
    log.know_cases()
    log.take(TP("releases", 0), late)
    assert log.mentions == [{"topic": "releases", "partition": 0, "offset": 7}]
