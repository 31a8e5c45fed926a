"""The rules of WCAG 2.2, as axe finds them broken (https://www.w3.org/TR/WCAG22/)."""

import json

from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import Page

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# Of what is as it should be axe would tell as much for each element, which is most of its work.
RUN = "axe.run(%s).then(found => ({violations: found.violations}))"
# What of a page goes beyond its right edge.
CUT_OFF = """[...document.querySelectorAll("table, svg, pre")]
  .filter(it => it.getBoundingClientRect().right > innerWidth + 1).map(it => it.outerHTML)"""
# The width at which reflow is asked for (1.4.10), and a desk's.
NARROW, WIDE = 320, 1280


def broken_rules(page: Page, *left_out: str) -> AxeResults:
    """What axe finds on a page as it is shown, but for rules that say nothing of it."""
    rules = {name: {"enabled": False} for name in left_out}
    options = {
        "runOnly": {"type": "tag", "values": WCAG},
        "rules": rules,
        "resultTypes": ["violations"],
    }
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    return AxeResults(page.evaluate(RUN % json.dumps(options)))


def assert_prints(page: Page) -> None:
    """Fails where a page on paper breaks a rule, is dark, is cut off, or leads anywhere.

    Whatever the reader's colours are, paper is white.
    """
    page.emulate_media(media="print", color_scheme="dark")
    assert_no_rule_is_broken(page, "target-size")  # nothing is pressed on paper
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate(CUT_OFF) == []
    assert not page.locator("form.choose:visible, .goes:visible, nav:visible").count()
    page.emulate_media(media="screen")


def assert_no_rule_is_broken(page: Page, *left_out: str) -> None:
    """Fails with axe's report."""
    found = broken_rules(page, *left_out)
    assert found.violations_count == 0, found.generate_report()
