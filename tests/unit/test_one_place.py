"""What is done in one place is done nowhere else; and that place spells keys as they are stored."""

import re
from pathlib import Path

import pytest

from streams import keys

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("schemas", "processors", "snapshots", "streams")
ONE_PLACE = {
    "keys of Redis": (r'f"caseline:\{\{', {"streams/keys.py"}),
    "a watched step of Redis": (r"\.watch\(|WatchError", {"streams/state/fence.py"}),
    "bringing a file to the disk": (r"\bfsync\(", {"snapshots/releases/durable.py"}),
    # What ships with the events of the published scorecards is no model's.
    "reading TOML": (
        r"\btomllib\.loads?\(",
        {
            "schemas/datafile.py",
            "streams/october/compare_october.py",
            "streams/june/compare_june.py",
        },
    ),
    "writing CSV": (r"\bcsv\.(writer|DictWriter)\(", {"schemas/outward.py"}),
    # Those of releases and alerts wait in a thread; nothing of a worker may wait so.
    "transactions of Kafka": (
        r"\bbegin_transaction\(",
        {"snapshots/releases/transactions.py", "streams/kafka/deadletters.py"},
    ),
}


@pytest.mark.parametrize("what", ONE_PLACE)
def test_it_stands_once(what: str) -> None:
    pattern, places = ONE_PLACE[what]
    found = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if re.search(pattern, path.read_text("utf-8"))
    }
    assert found == places


def test_keys_of_a_shard_share_a_hash_tag_and_those_of_deployments_never_meet() -> None:
    assert keys.of_deployment("kent") == "caseline:{kent}"
    assert keys.of_shard("kent", "case-events", 3) == "caseline:{kent:case-events:3}"


# The recount is a second opinion: its parts may be called as those that it is a second opinion on.
# A command's module is called as the command is.
NAMED_AS_OTHERS = ("snapshots/recount/", "streams/terminal/commands/")


def _modules() -> list[Path]:
    return [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]


def test_a_class_is_named_as_no_other_is() -> None:
    places: dict[str, list[str]] = {}
    for path in _modules():
        for name in re.findall(r"^class (\w+)", path.read_text("utf-8"), re.MULTILINE):
            places.setdefault(name, []).append(path.relative_to(ROOT).as_posix())
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_a_module_is_named_as_no_other_is() -> None:
    places: dict[str, list[str]] = {}
    for path in _modules():
        where = path.relative_to(ROOT).as_posix()
        if path.name != "__init__.py" and not where.startswith(NAMED_AS_OTHERS):
            places.setdefault(path.stem, []).append(where)
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
