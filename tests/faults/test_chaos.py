"""Everything at once for a while: each kind of fault strikes, and nothing is lost or doubled."""

from pathlib import Path

import pytest

from tests.chaos.run import chaos
from tests.support.servers import Server
from tests.support.topics import remove_topics

pytestmark = [
    pytest.mark.services,
    pytest.mark.long,
    pytest.mark.timeout(900),
    pytest.mark.usefixtures("hook_secret"),
]

SEED, SECONDS = 9, 30.0


def test_under_every_kind_of_fault_nothing_is_lost_doubled_or_silent(
    kafka: Server, tmp_path: Path
) -> None:
    remove_topics(kafka.address)
    assert chaos(kafka, tmp_path, SECONDS, SEED, print) == []
