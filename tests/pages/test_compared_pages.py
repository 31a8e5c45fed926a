"""Compare, quality and releases in Chromium, as an analyst whom a proxy has signed in."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page

from processors.rules import Rules
from schemas.settings import Settings
from snapshots.releases.chain import seal
from snapshots.releases.folder import ReleaseFolder
from tests.support.browser import open_page
from tests.support.october_releases import EVENTS, later, october
from tests.support.servers import Server
from tests.support.serving_process import serving
from tests.support.stored_state import StoredState
from tests.support.wcag import NARROW, WIDE, assert_no_rule_is_broken, assert_prints

pytestmark = [pytest.mark.browser, pytest.mark.services]

NOW = datetime(2015, 11, 2, 12, tzinfo=UTC)
GROUPS = '[[group]]\nname = "analysts"\nroles = ["analyst"]\n'
PATHS = (
    "/compare/EH16?as_of=2015-10-31",
    "/indicators/EH12?show=distribution",
    "/quality",
    "/releases",
    "/releases/2015-10/2?place=Dartford",
)


@pytest.fixture(scope="module")
def address(
    redis_server: Server, rules: Rules, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("serving")
    settings = Settings(redis_url=redis_server.address, deployment=f"test-{uuid4().hex[:12]}")
    StoredState(settings, rules).add_file(EVENTS)
    for release in (october(), later()):
        ReleaseFolder(folder / "releases").write(seal(release))
    (folder / "groups.toml").write_text(GROUPS)
    files = folder / "public" / "2015-10-002-public" / "csv"
    files.mkdir(parents=True)
    (files / "early_help_2015_10_with_a_very_long_name_indeed.csv").write_text("open")
    others = {
        "sign_in": "proxy",
        "proxy_addresses": "127.0.0.1",
        "groups_file": str(folder / "groups.toml"),
        "releases": str(folder / "releases"),
        "public_folder": str(folder / "public"),
    }
    with serving(settings, NOW, folder, **others) as (_, where):
        yield where


def opened(browser: Browser, width: int, scheme: str) -> Page:
    headers = {"X-Forwarded-User": "ann", "X-Forwarded-Groups": "analysts"}
    page = open_page(browser, width, dark=scheme == "dark", extra_http_headers=headers)
    page.on("console", lambda said: pytest.fail(said.text) if said.type == "error" else None)
    return page


@pytest.mark.parametrize(("width", "scheme"), [(WIDE, "light"), (NARROW, "light"), (WIDE, "dark")])
def test_none_of_these_pages_breaks_a_rule_of_wcag(
    browser: Browser, address: str, width: int, scheme: str
) -> None:
    page = opened(browser, width, scheme)
    for path in PATHS:
        page.goto(f"{address}{path}")
        assert_no_rule_is_broken(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        if scheme == "dark":
            assert_prints(page)
    page.context.close()


def tab_to(page: Page, name: str) -> None:
    """Press the tabulator until what has that text or identifier has the focus."""
    for _ in range(80):
        page.keyboard.press("Tab")
        at = page.evaluate("[document.activeElement.id, document.activeElement.textContent.trim()]")
        if name in at:
            return
    raise AssertionError(f"{name} cannot be reached")


def test_places_are_compared_and_a_file_is_kept_by_keyboard_alone(
    browser: Browser, address: str
) -> None:
    page = opened(browser, WIDE, "light")
    page.goto(f"{address}/indicators/EH16?as_of=2015-10-31")
    tab_to(page, "Compare places side by side")
    page.keyboard.press("Enter")
    page.wait_for_url("**/compare/EH16**")
    tab_to(page, "level")
    page.keyboard.type("Areas")
    tab_to(page, "Show")
    page.keyboard.press("Enter")
    page.wait_for_url("**level=area**")
    assert page.locator("svg.panel").count() == 4
    tab_to(page, "Releases")
    page.keyboard.press("Enter")
    page.wait_for_url("**/releases")
    tab_to(page, "2015-10, number 2")
    page.keyboard.press("Enter")
    page.wait_for_url("**/releases/2015-10/2")
    tab_to(page, "early_help_2015_10_with_a_very_long_name_indeed.csv")
    with page.expect_download() as kept:
        page.keyboard.press("Enter")
    assert kept.value.suggested_filename.endswith("_indeed.csv")
    page.context.close()
