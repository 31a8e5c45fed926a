"""Today and alerts in Chromium: by keyboard alone, without a script, and judged by axe."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect
from redis.asyncio import Redis

from processors.rules import Rules
from schemas.settings import Settings
from streams.kafka.topics import create_topics
from streams.serving.roles import Role
from streams.serving.tokens import Tokens
from tests.support.alerting import Recorder, change
from tests.support.browser import open_page
from tests.support.servers import Server
from tests.support.serving_process import serving
from tests.support.stored_state import StoredState
from tests.support.wcag import NARROW, WIDE, assert_no_rule_is_broken, assert_prints

pytestmark = [pytest.mark.browser, pytest.mark.services]

DATA = Path(__file__).parents[1] / "data"
NOW = datetime(2017, 6, 30, 12, tzinfo=UTC)
FIRST, SECOND = (
    change(n, since=date(2017, 6, n), due=date(2017, 6, n), stand=1, team="Unit A") for n in (1, 2)
)


class Pages(NamedTuple):
    """Where pages are, and the tokens of a lead, a viewer and an analyst."""

    address: str
    lead: str
    viewer: str
    analyst: str


async def tokens(settings: Settings) -> list[str]:
    async with Redis.from_url(settings.redis_url) as redis:
        kept = Tokens(redis, settings.deployment)
        lasts = timedelta(days=365)
        made = [
            await kept.create("T. Lead", [Role.LEAD], ["Unit A"], NOW, lasts),
            await kept.create("V", [Role.VIEWER], [], NOW, lasts),
            await kept.create("A", [Role.ANALYST], [], NOW, lasts),
        ]
        return [it.text for it in made]


@pytest.fixture(scope="module")
def pages(
    kafka: Server, redis_server: Server, rules: Rules, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pages]:
    settings = Settings(
        redis_url=redis_server.address,
        kafka_bootstrap=kafka.address,
        deployment=f"test-{uuid4().hex[:12]}",
    )
    create_topics(settings)
    StoredState(settings, rules).add_file(DATA / "all-21.jsonl.gz")
    of: Any = SimpleNamespace(settings=settings)
    recorder = Recorder(of)
    recorder.judge(NOW.timestamp())
    recorder.record(FIRST, SECOND)
    recorder.redis.close()
    with ThreadPoolExecutor(max_workers=1) as pool:  # a browser's driver has a loop of its own
        made = pool.submit(asyncio.run, tokens(settings)).result()
    with serving(
        settings,
        NOW,
        tmp_path_factory.mktemp("serving"),
        sign_in="token",
        kafka_bootstrap=settings.kafka_bootstrap,
    ) as (_, where):
        yield Pages(where, *made)


def opened(
    browser: Browser, token: str, width: int = WIDE, dark: bool = False, script: bool = True
) -> Page:
    credentials = {"username": "x", "password": token}
    return open_page(browser, width, dark=dark, script=script, http_credentials=credentials)


@pytest.mark.parametrize(("width", "dark"), [(WIDE, False), (NARROW, True)])
def test_no_page_of_alerts_breaks_a_rule_of_wcag(
    browser: Browser, pages: Pages, width: int, dark: bool
) -> None:
    page = opened(browser, pages.lead, width, dark)
    for path in ("/", "/alerts", f"/alerts/{FIRST.alert}"):
        answer = page.goto(f"{pages.address}{path}")
        assert answer is not None
        assert answer.status == 200
        assert_no_rule_is_broken(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if width == WIDE:
            assert_prints(page)
    page.context.close()


def test_an_analyst_goes_from_a_figure_to_a_case_and_to_why_it_changed_by_keyboard_alone(
    browser: Browser, pages: Pages
) -> None:
    page = opened(browser, pages.analyst)
    page.goto(f"{pages.address}/indicators/EH05?as_of=2017-06-30")
    tab_to(page, "document.activeElement.textContent === 'numerator'")
    page.keyboard.press("Enter")
    page.wait_for_url("**/cases?**")
    table = page.locator("main table")
    case, child = (table.locator(it).first.inner_text() for it in ("tbody th", "tbody td"))
    assert_fits(page)
    tab_to(page, f"document.activeElement.textContent === '{case}'")
    page.keyboard.press("Enter")
    page.wait_for_url("**/cases/*?as_of=2017-06-30")
    said = page.locator("main").inner_text()
    assert page.locator("h1").inner_text() == f"Case {case}"
    assert "Notification received" in said
    assert child in said
    assert not {child, case} & set(page.url.split("/"))
    assert_fits(page)
    page.goto(f"{pages.address}/indicators/EH05?as_of=2017-06-30")
    tab_to(page, "document.activeElement.textContent === 'the end of the month before'")
    page.keyboard.press("Enter")
    page.wait_for_url("**/explanations?**")
    assert "Why EH05 of Kent changed" in page.locator("h1").inner_text()
    assert "both as known now" in page.locator("main").inner_text()
    assert_fits(page)
    tab_to(page, "document.activeElement.id === 'against'")
    page.keyboard.press("Control+A")
    page.keyboard.type("2017-06-15")
    page.keyboard.press("Enter")
    page.wait_for_url("**against=2017-06-15**")
    page.context.close()


def assert_fits(page: Page) -> None:
    """The page breaks no rule, in light and dark, on a phone and on paper."""
    assert_prints(page)
    page.set_viewport_size({"width": NARROW, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW
    page.emulate_media(color_scheme="dark")
    assert_no_rule_is_broken(page)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": WIDE, "height": 900})
    assert_no_rule_is_broken(page)


def tab_to(page: Page, script: str) -> None:
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate(script):
            return
    raise AssertionError(f"the keyboard does not come to {script}")


def test_a_lead_goes_from_today_to_an_alert_and_acknowledges_it_by_keyboard_alone(
    browser: Browser, pages: Pages
) -> None:
    page = opened(browser, pages.lead)
    page.goto(pages.address)
    assert "T. Lead" in page.locator("footer").inner_text()
    tab_to(page, f"document.activeElement.pathname === '/alerts/{FIRST.alert}'")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/alerts/{FIRST.alert}")
    tab_to(page, "document.activeElement.id === 'acknowledge-note'")
    page.keyboard.type("Visit booked <b>today</b>")
    page.keyboard.press("Enter")
    said = page.get_by_text("Acknowledged by T. Lead")
    said.wait_for()
    assert page.url == f"{pages.address}/alerts/{FIRST.alert}"
    assert "Visit booked <b>today</b>" in said.inner_text()
    page.context.close()


def test_an_alert_is_silenced_without_a_script(browser: Browser, pages: Pages) -> None:
    page = opened(browser, pages.lead, script=False)
    page.goto(f"{pages.address}/alerts/{SECOND.alert}")
    page.locator("#silence-note").fill("Away until Monday")
    page.locator("#silence-for").select_option("1 week")
    page.get_by_role("button", name="Silence").click()
    expect(page.locator("main")).to_contain_text("Silenced by T. Lead until 2017-07-07")
    page.goto(f"{pages.address}/alerts")
    assert "silenced until 2017-07-07" in page.locator("main").inner_text()
    page.context.close()


def test_a_page_of_another_site_cannot_have_a_readers_browser_decide(
    browser: Browser, pages: Pages
) -> None:
    page = opened(browser, pages.lead)
    page.goto(f"{pages.address}/alerts")  # the browser has the password from here on
    page.route(
        "http://evil.example/",
        lambda it: it.fulfill(
            content_type="text/html",
            body=f'<form method="post" action="{pages.address}/alerts/{SECOND.alert}/acknowledge">'
            '<input name="note" value="x"><input name="for" value="3d"><button>Win</button></form>',
        ),
    )
    page.goto("http://evil.example/")
    with page.expect_navigation() as went:
        page.get_by_role("button", name="Win").click()
    assert went.value is not None
    assert went.value.status == 403
    page.goto(f"{pages.address}/alerts/{SECOND.alert}")
    assert "Acknowledged by" not in page.locator("main").inner_text()
    page.context.close()


def test_a_viewer_has_numbers_alone(browser: Browser, pages: Pages) -> None:
    page = opened(browser, pages.viewer)
    page.goto(pages.address)
    late = page.locator("section[aria-labelledby=late]")
    assert late.get_by_role("cell", name="[c]").count() == 1
    assert page.get_by_role("link", name="Alerts").count() == 0
    answer = page.goto(f"{pages.address}/alerts/{FIRST.alert}")
    assert answer is not None
    assert answer.status == 403
    page.context.close()
