"""Signing in and out as people do: in Chromium, at a real OpenID provider, of a real server."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from processors.rules import Rules
from schemas.settings import Settings
from tests.support.browser import open_page
from tests.support.openid import CLIENT, SECRET, openid_provider
from tests.support.ports import free_ports
from tests.support.redis_servers import server
from tests.support.serving_process import serving
from tests.support.stored_state import StoredState
from tests.support.wcag import NARROW, WIDE, assert_no_rule_is_broken

pytestmark = [pytest.mark.browser, pytest.mark.services]

DATA = Path(__file__).parents[1] / "data"
NOW = datetime(2015, 10, 17, 12, tzinfo=UTC)
GROUPS = """
[[group]]
name = "eh-managers"
roles = ["manager"]
places = ["Thanet"]

[[group]]
name = "eh-analysts"
roles = ["analyst"]
"""


class SignInSite(NamedTuple):
    """Where pages are, and their provider."""

    address: str
    issuer: str


@pytest.fixture(scope="module")
def site(rules: Rules, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignInSite]:
    folder = tmp_path_factory.mktemp("signing-in")
    (folder / "groups.toml").write_text(GROUPS)
    (folder / "secret").write_text(SECRET)
    at_redis, port = free_ports(2)
    address = f"http://localhost:{port}"
    settings = Settings(redis_url=f"redis://127.0.0.1:{at_redis}/0", kafka_bootstrap="localhost:1")
    with (
        server(folder, at_redis),
        openid_provider([address]) as provider,
    ):
        StoredState(settings, rules).add_file(DATA / "messy-11.jsonl.gz")
        with serving(
            settings,
            NOW,
            folder,
            str(port),
            sign_in="oidc",
            oidc_issuer=provider.issuer,
            oidc_client_id=CLIENT,
            oidc_client_secret_file=str(folder / "secret"),
            site_address=address,
            groups_file=str(folder / "groups.toml"),
        ):
            yield SignInSite(address, provider.issuer)


def opened(browser: Browser, width: int = WIDE, dark: bool = False, script: bool = True) -> Page:
    return open_page(browser, width, dark=dark, script=script)


def sign_in(page: Page, name: str) -> None:
    page.get_by_role("link", name="Sign in", exact=True).click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Continue").click()


def test_a_manager_signs_in_is_denied_an_operators_page_and_signs_out_by_keyboard_alone(
    browser: Browser, site: SignInSite
) -> None:
    page = opened(browser, script=False)
    page.goto(f"{site.address}/account")
    assert "you are not signed in here" in page.locator("main").inner_text().lower()
    page.get_by_role("link", name="Sign in", exact=True).press("Enter")
    page.get_by_label("Name").fill("manager")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()
    assert page.url == f"{site.address}/account"
    text = page.locator("main").inner_text()
    assert "manager@example.org" in text
    assert "of Thanet" in text
    assert page.get_by_role("link", name="Operations").count() == 0
    (cookie,) = [it for it in page.context.cookies() if it["name"] == "caseline-session"]
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Lax", "/")
    denied = page.goto(f"{site.address}/operations")
    assert denied
    assert denied.status == 403
    page.get_by_role("button", name="Sign out").press("Enter")
    # The page leads on to the provider, which asks whether they mean it, and back.
    expect(page.get_by_text("Do you want to sign-out")).to_be_visible()
    assert page.url.startswith(f"{site.issuer}/session/end")
    page.get_by_role("button", name="Yes, sign me out").press("Enter")
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    assert page.url.startswith(f"{site.address}/signed-out")
    page.goto(f"{site.address}/account")
    expect(page.get_by_role("link", name="Sign in", exact=True)).to_be_visible()
    page.context.close()


def test_a_page_that_is_open_elsewhere_is_emptied_when_the_session_ends(
    browser: Browser, site: SignInSite
) -> None:
    page = opened(browser)
    page.goto(f"{site.address}/scorecard")
    sign_in(page, "analyst")
    expect(page.get_by_role("button", name="Pause updates")).to_be_visible()
    other = page.context.new_page()
    other.goto(f"{site.address}/account")
    other.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    assert page.locator("main").inner_text() == "You are signed out"
    page.context.close()


def test_sessions_elsewhere_are_ended_by_whose_they_are_and_by_the_provider(
    browser: Browser, site: SignInSite
) -> None:
    page, other = opened(browser), opened(browser)
    for it in (page, other):
        it.goto(f"{site.address}/account")
        sign_in(it, "analyst")
        expect(it.get_by_role("heading", name="Your account")).to_be_visible()
    page.goto(f"{site.address}/account")
    assert page.get_by_role("row", name="Chrome").count() == 2
    page.get_by_role("link", name="sign in again").press("Enter")
    page.get_by_label("Name").fill("analyst")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="End all but this one")).to_be_visible()
    assert_no_rule_is_broken(page)
    page.goto(f"{site.address}/connect")
    expect(page.get_by_role("button", name="Make it")).to_be_visible()
    assert_no_rule_is_broken(page)
    page.goto(f"{site.address}/account")
    page.get_by_role("button", name="End", exact=True).press("Enter")
    expect(page.get_by_text("You are signed in nowhere else")).to_be_visible()
    other.goto(f"{site.address}/account")
    expect(other.get_by_text("you are not signed in here")).to_be_visible()
    # Signing out at the provider, which no browser tells the site of.
    page.goto(f"{site.issuer}/session/end")
    page.get_by_role("button", name="Yes, sign me out").press("Enter")
    expect(page.get_by_text("Sign-out Success")).to_be_visible()
    page.goto(f"{site.address}/account")
    expect(page.get_by_text("you are not signed in here")).to_be_visible()
    page.context.close()
    other.context.close()


def test_one_without_a_role_is_told_so_and_not_signed_in(
    browser: Browser, site: SignInSite
) -> None:
    page = opened(browser)
    page.goto(f"{site.address}/account")
    sign_in(page, "stranger")
    expect(page.get_by_text("none of the roles")).to_be_visible()
    assert not [it for it in page.context.cookies() if it["name"] == "caseline-session"]
    page.context.close()


@pytest.mark.parametrize(("width", "dark"), [(WIDE, False), (NARROW, True)])
def test_no_page_of_signing_in_breaks_a_rule_of_wcag(
    browser: Browser, site: SignInSite, width: int, dark: bool
) -> None:
    page = opened(browser, width, dark)
    for path in ("/account", "/signed-out"):
        page.goto(f"{site.address}{path}")
        assert_no_rule_is_broken(page)
    page.goto(f"{site.address}/account")
    sign_in(page, "analyst")
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()
    assert_no_rule_is_broken(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.context.close()
