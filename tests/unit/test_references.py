"""What code says of the documents is there: every page, section and anchor that a file names."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.pages import anchor_of, anchors, headings

ROOT = Path(__file__).resolve().parents[2]
TEXTS = {".py", ".toml", ".yml", ".sh", ".md", ".html", ".typ", ""}
LISTED = subprocess.run(
    ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
).stdout.splitlines()
# All but this one, which has references that lead nowhere.
FILES = [
    name
    for name in LISTED
    if Path(name).suffix in TEXTS and "/data/" not in name and not __file__.endswith(name)
]
# A page, and the section that is named after it or before it.
PAGE = re.compile(
    r"((?:\.\./)?\b(?:docs/)?(?:decisions/)?[\w@-]+\.md)\b(?:#([\w-]+)|, ([A-Z][\w ]*))?"
)
BEFORE = re.compile(r'(?:"([A-Z][\w ]+)"|\bsee (Caseline\w+)) in (docs/[\w/-]+\.md)')


def prose(path: Path) -> str:
    """A file's text as it is read: without the ends of lines within a sentence or a literal."""
    text = re.sub(r"[\"']?\n\s*(?:#|\"(?!\"\")|f\"|\*)?\s*", " ", path.read_text("utf-8"))
    return re.sub(r"\s+", " ", text)


def is_section(words: str, page: Path) -> bool:
    """Whether words begin with a section's name, or several sections begin with the words."""
    names = [f"{it} " for it in headings(page)]
    return any(f"{words} ".startswith(it) or it.startswith(f"{words} ") for it in names)


def is_there(reference: re.Match[str], place: Path) -> bool:
    """Whether there is what a reference in a file names."""
    name, anchor, section = reference.groups()
    near = (ROOT / name, place.parent / name, ROOT / "docs" / name.removeprefix("../"))
    page = next((it for it in near if it.is_file()), None)
    if page is None or (anchor and anchor not in anchors(page)):
        return False
    return section is None or is_section(section, page)


def missing(path: Path) -> list[str]:
    """The references of a file that lead nowhere."""
    text = prose(path)
    found = [it[0] for it in PAGE.finditer(text) if not is_there(it, path)]
    for section, alert, page in BEFORE.findall(text):
        if anchor_of(section or alert) not in anchors(ROOT / page):
            found.append(f"{section or alert} in {page}")
    return found


@pytest.mark.parametrize("name", FILES)
def test_every_page_and_section_that_a_file_names_is_there(name: str) -> None:
    assert missing(ROOT / name) == []


@pytest.mark.parametrize(
    "text",
    [
        "(docs/indicators.md, Wards)",
        "see docs/wards.md",
        "docs/runbook.md#caselinewards",
        'see "A key of no type" in docs/runbook.md',
        '"(docs/runbook.md, Partitions "\n    "changing)"',
    ],
)
def test_a_reference_that_leads_nowhere_is_found(text: str, tmp_path: Path) -> None:
    (tmp_path / "some.py").write_text(text)
    assert len(missing(tmp_path / "some.py")) == 1
