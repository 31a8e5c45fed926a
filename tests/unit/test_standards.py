"""Standards are data; a file that does not fit is refused, and commands say why."""

from importlib.resources import files
from pathlib import Path

import pytest
from typer.testing import CliRunner

from schemas.catalogue import load_catalogue
from schemas.standards import load_standards
from streams.cli import app

SHIPPED = (files("schemas") / "data/standards.toml").read_bytes()

WRONG = {
    "no indicator": SHIPPED.replace(b'indicator = "EH16"', b'indicator = "EH99"'),
    "a rate": SHIPPED.replace(b'indicator = "EH16"', b'indicator = "EH02"'),
    "of a population": SHIPPED.replace(b'indicator = "EH16"', b'indicator = "EH26"'),
    "supplied": SHIPPED.replace(b'indicator = "EH16"', b'indicator = "EH36"'),
    "of the district": SHIPPED.replace(b'indicator = "EH16"', b'indicator = "CEH42"'),
    "no polarity": SHIPPED.replace(b'indicator = "EH16"', b'indicator = "EH01"'),
    "named twice": SHIPPED.replace(b"unit-plan", b"unit-contact"),
    "warns too early": SHIPPED.replace(b"due_soon = 3", b"due_soon = 10", 1),
    "no number": SHIPPED.replace(b"target = 80.0", b"target = nan", 1),
    "without end": SHIPPED.replace(b"clear_by = 2.0", b"clear_by = inf"),
    "a date": b"since = 2015-01-01\n" + SHIPPED,
    "no TOML": b"[[standard]\n",
    "no text": b"\xff",
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_file_that_breaks_a_rule_is_refused_and_commands_say_so(
    wrong: str, tmp_path: Path
) -> None:
    path = tmp_path / "standards.toml"
    path.write_bytes(WRONG[wrong])
    with pytest.raises(ValueError):  # noqa: PT011 - what all of them have in common
        load_standards(load_catalogue(), path)
    environment = {"CASELINE_STANDARDS_FILE": str(path), "COLUMNS": "200"}
    run = CliRunner().invoke(app, ["alerts", "list"], env=environment)
    assert run.exit_code == 1
    assert isinstance(run.exception, SystemExit)
    assert run.stderr.startswith("caseline: ")


def test_what_ships_fits() -> None:
    assert len(load_standards(load_catalogue()).standard) == 11
