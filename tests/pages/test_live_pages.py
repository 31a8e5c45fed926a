"""The live pages in Chromium: a place and a date chosen, by keyboard, and without a script."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect

from processors.rules import Rules
from schemas.settings import Settings
from tests.support.browser import open_page
from tests.support.opencases import open_case
from tests.support.servers import Server
from tests.support.serving_process import serving
from tests.support.stored_state import StoredState
from tests.support.wcag import NARROW, WIDE, assert_no_rule_is_broken

pytestmark = [pytest.mark.browser, pytest.mark.services, pytest.mark.long]

DATA = Path(__file__).parents[1] / "data"
NOW = datetime(2017, 6, 30, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def served(
    redis_server: Server, rules: Rules, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, StoredState]]:
    settings = Settings(
        redis_url=redis_server.address,
        deployment=f"test-{uuid4().hex[:12]}",
        kafka_bootstrap="localhost:1",
    )
    state = StoredState(settings, rules)
    state.add_file(DATA / "all-21.jsonl.gz")
    with serving(settings, NOW, tmp_path_factory.mktemp("serving")) as (_, where):
        yield where, state


@pytest.fixture(scope="module")
def address(served: tuple[str, StoredState]) -> str:
    return served[0]


def opened(browser: Browser, width: int, scheme: str, script: bool = True) -> Page:
    page = open_page(browser, width, dark=scheme == "dark", script=script)
    page.on("console", lambda said: pytest.fail(said.text) if said.type == "error" else None)
    return page


def test_a_place_and_a_date_are_chosen_without_a_script(browser: Browser, address: str) -> None:
    page = opened(browser, WIDE, "light", script=False)
    page.goto(f"{address}/scorecard")
    assert page.locator("h1").inner_text() == "Scorecard of Kent"
    assert "Live, provisional" in page.locator("dl.fresh").inner_text()
    page.get_by_label("Place").select_option("Thanet")
    page.get_by_label("As at").fill("2016-02-29")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("h1")).to_have_text("Scorecard of Thanet")
    assert "As at 29 February 2016" in page.locator("dl.fresh").inner_text()
    shared = page.url
    page.get_by_role("link", name="Show live").click()
    expect(page.locator("dl.fresh")).to_contain_text("Live, provisional")
    assert page.locator("h1").inner_text() == "Scorecard of Thanet"
    page.goto(shared)
    assert page.get_by_label("As at").input_value() == "2016-02-29"
    page.context.close()


def test_a_place_is_chosen_by_keyboard_alone(browser: Browser, address: str) -> None:
    page = opened(browser, WIDE, "light")
    page.goto(f"{address}/scorecard")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "place":
            break
    page.keyboard.type("Dover")
    while page.evaluate("document.activeElement.tagName") != "BUTTON":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Scorecard of Dover")
    page.context.close()


@pytest.mark.parametrize(("width", "scheme"), [(WIDE, "light"), (NARROW, "light"), (WIDE, "dark")])
def test_no_live_page_breaks_a_rule_of_wcag(
    browser: Browser, address: str, width: int, scheme: str
) -> None:
    page = opened(browser, width, scheme)
    paths = ["/scorecard?show=places", "/scorecard?level=area&age_band=all&age_band=0-4"]
    trend = "/scorecard?place=Thanet&family=Social+care&show=trend"
    for path in (*paths, trend, "/connect?area=Thanet", "/account"):
        page.goto(f"{address}{path}")
        assert_no_rule_is_broken(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.context.close()


# Where the figures begin while the bar of the script is not there yet, and once it is.
BEGIN = """() => {
  const bar = document.getElementById("live"), main = document.querySelector("main");
  return [true, false].map((hidden) => {
    bar.hidden = hidden;
    return main.getBoundingClientRect().top;
  });
}"""


def test_nothing_moves_when_the_script_begins(browser: Browser, address: str) -> None:
    page = opened(browser, WIDE, "light")
    page.goto(f"{address}/scorecard")
    before, after = page.evaluate(BEGIN)
    assert before == after
    page.context.close()


def test_a_figure_changes_where_it_stands_and_the_reader_is_not_disturbed(
    browser: Browser, served: tuple[str, StoredState]
) -> None:
    address, state = served
    page = opened(browser, WIDE, "light")
    page.goto(f"{address}/scorecard")
    page.get_by_label("Place").focus()
    page.get_by_label("Place").select_option("Dover")
    figure = page.get_by_role("row", name="EH01").first.locator("td.overall")
    before = figure.inner_text()
    pause = page.get_by_role("button", name="Pause updates")
    pause.wait_for()
    state.add(open_case(21, NOW - timedelta(hours=1)) + open_case(22, NOW - timedelta(hours=1)))
    page.locator(".news").first.wait_for()
    assert figure.inner_text() == f"{int(before.replace(',', '')) + 2:,} changed"
    assert page.evaluate("document.activeElement.id") == "place"
    assert page.get_by_label("Place").input_value() == "Dover"
    assert "changed" in page.get_by_role("status").inner_text()
    pause.click()
    expect(page.get_by_role("button", name="Go on updating")).to_be_visible()
    page.context.close()
