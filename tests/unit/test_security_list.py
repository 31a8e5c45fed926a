"""The list of docs/security.md is whole, and every test that it names is there."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROWS = re.findall(
    r"^\| ([\d., to]+) \| (.+?) \| (.+) \|$",
    (ROOT / "docs/security.md").read_text("utf-8"),
    re.MULTILINE,
)
# Of each section of ASVS 5.0.0, how many items are of the levels 1 and 2; they come first.
COUNTS = """
1.1:2 1.2:9 1.3:11 1.4:3 1.5:2 2.1:3 2.2:3 2.3:4 2.4:1 3.2:2 3.3:4 3.4:6 3.5:5
3.7:2 4.1:3 4.2:1 4.3:2 4.4:4 5.1:1 5.2:3 5.3:2 5.4:3 6.1:3 6.2:12 6.3:4 6.4:4
6.5:5 6.6:3 6.8:4 7.1:3 7.2:4 7.3:2 7.4:5 7.5:2 7.6:2 8.1:2 8.2:3 8.3:1 8.4:1
9.1:3 9.2:4 10.1:2 10.2:2 10.3:4 10.4:11 10.5:5 10.6:2 10.7:3 11.1:2 11.2:3
11.3:3 11.4:4 11.5:1 11.6:1 12.1:3 12.2:2 12.3:4 13.1:1 13.2:5 13.3:2 13.4:5
14.1:2 14.2:4 14.3:3 15.1:3 15.2:3 15.3:7 16.1:1 16.2:5 16.3:4 16.4:3 16.5:3
17.1:1 17.2:4 17.3:2
"""
ITEMS = {section: int(count) for section, _, count in (it.partition(":") for it in COUNTS.split())}
REASONS = ("Not here: ", "The operator: ", "In the docs: ", "Not held: ")


def numbers(text: str) -> list[str]:
    """The items that a row is of, one by one."""
    found = []
    for part in text.split(", "):
        first, _, last = part.partition(" to ")
        section, _, number = first.rpartition(".")
        end = (last or first).rpartition(".")[2]
        found += [f"{section}.{it}" for it in range(int(number), int(end) + 1)]
    return found


def test_every_item_of_the_first_two_levels_is_there_once() -> None:
    listed = [it for items, _, _ in ROWS for it in numbers(items)]
    asked = [f"{section}.{it + 1}" for section, count in ITEMS.items() for it in range(count)]
    assert sorted(listed) == sorted(asked)


def test_every_item_has_tests_that_there_are_or_a_reason() -> None:
    for items, _, held in ROWS:
        named = re.findall(r"`([\w/]+\.py)::(\w+)`", held)
        assert named or held.startswith(REASONS), items
        for file, name in named:
            text = (ROOT / "tests" / file).read_text("utf-8")
            assert re.search(rf"^(async )?def {name}\(", text, re.MULTILINE), (items, file, name)


def test_a_row_of_several_items_is_of_each() -> None:
    assert numbers("1.2.3, 4.5.6 to 4.5.8") == ["1.2.3", "4.5.6", "4.5.7", "4.5.8"]
