"""The README is kept true: its example, its settings and its commands are those of the code."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

from typer.main import get_command

from schemas.settings import Settings
from streams.cli import app

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)


def settings_table() -> str:
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else f"`{field.default}`"
        lines.append(f"| `CASELINE_{name.upper()}` | {default} | {field.description} |")
    return "\n".join(lines)


def test_the_worked_example_prints_what_the_readme_says(tmp_path: Path) -> None:
    example = next(index for index, (_, text) in enumerate(BLOCKS) if "family.jsonl <<" in text)
    script, printed = BLOCKS[example][1], BLOCKS[example + 1][1]
    events = re.search(r"<<'EVENTS'\n(.*)^EVENTS$", script, flags=re.DOTALL | re.MULTILINE)
    command = re.search(r"^\.venv/bin/caseline (.*)", script, flags=re.DOTALL | re.MULTILINE)
    assert events
    assert command
    (tmp_path / "family.jsonl").write_text(events[1], "utf-8")
    arguments = shlex.split(command[1].replace("\\\n", " "))
    run = subprocess.run(
        [sys.executable, "-m", "streams.cli", *arguments],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == printed


def test_the_readme_has_every_setting_with_its_default() -> None:
    assert settings_table() in README


def test_the_readme_has_every_command() -> None:
    for name in get_command(app).commands:  # type: ignore[attr-defined]
        assert re.search(rf"^\| `{name}\b", README, flags=re.MULTILINE), name
