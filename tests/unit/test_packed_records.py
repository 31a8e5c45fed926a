"""Small records as they are stored: packed by what those of their shard share."""

from threading import Event
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zstandard import ZstdCompressionDict, train_dictionary

from examples.workload import case_events
from processors.fold import Partition
from processors.record.decoding import decode
from processors.record.record import LARGE, Written, seal
from processors.rules import Rules
from streams.state import packing as packing_module
from streams.state.integrity import SEAL_BYTES, apart_in, number_in, opened, sealed
from streams.state.packing import AS_IS, Packing, Unpacking, unpack, unpacking
from tests.support.patience import SECONDS, wait_for

SAMPLES = 250


def written(number: int, piece: bytes) -> Written:
    return Written(piece, 0, 0, seal(f"P{number}", piece), number)


@pytest.fixture(scope="module")
def records(rules: Rules) -> list[Written]:
    """Records as a shard has them."""
    state = Partition(rules)
    messages = [(key, value, ()) for key, value in case_events(6_000)]
    state.fold_unstored(decode("case-events", messages).events)
    pieces = [it.piece for it in state.settle().records.values()]
    return [written(number, piece) for number, piece in enumerate(pieces)]


@pytest.fixture(scope="module")
def learnt(records: list[Written]) -> tuple[Packing, Unpacking]:
    """How a shard packs once it has seen some, and what undoes it."""
    with patch.multiple(packing_module, FIRST=SAMPLES, SAMPLES=SAMPLES, MANY=1):
        packing = Packing({})
        assert packing.learn(records[: SAMPLES - 1], SAMPLES - 1) is None
        assert packing.learn(records[: SAMPLES - 1], SAMPLES) is None
        dictionary = packing.learn(records[SAMPLES - 1 : SAMPLES], SAMPLES)
    assert dictionary is not None
    return packing, unpacking({packing.number: dictionary})


def test_records_take_two_thirds_of_their_bytes_at_most_and_are_the_same_when_read(
    records: list[Written], learnt: tuple[Packing, Unpacking]
) -> None:
    packing, by = learnt
    others = records[SAMPLES:]
    stored = sealed(others, packing)
    for it, place in zip(others, stored, strict=True):
        assert opened(f"P{it.number}", place, by) == it.piece
        assert number_in(place) == it.number
        assert apart_in(place) is None
    assert len(others) > SAMPLES
    assert 3 * sum(map(len, stored)) < 2 * sum(len(it.piece) for it in others)


def test_a_packed_record_is_read_by_no_other_dictionary_than_its_own(
    records: list[Written], learnt: tuple[Packing, Unpacking]
) -> None:
    packing, by = learnt
    with patch.multiple(packing_module, FIRST=SAMPLES, SAMPLES=SAMPLES, MANY=1):
        another = Packing({}).learn(records[-SAMPLES:], SAMPLES)
    assert another
    (place,) = sealed(records[:1], packing)
    for wrong in ({}, unpacking({1: another}), {2: by[1]}):
        assert opened("P0", place, wrong) is None
    assert opened("P1", place, by) is None
    assert opened("P0", place, by) == records[0].piece


def test_a_shard_that_is_taken_over_packs_by_the_last_of_its_dictionaries(
    records: list[Written],
) -> None:
    with patch.multiple(packing_module, FIRST=SAMPLES, SAMPLES=SAMPLES, MANY=1):
        packing = Packing({})
        first, second = (packing.learn(it, SAMPLES**2) for it in (records, records[SAMPLES:]))
    assert first
    assert second
    again = Packing({1: first, 2: second})
    pieces = [it.piece for it in records]
    assert again.pack(pieces) == packing.pack(pieces)
    assert {number for number, _ in again.pack(pieces)} == {2}


def test_what_has_nothing_in_common_is_stored_as_it_is() -> None:
    empty = [written(number, b"") for number in range(SAMPLES)]
    with patch.multiple(packing_module, FIRST=SAMPLES, SAMPLES=SAMPLES, MANY=1):
        packing = Packing({})
        assert packing.learn(empty, SAMPLES) is None
    assert packing.number == AS_IS
    assert packing.pack([b"any", b""]) == [(AS_IS, b"any"), (AS_IS, b"")]


def test_few_records_do_not_wait_for_a_dictionary_and_are_packed_by_it_once_it_is_there(
    records: list[Written],
) -> None:
    may_go_on = Event()

    def trained(size: int, samples: list[bytes | bytearray | memoryview]) -> ZstdCompressionDict:
        assert may_go_on.wait(SECONDS)
        return train_dictionary(size, samples)

    with patch.multiple(packing_module, FIRST=SAMPLES, SAMPLES=SAMPLES, train_dictionary=trained):
        packing = Packing({})
        assert packing.learn(records[:SAMPLES], SAMPLES) is None
        assert packing.learn(records[SAMPLES : 2 * SAMPLES], 2 * SAMPLES) is None
        assert packing.pack([records[0].piece]) == [(AS_IS, records[0].piece)]
        may_go_on.set()
        found: list[bytes] = []

        def is_there() -> bool:
            dictionary = packing.learn([], 2 * SAMPLES)
            found.extend([dictionary] if dictionary else [])
            return bool(found)

        wait_for(is_there, "the dictionary")
    assert packing.pack([records[0].piece]) == Packing({1: found[0]}).pack([records[0].piece])
    assert packing.number == 1


@settings(deadline=None)
@given(piece=st.binary(max_size=LARGE - 1))
def test_any_bytes_come_back_as_they_were(learnt: tuple[Packing, Unpacking], piece: bytes) -> None:
    packing, by = learnt
    (place,) = sealed([written(7, piece)], packing)
    assert len(place) <= len(piece) + 9
    assert opened("P7", place, by) == piece


@settings(deadline=None)
@given(at=st.integers(min_value=0), bit=st.integers(0, 7), longer=st.binary(max_size=20))
def test_damage_is_never_read_as_another_record(
    records: list[Written],
    learnt: tuple[Packing, Unpacking],
    at: int,
    bit: int,
    longer: bytes,
) -> None:
    packing, by = learnt
    it = records[at % len(records)]
    (whole,) = sealed([it], packing)
    place = bytearray(whole)
    at %= len(place)
    place[at] ^= 1 << bit
    for damaged in (bytes(place), bytes(place[:at]), longer + whole, longer):
        assert opened(f"P{it.number}", damaged, by) in {None, it.piece}


def test_a_frame_that_promises_gigabytes_is_refused(
    learnt: tuple[Packing, Unpacking],
) -> None:
    _, by = learnt
    # A single segment whose size has eight bytes (RFC 8878, 3.1.1.1).
    assert unpack(b"\xe0" + (2**40).to_bytes(8, "little") + bytes(SEAL_BYTES), 1, by) is None
