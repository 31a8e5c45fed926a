"""The live scorecard over HTTP on a real Redis: the figures of the command line, with tags."""

import asyncio
import html
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from redis.asyncio import Redis

from processors.figures.figure_text import as_csv
from processors.rules import Rules
from schemas.settings import Settings
from streams.clock import Clock
from streams.jobs.series_rows import MONTH_COLUMNS
from streams.serving.identity import NOBODY
from streams.serving.roles import Role
from streams.state.reading import read_scorecard
from tests.support.commands import Command
from tests.support.opencases import open_case
from tests.support.patience import wait_for
from tests.support.ports import free_ports
from tests.support.served import Asks, Served, one_with
from tests.support.servers import Server
from tests.support.serving_process import serving
from tests.support.stored_state import StoredState

pytestmark = pytest.mark.services

DATA = Path(__file__).parents[1] / "data"
NOW = datetime(2017, 6, 30, 12, tzinfo=UTC)
DAY = NOW.date()
ANALYST = one_with(Role.ANALYST)
# What a page has where a place has no such figure.
NOTHING = "\N{EN DASH}"


@pytest.fixture(scope="module")
def settings(redis_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(
        redis_url=redis_server.address,
        deployment=f"test-{uuid4().hex[:12]}",
        releases=tmp_path_factory.mktemp("releases"),
        kafka_bootstrap="localhost:1",  # which no figure takes
    )


@pytest.fixture(scope="module")
def state(settings: Settings, rules: Rules) -> StoredState:
    state = StoredState(settings, rules)
    state.add_file(DATA / "all-21.jsonl.gz")
    return state


@pytest.fixture(scope="module")
def served(state: StoredState, settings: Settings, rules: Rules) -> Served:
    del state
    return Served(settings, rules, Clock(NOW - datetime.now(UTC)))


def test_programs_get_the_rows_of_the_command(served: Served) -> None:
    async def read(day: date) -> str:
        async with Redis.from_url(served.settings.redis_url) as redis:
            live = await read_scorecard(redis, served.settings.deployment, served.rules, day)
        return as_csv(live.rows)

    paths = ["/api/v1/scorecard.csv", "/api/v1/scorecard.csv?as_of=2016-02-29"]
    live, past = served.ask_all(Asks(path, ANALYST) for path in paths)
    assert live.text == asyncio.run(read(DAY))
    assert past.text == asyncio.run(read(date(2016, 2, 29)))
    assert live.headers["content-type"] == "text/csv; charset=utf-8"


def cells_of(page: str) -> list[list[str]]:
    """The rows of a page's tables, each cell without its marks."""
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", page, re.DOTALL)
    return [
        [
            html.unescape(" ".join(re.sub(r"<svg.*?</svg>|<[^>]*>", " ", cell).split()))
            for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
        ]
        for row in rows
    ]


def test_places_side_by_side_have_the_figures_of_their_own_pages(served: Served) -> None:
    asked = "/scorecard?as_of=2016-02-29"
    across, *own = served.ask_all(
        [
            Asks(f"{asked}&show=places&place=Thanet"),
            *(Asks(f"{asked}&place={place}") for place in ("Kent", "East", "Thanet")),
        ]
    )
    head, *rows = cells_of(across.text)
    assert head == ["Indicator", "Kent", "East", "Thanet"]
    values = [{row[0]: row[1] for row in cells_of(it.text)[1:] if len(row) > 1} for it in own]
    found = [row for row in rows if len(row) > 1]
    assert {row[0] for row in found} == {name for it in values for name in it}
    for name, *cells in found:
        figures = [re.sub(r"^(Red|Amber|Green) | \[u\]$", "", it) for it in cells]
        assert figures == [it.get(name, NOTHING) for it in values]
    assert any("[c]" in cell for row in found for cell in row)


def test_a_trend_is_drawn_of_each_figure_of_one_place(served: Served) -> None:
    asked = "as_of=2016-02-29&place=Thanet"
    some = f"/scorecard?{asked}&show=trend&code=EH05&code=EH06&code=EH16"
    page, nobodys, series = served.ask_all(
        [
            Asks(some, ANALYST),
            Asks(some),
            Asks(f"/api/v1/series?{asked}&code=EH05&count=13", ANALYST),
        ]
    )
    lines = [row for row in cells_of(page.text) if len(row) > 1][1:]
    assert page.text.count("<svg") == nobodys.text.count("<svg") == len(lines)
    last = series.json()["series"][-1]["value"]
    assert last is not None
    assert re.search(rf"EH05.*?to {last:,g} in February 2016", page.text, re.DOTALL)


def test_what_a_scorecard_cannot_show_is_refused(served: Served) -> None:
    refused = [
        "/scorecard?show=all",
        "/scorecard?show=trend&level=district",
        "/scorecard?show=trend&age_band=all&age_band=0-4",
        "/api/v1/scorecard?show=trend",
    ]
    assert [it.status_code for it in served.ask_all(map(Asks, refused))] == [400] * len(refused)


def test_a_tag_holds_until_an_event_comes(served: Served, state: StoredState) -> None:
    path = "/api/v1/scorecard?code=EH01&area=Dover&as_of=2017-06-30&age_band=all"
    first = served.ask(path, ANALYST)
    tag = first.headers["etag"]
    held = {"if-none-match": tag}
    others = served.ask_all(
        [
            Asks(path, ANALYST, headers=held),
            Asks(path, ANALYST, "HEAD", held),
            Asks(path, NOBODY, headers=held),
            Asks(path, ANALYST, headers={**held, "accept": "text/csv"}),
            Asks(f"{path}&age_band=0-4", ANALYST, headers=held),
        ]
    )
    assert [it.status_code for it in others] == [304, 304, 200, 200, 200]
    assert not others[0].content
    state.add(open_case(7, NOW - timedelta(hours=3)))
    changed = served.ask(path, ANALYST, headers=held)
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag
    (before,), (after,) = first.json()["rows"], changed.json()["rows"]
    assert after["value"] >= before["value"]
    assert changed.json()["data_to"] >= first.json()["data_to"]


def test_small_numbers_are_for_those_who_may_see_them(served: Served) -> None:
    path = "/api/v1/scorecard"
    manager = one_with(Role.MANAGER, places=frozenset({"Thanet"}))
    answers = served.ask_all(Asks(path, who) for who in (ANALYST, NOBODY, manager))
    full, little, own = (answer.json() for answer in answers)
    assert full["small_numbers"] == "shown"
    assert little["small_numbers"] == own["small_numbers"] == "suppressed"
    rows = list(zip(full["rows"], little["rows"], own["rows"], strict=True))
    hidden = [(whole, seen) for whole, seen, _ in rows if seen["status"] == "suppressed"]
    assert hidden
    assert all(seen["value"] is seen["previous"] is seen["rag"] is None for _, seen in hidden)
    assert all(seen["numerator"] is seen["denominator"] is None for _, seen, _ in rows)
    counts = [whole for whole, seen, _ in rows if seen["value"] in {1, 2, 3, 4, 5}]
    assert {it["code"] for it in counts} <= ratios(served.rules)
    assert all(mine == whole for whole, _, mine in rows if whole["area"] == "Thanet")
    assert any(mine != whole for whole, _, mine in rows if whole["area"] == "Dover")


def ratios(rules: Rules) -> set[str]:
    return {it.code for it in rules.catalogue.indicator if it.unit != "count"}


def test_a_page_says_what_it_shows_and_of_when(served: Served) -> None:
    live, past = served.ask_all(
        Asks(path) for path in ("/scorecard", "/scorecard?place=Thanet&as_of=2016-02-29")
    )
    assert "Live, provisional" in live.text
    assert "Scorecard of Kent" in live.text
    assert "Small numbers are suppressed" in live.text
    assert "As at 29 February 2016" in past.text
    assert "Scorecard of Thanet" in past.text
    assert "out of date" not in past.text
    # The last event of the file is of July 2020.
    later = Clock(datetime(2020, 7, 30, tzinfo=UTC) - datetime.now(UTC))
    stale = Served(served.settings, served.rules, later)
    assert "may be out of date" in stale.ask("/scorecard").text


def test_a_series_has_the_figures_of_each_month_and_days_are_for_whose_place_it_is(
    served: Served,
) -> None:
    manager = one_with(Role.MANAGER, places=frozenset({"East"}))
    path = "/api/v1/series?code=EH05&count=3"
    answers = served.ask_all(
        [
            Asks(f"{path}&place=Thanet", ANALYST),
            Asks(f"{path}&place=Thanet", manager),
            Asks(f"{path}&place=Thanet", ANALYST, headers={"accept": "text/csv"}),
            Asks(f"{path}&place=Thanet&by=day", manager),
            Asks(f"{path}&place=Dover&by=day", manager),
            Asks(f"{path}&place=Thanet&by=day", NOBODY),
        ]
    )
    assert [it.status_code for it in answers] == [200, 200, 200, 200, 403, 403]
    assert "ask for those by month" in answers[5].text
    series = answers[0].json()["series"]
    assert series == answers[1].json()["series"]
    assert [it["as_of"] for it in series] == ["2017-04-30", "2017-05-31", "2017-06-30"]
    past = [
        Asks(f"/api/v1/scorecard?code=EH05&area=Thanet&age_band=all&as_of={it['as_of']}", ANALYST)
        for it in series
    ]
    shown = [it.json()["rows"][0]["value"] for it in served.ask_all(past)]
    assert [it["value"] for it in series] == shown
    assert answers[2].text.splitlines()[0] == ",".join(MONTH_COLUMNS)


def test_a_series_shows_nobody_what_the_scorecards_of_its_months_do(served: Served) -> None:
    places = [it.name for it in served.rules.areas.area]
    codes = ["EH02", "EH05", "EH14", "EH17"]
    asked = [(code, place) for code in codes for place in places]
    series = served.ask_all(
        Asks(f"/api/v1/series?code={code}&place={place}&count=4", NOBODY) for code, place in asked
    )
    days = [it["as_of"] for it in series[0].json()["series"]]
    cards = served.ask_all(
        Asks(f"/api/v1/scorecard?as_of={day}&age_band=all&{'&'.join(f'code={it}' for it in codes)}")
        for day in days
    )
    shown = {
        (row["code"], row["area"], day): (row["value"], row["status"], None, None)
        for day, card in zip(days, cards, strict=True)
        for row in card.json()["rows"]
    }
    found = {
        (code, place, it["as_of"]): tuple(
            it[name] for name in ("value", "status", "numerator", "denominator")
        )
        for (code, place), answer in zip(asked, series, strict=True)
        for it in answer.json()["series"]
    }
    assert found == shown
    statuses = [status for _, status, *_ in found.values()]
    assert {"suppressed", "reported"} <= {*statuses}


def test_a_page_of_an_indicator_shows_no_small_number_to_nobody(served: Served) -> None:
    nobody, analyst = served.ask_all(
        Asks("/indicators/EH05?place=Dover", who) for who in (NOBODY, ANALYST)
    )
    assert "Cases open to units" in nobody.text
    assert "[c] suppressed" in nobody.text
    assert "[c]" not in analyst.text
    for page in nobody, analyst:
        assert "May 2017" in page.text


def test_a_page_of_an_indicator_at_a_provider_that_nobody_has_named_is_refused(
    served: Served,
) -> None:
    code = next(it.code for it in served.rules.catalogue.indicator if "provider" in it.levels)
    answer = served.ask(f"/indicators/{code}?place=Nobody+Ltd", ANALYST)
    assert answer.status_code == 400
    assert answer.json()["parameter"] == "place"


@pytest.fixture(scope="module")
def metrics_port() -> int:
    (port,) = free_ports(1)
    return port


@pytest.fixture
def process(
    state: StoredState, settings: Settings, metrics_port: int, tmp_path: Path
) -> Iterator[tuple[Command, str]]:
    del state
    with serving(settings, NOW, tmp_path, metrics_port=str(metrics_port)) as process:
        yield process


def test_the_process_answers_and_says_that_redis_is_away(
    process: tuple[Command, str], redis_server: Server
) -> None:
    command, address = process
    with httpx.Client(base_url=address, timeout=60) as client:
        assert client.get("/ready").status_code == 200
        assert client.get("/scorecard").status_code == 200
        redis_server.stop()
        assert client.get("/ready").status_code == 503
        assert client.get("/health").status_code == 200
        answer = client.get("/api/v1/scorecard")
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        redis_server.start()
        wait_for(lambda: client.get("/ready").status_code == 200, "figures are back")
        assert client.get("/scorecard").status_code == 200
    command.terminate()
    assert command.wait(60) == 0


def test_listeners_are_told_that_figures_changed_and_streams_end_with_the_process(
    process: tuple[Command, str], state: StoredState, metrics_port: int
) -> None:
    command, address = process
    assert measured(metrics_port)["caseline_serve_listeners"] == 0
    with httpx.Client(base_url=address, timeout=120) as client:
        with client.stream("GET", "/api/v1/stream") as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            lines = stream.iter_lines()
            first = next_event(lines)
            assert first["event"] == "version"
            state.add(open_case(8, NOW - timedelta(hours=2)))
            told = next_event(lines)
            assert told["event"] == "changed"
            assert told["id"] != first["id"]
            assert measured(metrics_port)["caseline_serve_listeners"] == 1
            said = client.get("/api/v1/status").json()["data_to"]
        found = measured(metrics_port)
        assert found['caseline_serve_requests_total{route="status",status="200"}'] == 1
        data_to = datetime.fromtimestamp(
            found["caseline_serve_latest_event_timestamp_seconds"], UTC
        )
        assert data_to == datetime.fromisoformat(said)
        resumed = {"last-event-id": first["id"]}
        with client.stream("GET", "/api/v1/stream", headers=resumed) as stream:
            lines = stream.iter_lines()
            assert next_event(lines)["event"] == "changed"
            command.terminate()
            assert not [line for line in lines if line.startswith("event")]
    assert command.wait(60) == 0


def measured(port: int) -> dict[str, float]:
    """What the process says to Prometheus."""
    lines = httpx.get(f"http://127.0.0.1:{port}/metrics").text.splitlines()
    pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in pairs}


def next_event(lines: Iterator[str]) -> dict[str, str]:
    """The next event of a stream, past what only keeps it alive."""
    fields: dict[str, str] = {}
    for line in lines:
        if not line and "event" in fields:
            return fields
        name, _, value = line.partition(": ")
        fields[name] = value
    raise AssertionError("the stream ended")
