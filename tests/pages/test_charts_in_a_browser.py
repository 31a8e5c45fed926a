"""Charts as readers have them: one at a time, at any width, in light and dark, judged by axe."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from streams.serving.charts.drawing import figure
from tests.support.charts import all_charts
from tests.support.wcag import NARROW, WIDE, assert_no_rule_is_broken

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
STYLES = ("snapshots/publish/formats/templates/style.css", "streams/serving/assets/charts.css")
# What the pages send: whatever is not their own is refused, and so is style within markup.
POLICY = "default-src 'none'; style-src 'self' file:; img-src 'self'"
# Half a pixel under what it says counts as it, as browsers round.
SMALLEST_TEXT = 8.5


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("charts")
    style = "".join((ROOT / name).read_text("utf-8") for name in STYLES)
    (folder / "style.css").write_text(style, "utf-8")
    (folder / "charts.html").write_text(
        '<!doctype html><html lang="en-GB"><head><meta charset="utf-8"><title>Charts</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><link rel="stylesheet" href="style.css">'
        '</head><body><main class="wrap"><h1>Charts</h1>'
        f"{''.join(figure(it) for it in all_charts())}</main></body></html>",
        "utf-8",
    )
    return (folder / "charts.html").as_uri()


@pytest.mark.parametrize(
    ("width", "scheme"), [(WIDE, "light"), (WIDE, "dark"), (NARROW, "light")], ids=str
)
def test_charts_are_seen_once_at_any_width_and_axe_finds_nothing(
    browser: Browser, address: str, width: int, scheme: str
) -> None:
    dark = scheme == "dark"
    # The policy is for charts; axe is put into the page beside it.
    page = browser.new_page(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if dark else "light",
        bypass_csp=True,
    )
    page.goto(address)
    shown = [it.get_attribute("class") for it in page.locator("svg[role=img]:visible").all()]
    sizes = {size for it in shown for size in (it or "").split()}
    assert ("wide" in sizes, "narrow" in sizes) == (width == WIDE, width == NARROW)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for text in page.locator("svg[role=img]:visible text").all():
        box = text.bounding_box()
        assert box is not None
        assert box["height"] >= SMALLEST_TEXT
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    for summary in page.locator("summary").all():
        summary.click()
    assert_no_rule_is_broken(page)
    page.close()


def test_nothing_in_a_chart_is_refused_by_the_pages_policy(browser: Browser, address: str) -> None:
    page = browser.new_page()
    said: list[str] = []
    page.on("console", lambda it: said.append(it.text))
    page.goto(address)
    page.locator("summary").first.click()
    assert said == []
    page.close()


def test_in_print_the_tables_are_there_without_being_opened(browser: Browser, address: str) -> None:
    page = browser.new_page()
    page.goto(address)
    row = page.locator("figure.chart tbody tr").first
    assert not row.is_visible()
    page.emulate_media(media="print")
    assert row.is_visible()
    page.close()
