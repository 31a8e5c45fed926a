"""README and docs are kept true: their examples, tables, links and codes are those of the code."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from processors.record.decoding import decode
from processors.record.quality import EXPLANATIONS
from schemas.catalogue import load_catalogue
from schemas.events.registry import VALIDATORS
from schemas.scorecard import Status
from schemas.settings import Settings
from streams.cli import app
from streams.kafka.deadletters import ADDED
from tests.support.pages import anchors

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
OPERATING = (ROOT / "docs/operating.md").read_text("utf-8")
EVENTS = (ROOT / "docs/events.md").read_text("utf-8")
INDICATORS = (ROOT / "docs/indicators.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def settings_table() -> str:
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else f"`{field.default}`"
        lines.append(f"| `CASELINE_{name.upper()}` | {default} | {field.description} |")
    return "\n".join(lines)


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```|`[^`\n]*`", "", text, flags=re.DOTALL | re.MULTILINE)


def event_types(schema: Any) -> Iterator[str]:
    """The event types that a JSON Schema names."""
    if isinstance(schema, dict):
        named = schema.get("properties", {}).get("type", {})
        yield from named.get("enum", [named["const"]] if "const" in named else [])
        for part in schema.values():
            yield from event_types(part)


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
        [Path(sys.executable).with_name("caseline"), *arguments],
        cwd=tmp_path,
        env={},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == printed


def test_the_readme_is_short() -> None:
    assert len(README.split()) < 1_200


def test_the_docs_have_every_setting_with_its_default() -> None:
    assert settings_table() in OPERATING


def test_settings_in_the_readme_are_settings_with_their_defaults() -> None:
    rows = re.findall(r"^(\| `CASELINE_\w+` \| .*) \|$", README, flags=re.MULTILINE)
    assert rows
    assert all(f"\n{row} |" in settings_table() for row in rows)


def test_the_docs_have_every_command() -> None:
    for name in get_command(app).commands:  # type: ignore[attr-defined]
        assert re.search(rf"^\| `{name}\b", OPERATING, flags=re.MULTILINE), name


def test_the_docs_have_every_indicator_and_every_status() -> None:
    rows = re.findall(r"^\|.*\|$", INDICATORS, flags=re.MULTILINE)
    named = {cell.strip() for row in rows for part in row.split("|") for cell in part.split(",")}
    assert {indicator.code for indicator in load_catalogue().indicator} <= named
    for status in Status.__args__:  # type: ignore[attr-defined]
        assert f"\n| `{status}` |" in INDICATORS


@pytest.mark.parametrize("topic", VALIDATORS)
def test_the_docs_have_every_event_type_on_its_topic(topic: str) -> None:
    (section,) = (part for part in EVENTS.split("\n## ") if f"\nTopic `{topic}`" in part)
    types = set(event_types(VALIDATORS[topic].json_schema()))
    assert "event.retracted" in types
    for name in types:
        assert f"\n| `{name}` |" in section


def test_the_docs_have_every_odd_fact_and_every_header_of_a_dead_letter() -> None:
    for kind in EXPLANATIONS:
        assert f"\n| `{kind}` |" in EVENTS
    for header in ADDED:
        assert f"\n| `{header}` |" in EVENTS


def test_reasons_of_dead_letters_are_those_that_the_docs_name() -> None:
    messages = [
        (b"", None, []),
        (b"", b"[]", []),
        (b"", b'{"type": "none"}', []),
        (b"", None, [("ce_specversion", b"1.0"), ("ce_revision", b"x")]),
    ]
    reasons = {rejection.reason for _, rejection in decode("case-events", messages).rejected}
    assert reasons == {"json", "type", "headers"}
    assert all(f"`{reason}` (" in EVENTS for reason in reasons | {"key", "time"})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", without_code(page.read_text("utf-8"))):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path) if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_in_the_docs_are_commands(page: Path) -> None:
    names = set(get_command(app).commands)  # type: ignore[attr-defined]
    named = re.findall(
        r"(?:`|^|bin/)caseline ([a-z][a-z-]*)", page.read_text("utf-8"), re.MULTILINE
    )
    assert set(named) <= names
