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
        {"schemas/datafile.py", "streams/october/compare.py", "streams/june/compare.py"},
    ),
    "writing CSV": (r"\bcsv\.(writer|DictWriter)\(", {"schemas/outward.py"}),
    "transactions of Kafka": (r"\bbegin_transaction\(", {"snapshots/releases/transactions.py"}),
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
