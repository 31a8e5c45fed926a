"""Replaying the logs of every topic gives the given answers at every kind of place."""

import ast
import random
from pathlib import Path

import pytest
from typer.testing import CliRunner

from processors.figures.figure_text import as_csv
from processors.rules import Rules
from schemas.catalogue import load_catalogue
from streams.cli import app
from streams.jobs.replay import Replay
from streams.kafka.eventfiles import read_events
from tests.support.all_answers import BAD_LINES, DATES, LOGS, answers, disagreements
from tests.support.examples import good_lines, log_file

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("log", LOGS)
def test_the_command_prints_the_answers_at_every_level(log: str, rules: Rules) -> None:
    levels = [part for level in rules.graph.levels for part in ("--level", level)]
    for day in DATES:
        arguments = ["replay", str(log_file(log)), "--as-of", str(day), *levels]
        run = CliRunner().invoke(app, [*arguments, "--format", "csv"])
        assert run.exit_code == 0, run.output
        assert disagreements(run.stdout, answers(log, day)) == {}


@pytest.mark.parametrize("log", LOGS)
def test_shuffled_and_every_line_twice_in_batches_gives_the_same(log: str, rules: Rules) -> None:
    lines, replay = good_lines(log_file(log)) * 2, Replay(rules)
    random.Random(2017).shuffle(lines)
    for start in range(0, len(lines), 700):
        replay.add(lines[start : start + 700])
    for day in DATES:
        text = as_csv(replay.rows(day, rules.graph.levels))
        assert disagreements(text, answers(log, day)) == {}


@pytest.mark.parametrize("log", LOGS)
def test_each_log_has_fourteen_bad_lines(log: str) -> None:
    bad = [line for judged in read_events(log_file(log)) for line in judged.bad]
    assert len(bad) == BAD_LINES


@pytest.mark.parametrize("package", ["processors", "schemas", "snapshots", "streams"])
def test_no_code_of_an_indicator_is_a_literal_in_the_product(package: str) -> None:
    """What an indicator is stands in the catalogue alone; the demonstration of a month is data."""
    codes = {it.code for it in load_catalogue().indicator}
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.value}"
        for path in sorted((ROOT / package).rglob("*.py"))
        if not path.is_relative_to(ROOT / "streams/october")
        and path != ROOT / "streams/terminal/demonstrations/october.py"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and node.value in codes
    ]
    assert found == []
