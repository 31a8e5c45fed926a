"""Places compared, data quality and releases over HTTP: who sees what, with which tag."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from processors.rules import Rules
from schemas.settings import Settings
from snapshots.publish.text.view import View
from snapshots.publish.writing import PublicationFormat, publish
from snapshots.releases.chain import seal
from snapshots.releases.folder import ReleaseFolder, hash_line
from streams.clock import Clock
from streams.serving.identity import NOBODY
from streams.serving.roles import Role
from tests.support.october_releases import EVENTS, later, october
from tests.support.opencases import open_case
from tests.support.served import Asks, Served, one_with
from tests.support.servers import Server
from tests.support.stored_state import StoredState

pytestmark = pytest.mark.services

NOW = datetime(2015, 11, 2, 12, tzinfo=UTC)
AS_OF = "as_of=2015-10-31"
ANALYST, PUBLISHER = one_with(Role.ANALYST), one_with(Role.PUBLISHER)
EAST = one_with(Role.MANAGER, places=frozenset({"East"}))


@pytest.fixture(scope="module")
def filled(
    redis_server: Server, rules: Rules, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Served, StoredState]:
    """October 2015 with two releases, of which the second has two figures that are not live."""
    root = tmp_path_factory.mktemp("served")
    settings = Settings(
        redis_url=redis_server.address,
        deployment=f"test-{uuid4().hex[:12]}",
        releases=root / "releases",
        public_folder=root / "public",
        internal_folder=root / "internal",
    )
    state = StoredState(settings, rules)
    state.add_file(EVENTS)
    first, second = seal(october()), seal(later())
    for sealed in (first, second):
        ReleaseFolder(settings.releases).write(sealed)
    view = View(first.release, [second.release], stored=first.text)
    publish(view, root / "internal", [PublicationFormat.JSON])
    public = root / "public" / "2015-10-001-public" / "csv"
    public.mkdir(parents=True)
    (public / "open.csv").write_text("open")
    return Served(settings, rules, Clock(NOW - datetime.now(UTC))), state


@pytest.fixture(scope="module")
def served(filled: tuple[Served, StoredState]) -> Served:
    return filled[0]


def panels(page: str) -> list[str]:
    """The places whose months are drawn, in order."""
    return [it.partition("<")[0] for it in page.split('<text class="heading" x="2" y="16">')[1:]]


def test_places_are_drawn_in_the_order_of_the_tree_of_areas(
    served: Served,
) -> None:
    path = f"/compare/EH16?{AS_OF}"
    full, own, none = (
        it.text for it in served.ask_all(Asks(path, w) for w in (ANALYST, EAST, NOBODY))
    )
    districts = [it.name for it in served.rules.areas.area if it.level == "district"]
    assert panels(full) == panels(own) == panels(none) == districts
    assert "[c] suppressed" in none
    assert "[c] suppressed" not in full
    assert "99.8% limits" in full
    assert "99.8% limits" not in own + none
    assert "there is none that can be shown" in none
    assert "53 of 67" in full
    assert "53 of 67" not in own + none


def test_suppressed_places_are_said(served: Served) -> None:
    none = served.ask(f"/compare/EH17?{AS_OF}").text
    assert "[c]" in none
    assert "Suppressed: " in none


def test_what_cannot_be_compared_is_refused(served: Served) -> None:
    refused = {
        "/compare/EH99": 404,
        "/compare/EH16?level=county": 400,
        "/compare/EH16?level=x": 400,
        "/compare/EH16?age_band=99": 400,
        "/compare/EH16?as_of=yesterday": 400,
        "/compare/CEH41?age_band=0-4": 400,
        "/indicators/EH16?show=distribution": 400,
        "/indicators/EH12?show=all": 400,
    }
    answers = served.ask_all(Asks(path, ANALYST) for path in refused)
    assert {it.url.raw_path.decode(): it.status_code for it in answers} == refused


def test_the_spread_of_an_average_is_for_who_may_see_its_cases(served: Served) -> None:
    path = f"/indicators/EH12?{AS_OF}"
    asked = f"{path}&show=distribution"
    link, drawn, publisher, refused = served.ask_all(
        [Asks(path, ANALYST), Asks(asked, ANALYST), Asks(path, PUBLISHER), Asks(asked, PUBLISHER)]
    )
    assert "Show the median" in link.text
    assert "the median." in drawn.text
    assert "data-live" not in drawn.text
    assert "Show the median" not in publisher.text
    assert refused.status_code == 403


def test_bands_are_drawn_but_for_those_that_are_suppressed(served: Served) -> None:
    path = f"/indicators/EH15?place=Sevenoaks&{AS_OF}"
    analyst, nobody = (it.text for it in served.ask_all(Asks(path, w) for w in (ANALYST, NOBODY)))
    assert "number by age band" in analyst
    assert "number by age band" in nobody
    assert "Suppressed, so not drawn: " in nobody
    assert "Suppressed, so not drawn: " not in analyst


def test_quality_has_what_is_odd_and_names_no_case(served: Served) -> None:
    page, data, table, nobody, odd = served.ask_all(
        [
            Asks("/quality", PUBLISHER),
            Asks("/api/v1/quality", PUBLISHER),
            Asks("/api/v1/quality.csv", ANALYST),
            Asks("/api/v1/quality", NOBODY),
            Asks("/api/v1/quality/in-the-future", PUBLISHER),
        ]
    )
    assert nobody.status_code == odd.status_code == 403
    told = data.json()
    kinds = {it["kind"]: it["facts"] for it in told["odd_facts"]}
    assert all(kind in page.text for kind in kinds)
    assert "/quality/in-the-future" not in page.text
    rows = list(csv.DictReader(io.StringIO(table.text)))
    of_facts = {r["indicator"]: int(r["numerator"]) for r in rows if r["section"] == "odd-facts"}
    assert of_facts == kinds
    lacking = [r for r in rows if r["section"] == "lacking"]
    assert [int(r["numerator"]) for r in lacking] == [it["numerator"] for it in told["lacking"]]
    assert all("case-" not in it.text for it in (page, data, table))


def test_releases_are_listed_and_who_made_them_why_is_for_some(served: Served) -> None:
    page, data, table, full = served.ask_all(
        [
            Asks("/releases"),
            Asks("/api/v1/releases"),
            Asks("/api/v1/releases.csv"),
            Asks("/api/v1/releases", PUBLISHER),
        ]
    )
    named = [(it["period"], it["number"], it["kind"]) for it in data.json()["releases"]]
    assert named == [("2015-10", 1, "first"), ("2015-10", 2, "revised")]
    assert [r["stands"] for r in csv.DictReader(io.StringIO(table.text))] == ["yes", "yes"]
    for it in (page, data, table):
        assert "Performance team" not in it.text
        assert "sha256" not in it.text
    assert full.json()["releases"][1]["reason"].startswith("A closure of 29 October")


def test_a_release_is_shown_beside_live_with_what_it_changed_and_why(served: Served) -> None:
    address = "/releases/2015-10/2"
    data, table, page, nobody, refused = served.ask_all(
        [
            Asks(f"/api/v1{address}", ANALYST),
            Asks(f"/api/v1{address}/differences.csv", PUBLISHER),
            Asks(f"{address}?place=Dartford", ANALYST),
            Asks(address),
            Asks(f"/api/v1{address}"),
        ]
    )
    rows = data.json()["differences"]
    assert {(it["code"], it["area"], it["by"]) for it in rows} == {
        ("EH15", "Kent", -1),
        ("EH15", "Dartford", -1),
    }
    assert [r["area"] for r in csv.DictReader(io.StringIO(table.text))] == [r["area"] for r in rows]
    assert "1 case.closed" in page.text
    assert page.text.count("<strong>differs</strong>") == 1
    assert "case-0042" not in page.text
    assert "late-closure-1" not in data.text + page.text
    assert refused.status_code == 403
    assert "are shown to analysts and publishers" in nobody.text
    assert "Released</th>" not in nobody.text


def test_published_files_are_for_everyone_and_internal_ones_for_some(served: Served) -> None:
    inside = "/releases/2015-10/1/internal/scorecard-internal.json"
    open_file, internal, refused, mixed, other = served.ask_all(
        [
            Asks("/releases/2015-10/1/public/open.csv"),
            Asks(inside, ANALYST),
            Asks(inside),
            Asks(inside.replace("internal/", "public/"), ANALYST),
            Asks("/releases/2015-10/2/public/open.csv"),
        ]
    )
    assert open_file.text == "open"
    assert open_file.headers["content-disposition"] == 'attachment; filename="open.csv"'
    assert internal.headers["content-type"] == "application/json"
    statuses = [it.status_code for it in (internal, refused, mixed, other)]
    assert statuses == [200, 403, 404, 404]
    page = served.ask("/releases/2015-10/1").text
    assert "open.csv" in page
    assert "scorecard-internal.json" not in page


OUTSIDE = (
    "/releases/..%2f2015-10/1/public/open.csv",
    "/releases/2015-10/..%2f../public/open.csv",
    "/releases/2015-10/1/public/..%2f..%2f..%2finternal",
    "/releases/2015-10/1/public/%2e%2e",
    "/releases/2015-10/1/public/open.csv%00",
    "/releases/2015-10/01",
    "/releases/2015-10/3",
    "/releases/2015-13/1",
    "/releases/.public/1",
)


def test_no_address_leads_out_of_the_folders(served: Served) -> None:
    answers = served.ask_all(Asks(path, ANALYST) for path in OUTSIDE)
    assert {it.status_code for it in answers} == {404}


TAGGED = (
    f"/compare/EH16?{AS_OF}",
    "/api/v1/quality",
    "/api/v1/releases.csv",
    "/api/v1/releases/2015-10/2",
    "/releases/2015-10/1/public/open.csv",
)


def test_tags_hold_until_what_is_shown_may_be_other(filled: tuple[Served, StoredState]) -> None:
    served, state = filled
    tags = [it.headers["etag"] for it in served.ask_all(Asks(path, ANALYST) for path in TAGGED)]
    held = [
        Asks(path, ANALYST, headers={"if-none-match": tag})
        for path, tag in zip(TAGGED, tags, strict=True)
    ]
    assert {it.status_code for it in served.ask_all(held)} == {304}
    # Another one may not see the same, and is not told that it holds.
    assert served.ask_all([held[0]._replace(who=NOBODY)])[0].status_code == 200
    state.add(open_case(9, NOW))
    statuses = [it.status_code for it in served.ask_all(held)]
    assert statuses[:2] == [200, 200]
    assert statuses[4] == 304


def test_a_damaged_release_is_said_and_the_others_are_listed(
    rules: Rules, served: Served, tmp_path: Path
) -> None:
    first, second = seal(october()), seal(later())
    folder = ReleaseFolder(tmp_path)
    for sealed in (first, second):
        folder.write(sealed)
    damaged = tmp_path / second.name / "release.json"
    damaged.chmod(0o600)
    damaged.write_bytes(second.text.replace(b"Dartford", b"Dartfort"))
    elsewhere = second.text.replace(b'"period":"2015-10"', b'"period":"../2015"')
    moved = tmp_path / "2015-10" / "003"
    moved.mkdir()
    (moved / "release.json").write_bytes(elsewhere)
    (moved / "release.sha256").write_bytes(hash_line(elsewhere))
    settings = served.settings.model_copy(update={"releases": tmp_path})
    answer = Served(settings, rules, served.clock).ask("/releases")
    assert "2015-10/002 is not as it was made" in answer.text
    assert "2015-10/003 is not as it was made" in answer.text
    assert "number 1" in answer.text
