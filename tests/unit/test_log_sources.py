"""Telling one log from another, and looking for a message that cannot be taken in."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.record.decoding import Rejection
from streams.kafka.batches import TP, Batch, KafkaRecord
from streams.kafka.deadletters import ADDED, dead_letter, headers_of, stub_of
from streams.kafka.private import Described, TopicLog
from streams.state.sources import (
    Mark,
    Source,
    log_name,
    other_log,
    other_partitions,
    other_record,
    source_fields,
    sources_in,
)
from streams.worker.careful import Careful

TOPIC = "case-events"
HERE = TP(TOPIC, 3)
RECORD = KafkaRecord(b"k", b"v", (("a", b"1"), ("b", None)), 1_000, 7)  # type: ignore[arg-type]


def described(cluster: str = "c", topic_id: str = "t", partitions: int = 6) -> Described:
    return Described(cluster, {TOPIC: TopicLog(topic_id, partitions)})


def test_sources_are_kept_in_a_head_and_read_back() -> None:
    sources = {
        TOPIC: Source("c/t", Mark.of(RECORD), 12),
        "scs-events": Source("c/", None, 0),
    }
    fields = {name: str(value).encode() for name, value in source_fields(sources).items()}
    assert sources_in(fields | {"offset:case-events": b"3"}) == sources


def test_a_log_is_another_one_only_where_both_ids_are_known() -> None:
    source = Source(log_name(described(), TOPIC))
    assert other_log(HERE, source, described()) is None
    assert "made again" in (other_log(HERE, source, described(topic_id="u")) or "")
    assert "another Kafka cluster" in (other_log(HERE, source, described(cluster="d")) or "")
    assert other_log(HERE, source, described("", "")) is None
    assert other_log(HERE, Source(), described()) is None
    assert other_log(HERE, source, Described("c", {})) is None


@pytest.mark.parametrize(
    "other",
    [
        RECORD._replace(key=None),
        RECORD._replace(value=b""),
        RECORD._replace(value=None),
        RECORD._replace(timestamp=1_001),
        RECORD._replace(headers=(("a", b"1"), ("b", b""))),
        RECORD._replace(headers=(("a1", b""), ("b", None))),  # type: ignore[arg-type]
    ],
)
def test_another_record_at_the_mark_is_told(other: KafkaRecord) -> None:
    source = Source("", Mark.of(RECORD))
    assert other_record(HERE, source, RECORD) is None
    assert other_record(HERE, source, None) is None
    assert "offset 7 is another one" in (other_record(HERE, source, other) or "")


def test_partitions_must_be_those_of_the_state_and_equal_in_a_group() -> None:
    assert other_partitions(TOPIC, 6, described()) is None
    assert other_partitions(TOPIC, None, described()) is None
    assert "8 partitions, but the state was made with 6" in (
        other_partitions(TOPIC, 6, described(partitions=8)) or ""
    )
    unequal = Described("c", {TOPIC: TopicLog("", 6), "scs-events": TopicLog("", 7)})
    assert "case-events has 6, scs-events has 7" in (other_partitions(TOPIC, 6, unequal) or "")


@given(st.lists(st.binary(max_size=8) | st.none(), min_size=7, max_size=7))
def test_whatever_headers_say_a_foreign_record_is_a_dead_letter_or_none(
    texts: list[bytes | None],
) -> None:
    headers = tuple(zip(ADDED, texts, strict=True))
    letter = dead_letter(KafkaRecord(b"k", b"v", headers, 0, 0))  # type: ignore[arg-type]
    if letter:
        assert letter.offset >= 0
        assert letter.tp.partition >= 0


def test_a_dead_letter_is_read_back_as_it_came_and_a_stub_says_that_it_is_one() -> None:
    rejection = Rejection("json", "not JSON")
    written = RECORD._replace(headers=tuple(headers_of(HERE, RECORD, rejection)))
    letter = dead_letter(written)
    assert letter is not None
    assert (letter.tp, letter.offset, letter.record) == (HERE, 7, RECORD)
    assert not letter.is_stub
    stub = dead_letter(stub_of(HERE, RECORD, rejection))
    assert stub is not None
    assert (stub.tp, stub.offset, stub.is_stub) == (HERE, 7, True)
    assert b"value_sha256" in (stub.record.value or b"")


@given(
    st.sets(st.integers(0, 60), min_size=1),
    st.integers(1, 9),
    st.integers(0, 70),
    st.none() | st.integers(0, 60),
)
def test_the_parts_of_a_batch_are_the_batch_and_a_suspect_is_alone(
    offsets: set[int], step: int, until: int, suspect: int | None
) -> None:
    records = [KafkaRecord(None, None, (), 0, offset) for offset in sorted(offsets)]
    batch = Batch(HERE, 1, 0, 70, records, 70)
    if suspect is not None:
        until = suspect + 1
    parts = list(Careful(until, step, suspect).parts(batch))
    assert [record for part in parts for record in part.records] == records
    assert (parts[0].start, parts[-1].end) == (0, 70)
    assert all(a.end == b.start for a, b in pairwise(parts))
    assert all(part.start <= it.offset < part.end for part in parts for it in part.records)
    if suspect is None:
        assert all(len(part.records) <= step for part in parts if part.end <= until)
    elif suspect in offsets:
        (alone,) = [p for p in parts if any(it.offset == suspect for it in p.records)]
        assert len(alone.records) == 1
