"""What tests share lies in tests.support and tests.reference, where each thing is found once."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TESTS = sorted(ROOT.glob("tests/*/test_*.py"))
SHARED = sorted([*ROOT.glob("tests/support/*.py"), *ROOT.glob("tests/reference/*.py")])
# What brute force is held against.
PRODUCT = {"processors", "snapshots", "streams"}


def imported(path: Path) -> Iterator[str]:
    """Every module that a file names in an import, whole."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (it.name for it in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{it.name}" for it in node.names)


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", [*TESTS, *SHARED], ids=named)
def test_nothing_is_imported_from_another_test_or_from_the_benchmarks(path: Path) -> None:
    places = [it.split(".") for it in imported(path)]
    assert [it for it in places if it[0] == "bench"] == []
    assert [it for it in places if any(part.startswith("test_") for part in it[:-1])] == []


@pytest.mark.parametrize("path", sorted(ROOT.glob("tests/reference/*.py")), ids=named)
def test_brute_force_imports_nothing_of_what_it_is_held_against(path: Path) -> None:
    assert [it for it in imported(path) if it.split(".")[0] in PRODUCT] == []


def test_commands_import_what_starts_them_without_making_folders_that_one_killed_would_leave(
    tmp_path: Path,
) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    end = "import tests.support.commands, os; os._exit(0)"
    subprocess.run([sys.executable, "-c", end], cwd=ROOT, env=environment, check=True)
    assert list(tmp_path.iterdir()) == []
