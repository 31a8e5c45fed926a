"""Replaying the example logs gives the given answers, however the lines come."""

import random
from collections.abc import Callable
from datetime import date

import pytest

from processors.figures.figure_text import as_csv
from processors.rules import Rules
from streams.jobs.replay import Replay
from streams.kafka.eventfiles import EventLine, read_events
from tests.support.examples import BAD_LINES, DATES, LOGS, answered, answers, good_lines, log_file

Batches = list[list[EventLine]]


def in_batches_of(size: int, lines: list[EventLine]) -> Batches:
    return [lines[start : start + size] for start in range(0, len(lines), size)]


def shuffled(lines: list[EventLine]) -> list[EventLine]:
    return random.Random(2015).sample(lines, len(lines))


WAYS: dict[str, Callable[[list[EventLine]], Batches]] = {
    "as they are": lambda lines: [lines],
    "shuffled": lambda lines: [shuffled(lines)],
    "backwards, in batches of 97": lambda lines: in_batches_of(97, lines[::-1]),
    "every line twice, shuffled": lambda lines: in_batches_of(500, shuffled(lines * 2)),
    "all of them and all of them again": lambda lines: [lines, lines],
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("log", LOGS)
def test_replay_equals_the_answers_in_every_cell(rules: Rules, log: str, way: str) -> None:
    replay = Replay(rules)
    for batch in WAYS[way](good_lines(log_file(log))):
        replay.add(batch)
    for day in DATES:
        assert answered(as_csv(replay.rows(day))) == answers(log, day)


def test_lines_one_by_one_give_the_same(rules: Rules) -> None:
    one_by_one, at_once = Replay(rules), Replay(rules)
    lines = good_lines(log_file("messy-11"))[:400]
    for line in lines:
        one_by_one.add([line])
    at_once.add(lines)
    assert one_by_one.rows(DATES[1]) == at_once.rows(DATES[1])


@pytest.mark.parametrize("log", LOGS)
def test_bad_lines_are_told_with_number_bytes_and_reason(log: str) -> None:
    judged = list(read_events(log_file(log)))
    bad = [line for some in judged for line in some.bad]
    good = [line for some in judged for line in some.good]
    assert len(bad) == BAD_LINES
    assert not {line.number for line in bad} & {line.number for line in good}
    assert all(line.value and line.rejection.message for line in bad)


def test_previous_is_the_figure_of_the_last_day_of_the_month_before(rules: Rules) -> None:
    replay = Replay(rules)
    replay.add(good_lines(log_file("messy-11")))
    now, before = replay.rows(date(2015, 10, 17)), replay.rows(date(2015, 9, 30))
    assert [row.previous for row in now] == [row.value for row in before]
