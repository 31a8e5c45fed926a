"""What is behind a figure that others supply: what they supplied, and who they are."""

import csv
import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from streams.cli import app

SUPPLIED: dict[str, Any] = {
    "specversion": "1.0",
    "id": "1",
    "source": "urn:returns",
    "type": "measure.supplied",
    "subject": "Dover",
    "partitionkey": "Dover",
    "time": "2017-06-20T09:00:00Z",
    "data": {
        "code": "EH36",
        "area": "Dover",
        "age_band": "all",
        "period": "2017-06",
        "numerator": 3,
        "denominator": 12,
        "status": "supplied",
        "provenance": "youth justice, June return",
    },
}


def cases(folder: Path, *arguments: str, code: str = "EH36") -> Result:
    path = folder / "events.jsonl"
    event = {**SUPPLIED, "data": {**SUPPLIED["data"], "code": code}}
    path.write_text(json.dumps(event), "utf-8")
    chosen = ["cases", code, "--file", str(path), "--as-of", "2017-06-30", "--format", "csv"]
    return CliRunner().invoke(app, [*chosen, *arguments])


def test_behind_a_supplied_figure_is_what_was_supplied_with_its_provenance(tmp_path: Path) -> None:
    run = cases(tmp_path, "--place", "Dover")
    assert run.exit_code == 0, run.output
    assert list(csv.DictReader(run.stdout.splitlines())) == [
        {
            "numerator": "3.0",
            "denominator": "12.0",
            "value": "",
            "status": "supplied",
            "provenance": "youth justice, June return",
        }
    ]


def test_where_nothing_was_supplied_there_is_nothing_behind_it(tmp_path: Path) -> None:
    run = cases(tmp_path, "--place", "Thanet")
    assert list(csv.DictReader(run.stdout.splitlines())) == []


def test_behind_a_figure_that_is_supplied_as_nothing_is_counted_is_what_was_supplied(
    tmp_path: Path,
) -> None:
    run = cases(tmp_path, "--place", "Dover", code="EH15")
    (row,) = csv.DictReader(run.stdout.splitlines())
    assert (row["numerator"], row["provenance"]) == ("3.0", "youth justice, June return")
