"""What Caseline takes from inside its Kafka clients is there, and is taken in one place."""

import re
from pathlib import Path
from typing import Any

import pytest
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from kafka.record import memory_records

from snapshots.releases.any_headers import Lenient, read_any_header
from streams.kafka import private

ALL = private.NAMES | private.faust_names()
ROOT = Path(private.__file__).parents[2]
# Reaching into an object of aiokafka or Faust: a private name of one of these.
REACHES_IN = re.compile(
    r"\b(consumer|client|coordinator|fetcher|producer|result|subscription)\._[a-z]"
)


def test_nothing_that_is_needed_is_missing() -> None:
    assert private.missing_names(ALL) == []
    private.check(with_faust=True)


@pytest.mark.parametrize(
    ("cls", "name"),
    [(cls, name) for cls, names in ALL.items() for name in names],
    ids=lambda it: it if isinstance(it, str) else it.__name__,
)
def test_a_name_that_is_missing_is_named(
    cls: type[Any], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert private.missing_names({cls: (name,)}) == []
    monkeypatch.setitem(private.NAMES, cls, (f"{name}_of_another_version",))
    with pytest.raises(private.OtherClient, match=f"{cls.__name__}.{name}_of_another_version"):
        private.check()


def test_no_other_module_reaches_into_the_clients() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for package in ("streams", "snapshots")
        for path in (ROOT / package).rglob("*.py")
        if path != Path(private.__file__)
        for line in path.read_text().splitlines()
        if REACHES_IN.search(line)
    }
    assert found == set()


def batch_of(headers: list[tuple[str, bytes | None]], records: int = 3) -> bytes:
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 20)
    for offset in range(records):
        assert builder.append(offset, 1_000, b"key", b"value", headers)
    return bytes(builder.build())


def with_odd_names(raw: bytes) -> bytes:
    return raw.replace(b"name\xc3\xa9", b"name\xff\xfe")


def read(raw: bytes) -> list[Any]:
    records = fetcher.MemoryRecords(raw)
    found: list[Any] = []
    while records.has_next():
        found += list(records.next_batch())
    return found


def test_header_names_that_are_not_utf_8_are_read_with_escapes_by_both_clients() -> None:
    plain = batch_of([("name\xe9", b"1"), ("other", None)])
    raw = batch_of([]) + with_odd_names(plain) + plain
    found = read(raw)
    assert [it.offset for it in found] == [0, 1, 2] * 3
    names = [[name for name, _ in it.headers] for it in found]
    odd = ["name\\xff\\xfe", "other"]
    assert names == [[]] * 3 + [odd] * 3 + [["name\xe9", "other"]] * 3
    assert {(it.key, it.value) for it in found} == {(b"key", b"value")}

    read_any_header()
    theirs = memory_records.MemoryRecords(raw)
    read_by_them = []
    while theirs.has_next():
        read_by_them += [[name for name, _ in it.headers] for it in theirs.next_batch()]
    assert read_by_them == names


def test_lenient_bytes_are_text_whatever_they_are() -> None:
    assert Lenient(b"a\xffb")[1:].decode("utf-8") == "\\xffb"
    assert Lenient(b"\xc3\xa9")[:].decode("utf-8") == "\xe9"
    assert Lenient(b"ab")[1] == ord("b")
