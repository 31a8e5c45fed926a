"""An exported audit log: whatever is missing, altered or out of place shows."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from schemas.audit_entries import AuditEntry
from streams.cli import app
from streams.kafka.audit_chain import AuditChains


def chained(chain: str, length: int) -> list[bytes]:
    lines: list[bytes] = []
    previous = ""
    for number in range(1, length + 1):
        entry = AuditEntry(
            deployment="test",
            chain=chain,
            number=number,
            previous=previous,
            at=datetime(2015, 10, 1, tzinfo=UTC),
            who="ann",
            roles=("analyst",),
            route="cases",
            query=f"page={number}",
            result="shown",
        )
        lines.append(entry.model_dump_json().encode())
        previous = hashlib.sha256(lines[-1]).hexdigest()
    return lines


def faults(lines: list[bytes]) -> list[str]:
    return [it.text for it in AuditChains().faults(it + b"\n" for it in lines)]


@given(st.integers(0, 6), st.integers(0, 6), st.randoms(use_true_random=False))
def test_chains_of_several_processes_are_followed_side_by_side(
    one: int, other: int, random: object
) -> None:
    waiting = [chained("a", one), chained("b", other)]
    lines: list[bytes] = []
    while any(waiting):
        chain = random.choice([it for it in waiting if it])  # type: ignore[attr-defined]
        lines.append(chain.pop(0))
    chains = AuditChains()
    assert not list(chains.faults(lines))
    assert chains.entries == one + other


@given(st.integers(2, 6), st.data())
def test_an_entry_that_is_gone_shows_unless_it_was_the_last(
    length: int, data: st.DataObject
) -> None:
    lines = chained("a", length)
    at = data.draw(st.integers(0, length - 2))
    del lines[at]
    assert len(faults(lines)) == 1
    assert "missing" in faults(lines)[0]


@given(st.integers(2, 6), st.data())
def test_an_altered_entry_shows_unless_it_was_the_last(length: int, data: st.DataObject) -> None:
    lines = chained("a", length)
    at = data.draw(st.integers(0, length - 2))
    lines[at] = lines[at].replace(b'"ann"', b'"bob"')
    (fault,) = faults(lines)
    assert "altered" in fault


def test_entries_that_changed_places_or_are_none_show() -> None:
    first, second, third = chained("a", 3)
    assert faults([second, first, third])
    assert faults([first, first])
    assert faults([first, b"{}", second]) == ["this is no entry of the audit log"]


@pytest.mark.parametrize(
    ("altered", "code", "said"), [(False, 0, "none was altered"), (True, 4, "1 wrong")]
)
def test_the_command_says_so(altered: bool, code: int, said: str, tmp_path: Path) -> None:
    lines = chained("a", 3)
    if altered:
        lines[1] = lines[1].replace(b'"ann"', b'"bob"')
    file = tmp_path / "audit.jsonl"
    file.write_bytes(b"".join(it + b"\n" for it in lines))
    done = CliRunner().invoke(app, ["audit", "verify", str(file)])
    assert done.exit_code == code, done.output
    assert said in done.stderr
    assert ("line 3" in done.stdout) is altered
