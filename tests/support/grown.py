"""The product with something added to it, as a contributor would add it: a copy with edits."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("schemas", "processors", "snapshots", "streams")
# What a recipe of CONTRIBUTING.md may take.
MOST_FILES = 3

# Of each file, what is put in after which text; a file without such a text is a new one.
Additions = Mapping[str, Mapping[str, str]]


def grown(folder: Path, additions: Additions) -> Path:
    """A copy of the product in a folder, with additions to few files; the folder."""
    assert len(additions) <= MOST_FILES
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    for name, added in additions.items():
        path = folder / name
        text = path.read_text("utf-8") if path.exists() else ""
        for after, more in added.items():
            assert text.count(after) == 1 or (after, text) == ("", "")
            text = text.replace(after, after + more, 1)
        path.write_text(text, "utf-8")
    return folder


def said(folder: Path, program: str, *arguments: str) -> Any:
    """What a program that runs on the copy prints, as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
