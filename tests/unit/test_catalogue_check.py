"""`caseline catalogue check`: what is wrong with a file of indicators is said in a line."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.cli import app

GOOD = """
direction = "change"
[[scheme]]
name = "ours"
families = ["Ours"]
direction = "improvement"
rag = "target"
[[target]]
code = "A1"
year = 2017
target = 1.0
[[measure]]
name = "open"
of = "case"
state = "open"
[[indicator]]
code = "A1"
title = "Open cases"
definition = "Cases open on the day."
family = "Ours"
frequency = "M"
unit = "count"
polarity = "L"
bands = "none"
levels = ["county"]
numerator = { open = 1 }
"""


def test_a_file_in_which_every_name_resolves_is_good(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.toml"
    path.write_text(GOOD, "utf-8")
    run = CliRunner().invoke(app, ["catalogue", "check", str(path)])
    assert run.exit_code == 0, run.output
    assert "1 indicators, 1 of them computed" in run.stdout


@pytest.mark.parametrize(
    ("change", "by", "code", "said"),
    [
        ('families = ["Ours"]', 'families = ["Theirs"]', 1, "scheme ours: has no Theirs"),
        ('[[target]]\ncode = "A1"', '[[target]]\ncode = "B2"', 1, "target of no indicator: B2"),
        ("year = 2017", "year = 17", 1, "target.0.year"),
        ("{ open = 1 }", "{ shut = 1 }", 1, "no measure called shut"),
        ("name = ", "name ", 1, "cannot be used"),
        ('levels = ["county"]', 'levels = ["moon"]', 2, "moon"),
    ],
)
def test_what_is_wrong_is_said_and_ends_with_a_code(
    tmp_path: Path, change: str, by: str, code: int, said: str
) -> None:
    assert change in GOOD
    path = tmp_path / "catalogue.toml"
    path.write_text(GOOD.replace(change, by, 1), "utf-8")
    run = CliRunner().invoke(app, ["catalogue", "check", str(path)], env={"COLUMNS": "300"})
    assert run.exit_code == code
    assert said in run.stderr
