"""What pages say beside figures and carry along: commentary, few cases, filters, last release."""

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from processors.rules import Rules
from schemas.settings import Settings
from streams.clock import Clock
from streams.serving.identity import Identity
from streams.serving.roles import Role
from tests.support.ports import free_ports
from tests.support.redis_servers import server
from tests.support.served import Served, one_with
from tests.support.stored_state import StoredState

pytestmark = pytest.mark.services

DATA = Path(__file__).parents[1] / "data"
NOW = datetime(2017, 7, 3, 12, tzinfo=UTC)
ANALYST, VIEWER = one_with(Role.ANALYST), one_with(Role.VIEWER)
THANET = one_with(Role.MANAGER, places=frozenset({"Thanet"}))


@pytest.fixture(scope="module")
def served(rules: Rules, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    releases = tmp_path_factory.mktemp("releases")
    shutil.copytree(DATA / "release-format-1", releases / "2015-10" / "001")
    (port,) = free_ports(1)
    settings = Settings(
        redis_url=f"redis://127.0.0.1:{port}/0",
        kafka_bootstrap="localhost:1",
        deployment=f"test-{uuid4().hex[:12]}",
        releases=releases,
    )
    with server(tmp_path_factory.mktemp("redis"), port):
        StoredState(settings, rules).add_file(DATA / "all-21.jsonl.gz")
        yield Served(settings, rules, Clock(NOW - datetime.now(UTC)))


def page(served: Served, path: str, who: Identity = ANALYST) -> str:
    answer = served.ask(path, who, headers={"accept": "text/html"})
    assert answer.status_code == 200, (path, answer.text)
    return answer.text


def test_what_was_written_of_a_figure_is_beside_it_for_who_sees_it_in_full(served: Served) -> None:
    # Of June, which is over, live in July and as at its end; of no other month and place.
    for path in ("/indicators/EH16", "/indicators/EH16?as_of=2017-06-30"):
        assert "<strong>2017-06, performance:</strong> made up" in page(served, path)
    assert "made up" not in page(served, "/indicators/EH16?as_of=2017-05-31")
    assert "made up" not in page(served, "/indicators/EH16?place=Thanet")
    assert "made up" not in page(served, "/indicators/EH05")
    # A text may tell a number that is suppressed.
    for who in (VIEWER, THANET):
        assert "made up" not in page(served, "/indicators/EH16", who)


def test_what_rests_on_few_says_so_to_who_sees_on_how_many(served: Served) -> None:
    def marked(who: Identity) -> list[int]:
        text = page(served, "/scorecard?place=Thanet&as_of=2017-06-30", who)
        assert "[u] low reliability: of fewer than 20" in text
        rows = [it for it in text.split("<tr>") if "[u]</td>" in it]
        return [int(of) for it in rows for of in re.findall(r" of ([\d,]+)</td>", it)]

    found = marked(ANALYST)
    assert found
    assert max(found) < 20
    assert marked(THANET) == found
    # How many it rests on is not to be told from the mark.
    assert marked(VIEWER) == []


def links(text: str) -> dict[str, str]:
    """Where the pages at the top lead, by their names."""
    top = text.partition('<nav class="main"')[2].partition("</nav>")[0]
    return {
        name: to.replace("&amp;", "&")
        for to, name in re.findall(r'href="([^"]+)"[^>]*>(.+?)<', top)
    }


def test_what_is_asked_for_goes_along_wherever_it_means_the_same(served: Served) -> None:
    text = page(served, "/scorecard?place=Thanet&as_of=2017-05-31&age_band=0-4")
    there = links(text)
    assert there["Today"] == "/?place=Thanet"
    assert there["Scorecard"] == "/scorecard?place=Thanet&age_band=0-4&as_of=2017-05-31"
    assert there["Quality"] == "/quality?as_of=2017-05-31"
    assert (there["Alerts"], there["Releases"]) == ("/alerts", "/releases")
    for address in ("Today", "Quality", "Connect"):
        page(served, there[address])
    # What only some pages can show of several is left, and a release's places are its own.
    several = links(page(served, "/scorecard?place=Thanet&place=Dover&level=district"))
    assert several["Today"] == "/"
    area = links(page(served, "/scorecard?area=Thanet"))
    assert (area["Alerts"], area["Today"]) == ("/alerts?area=Thanet", "/")
    release = page(served, "/releases/2015-10/1?place=Dartford")
    assert links(release)["Today"] == "/"


def test_every_page_leads_to_the_last_release(served: Served) -> None:
    for path in ("/", "/scorecard", "/indicators/EH05", "/releases", "/quality"):
        assert '<a href="/releases/2015-10/1">2015-10, number 1</a>' in page(served, path)
