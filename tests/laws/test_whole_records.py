"""A record that is read at once is what it is when it is read piece by piece."""

from typing import Any
from unittest.mock import patch

from hypothesis import given, settings

from processors.record import record as record_module
from processors.record.decoding import decode
from processors.record.longcases import LongCase
from processors.record.personal import Personal
from processors.record.record import Record, decode_record
from processors.rules import Rules
from schemas.catalogue import load_catalogue
from schemas.events.registry import CASE_TOPIC, topics_in
from tests.support.south_east import south_east_areas
from tests.support.strategies import History, histories

RULES = Rules(load_catalogue(), south_east_areas())


def all_of(thing: Any) -> Any:
    """What lies in an object, and in those in it."""
    if type(thing) in (Record, Personal, LongCase):
        return {name: all_of(getattr(thing, name)) for name in type(thing).__slots__}
    if isinstance(thing, dict):
        return [(name, all_of(it)) for name, it in thing.items()]
    return thing


@settings(max_examples=20, deadline=None)
@given(histories())
def test_a_record_read_at_once_is_what_it_is_read_piece_by_piece(history: History) -> None:
    records: dict[str, Record] = {}
    for topic in topics_in(CASE_TOPIC):
        messages = [line.message for line in history.lines if topic in line.topics]
        for child, event in decode(topic, messages).events:
            records.setdefault(child, Record()).apply(event, RULES.make_row)
    for record in records.values():
        encoded = record.encode()
        for long, large in ((record_module.LONG, record_module.LARGE), (2, 200)):
            with patch.multiple(record_module, LONG=long, LARGE=large):
                at_once = decode_record(encoded, RULES.make_row)
                with patch.object(record_module, "whole_in", lambda _: None):
                    by_pieces = decode_record(encoded, RULES.make_row)
            assert all_of(at_once) == all_of(by_pieces)
