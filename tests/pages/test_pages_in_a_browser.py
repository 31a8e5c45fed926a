"""The pages as a reader has them: opened in Chromium, and judged by axe."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from snapshots.publish.text.view import View
from snapshots.publish.writing import PublicationFormat, publish
from tests.support.october_releases import earlier_months, later, october
from tests.support.publicview import public_view
from tests.support.wcag import NARROW, WIDE, assert_no_rule_is_broken, broken_rules
from tests.support.wide_releases import of_every_kind

pytestmark = pytest.mark.browser

PAGES = [
    f"{name}-internal.html"
    for name in (
        *("index", "kent", "north", "tonbridge-and-malling", "charts"),
        *("definitions", "quality", "changes"),
    )
]
# One page of each kind of place that is no area, and the page that leads to them.
OTHER_PLACES = {
    "places-internal.html": "Poplar",
    "provider-poplar-internal.html": "Family support: open cases",
    "childrens-centre-acorn-internal.html": "registered",
    "youth-hub-elder-internal.html": "Registered, aged 8 to 19",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    view = View(later(), [october(), *earlier_months()])
    return publish(view, tmp_path_factory.mktemp("internal"), [PublicationFormat.HTML])[0].parent


@pytest.fixture(scope="module")
def public_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish(public_view(), tmp_path_factory.mktemp("public"), [PublicationFormat.HTML])[
        0
    ].parent


@pytest.fixture(scope="module")
def wide_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release with figures of providers and sites."""
    folder = tmp_path_factory.mktemp("wide")
    return publish(View(of_every_kind()), folder, [PublicationFormat.HTML])[0].parent


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": WIDE, "height": 900})
    yield opened
    opened.close()


@pytest.mark.parametrize("name", PAGES)
def test_no_page_breaks_a_rule_of_wcag(page: Page, folder: Path, name: str) -> None:
    for width in (WIDE, NARROW):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto((folder / name).as_uri())
        assert_no_rule_is_broken(page)


@pytest.mark.parametrize("name", OTHER_PLACES)
def test_a_page_of_a_provider_or_a_site_is_as_sound_as_that_of_an_area(
    page: Page, wide_folder: Path, name: str
) -> None:
    for width in (WIDE, NARROW):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto((wide_folder / name).as_uri())
        assert_no_rule_is_broken(page)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= NARROW
    assert OTHER_PLACES[name] in page.locator("#content").inner_text()
    links = page.eval_on_selector_all("a[href]", "all => all.map(a => a.getAttribute('href'))")
    assert all((wide_folder / (link.partition("#")[0] or name)).is_file() for link in links)


def test_a_reader_goes_from_the_front_page_to_a_provider_and_to_a_hub(
    page: Page, wide_folder: Path
) -> None:
    for place in ("Poplar", "Elder"):
        page.goto((wide_folder / "index-internal.html").as_uri())
        page.get_by_role("link", name="Providers and places").first.click()
        page.get_by_role("link", name=place, exact=True).first.click()
        expect(page.locator("h1")).to_contain_text(place)


def test_axe_finds_a_fault_where_there_is_one(page: Page) -> None:
    page.set_content('<p style="color: #bbb; background: #fff">Faint</p><img src="data:,">')
    found = broken_rules(page)
    assert {"color-contrast", "image-alt"} <= {each["id"] for each in found.response["violations"]}


def test_a_public_page_with_suppressed_figures_breaks_none_either(
    page: Page, public_folder: Path
) -> None:
    page.goto((public_folder / "dover.html").as_uri())
    assert_no_rule_is_broken(page)
    assert page.locator("text=[c]").count() > 4


def test_pages_fetch_nothing_and_run_nothing(page: Page, folder: Path) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for name in PAGES:
        page.goto((folder / name).as_uri())
    assert [url for url in asked if not url.startswith("data:")] == [
        (folder / name).as_uri() for name in PAGES
    ]
    assert page.locator("script").count() == 0


def test_every_link_leads_to_a_page_that_was_published(page: Page, folder: Path) -> None:
    for name in PAGES:
        page.goto((folder / name).as_uri())
        links = page.eval_on_selector_all("a[href]", "all => all.map(a => a.getAttribute('href'))")
        assert links
        for link in links:
            target, _, fragment = link.partition("#")
            assert (folder / (target or name)).is_file(), link
            assert not fragment or page.locator(f"#{fragment}").count() == 1


@pytest.mark.parametrize("name", PAGES)
def test_pages_reflow_on_a_narrow_screen(page: Page, folder: Path, name: str) -> None:
    page.set_viewport_size({"width": NARROW, "height": 640})
    page.goto((folder / name).as_uri())
    across = page.evaluate("document.scrollingElement.scrollWidth")
    assert across <= NARROW


def test_the_keyboard_reaches_the_content_first(page: Page, folder: Path) -> None:
    page.goto((folder / "kent-internal.html").as_uri())
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to main content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()


def test_tables_say_which_headers_their_cells_have(page: Page, folder: Path) -> None:
    for name in PAGES:
        page.goto((folder / name).as_uri())
        assert page.locator("th:not([scope])").count() == 0
        assert page.locator("html").get_attribute("lang") == "en-GB"
        assert page.locator("h1").count() == 1


def test_ratings_directions_and_trends_are_said_in_words(page: Page, folder: Path) -> None:
    page.goto((folder / "kent-internal.html").as_uri())
    rows = page.locator("table.scorecard tbody tr")
    assert rows.count() == 20
    text = rows.nth(13).inner_text()
    assert "Red" in text
    assert "Up" in text
    trend = rows.nth(0).get_by_role("img").get_attribute("aria-label") or ""
    assert trend.startswith("Trend by month from April 2015 to October 2015:")
    assert trend.endswith("655, 816.")


def test_a_printed_page_has_its_figures_and_no_navigation(page: Page, folder: Path) -> None:
    page.goto((folder / "dartford-internal.html").as_uri())
    page.emulate_media(media="print")
    assert not page.locator("nav.main").is_visible()
    assert page.locator("table.scorecard").is_visible()
