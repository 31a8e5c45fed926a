"""Freezing, previewing and publishing in Chromium, and dead letters: by keyboard, without a script,
and judged by axe."""

from collections.abc import Iterator
from json import dumps
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from processors.record.decoding import Rejection
from snapshots.releases.chain import seal
from streams.kafka.batches import TP, KafkaRecord
from streams.kafka.deadletters import dead_letter_topic, headers_of
from streams.serving.examples import EVENT
from tests.support.browser import open_page
from tests.support.disclosing import step_downs
from tests.support.publishers import Publishers, keep, publishing
from tests.support.topics import Sent, send
from tests.support.wcag import NARROW, WIDE, assert_no_rule_is_broken, broken_rules
from tests.support.workers import CommandLine

pytestmark = [pytest.mark.browser, pytest.mark.services, pytest.mark.long]

TOPIC = "case-events"
LETTER = f"{TOPIC}:0:7"


@pytest.fixture(scope="module")
def publishers(
    shared: CommandLine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Publishers]:
    with shared.worker() as worker:  # so that there is a state, if only of nothing
        worker.wait_to_hold(7)
    with publishing(shared, tmp_path_factory.mktemp("publishing")) as it:
        narrow = step_downs(Alder_04=3, Alder_510=6, Birch_04=4, Birch_510=2)
        keep(it.settings, seal(step_downs(Alder_04=3)), seal(narrow.model_copy(update=SEPTEMBER)))
        record = KafkaRecord(b"child-1", b'{"specversion": "1.0"}', (), 0, 7)
        rejection = Rejection("schema", "there is no type")
        added = tuple(headers_of(TP(TOPIC, 0), record, rejection))
        letter = Sent(record.key, record.value, added)
        send(it.settings.kafka_bootstrap, dead_letter_topic(TOPIC), [letter])
        yield it


SEPTEMBER = {"period": "2015-09"}


@pytest.fixture(scope="module")
def previewed(browser: Browser, publishers: Publishers) -> str:
    """The path of a preview."""
    page = opened(browser, publishers, "P. Lisher")
    page.goto(f"{publishers.address}/releases/2015-09/1")
    page.get_by_role("button", name="Preview").click()
    wait_for_state(page, "Done")
    address = page.url
    page.context.close()
    return address.removeprefix(publishers.address)


def opened(
    browser: Browser,
    publishers: Publishers,
    who: str,
    width: int = WIDE,
    dark: bool = False,
    script: bool = True,
) -> Page:
    name, token = publishers.basic(who)
    credentials = {"username": name, "password": token}
    return open_page(browser, width, dark=dark, script=script, http_credentials=credentials)


def tab_to(page: Page, script: str) -> None:
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.evaluate(script):
            return
    raise AssertionError(f"the keyboard does not come to {script}")


def tab_to_button(page: Page, label: str) -> None:
    here = "document.activeElement.tagName === 'BUTTON' && document.activeElement.textContent"
    tab_to(page, f"{here}.includes('{label}')")


def wait_for_state(page: Page, state: str) -> None:
    expect(page.locator("main p[role=status]")).to_have_text(state)


def test_a_publisher_freezes_a_month_and_publishes_it_by_keyboard_alone(
    browser: Browser, publishers: Publishers
) -> None:
    page = opened(browser, publishers, "P. Lisher")
    page.goto(f"{publishers.address}/releases")
    tab_to(page, "document.activeElement.id === 'period'")
    assert page.locator("#period").input_value() == "2017-05"
    page.keyboard.press("Control+A")
    page.keyboard.type("2017-04")
    page.keyboard.press("Enter")
    page.wait_for_url("**/release-tasks/*")
    wait_for_state(page, "Done")
    assert "2017-04/001 (first) released." in page.locator("main").inner_text()
    tab_to(page, "document.activeElement.pathname === '/releases/2017-04/1'")
    page.keyboard.press("Enter")
    page.wait_for_url("**/releases/2017-04/1")
    assert "There are no files to download here." in page.locator("main").inner_text()
    gone_out = record_of(publishers)
    tab_to_button(page, "Preview")
    page.keyboard.press("Enter")
    page.wait_for_url("**/release-tasks/*")
    assert_no_rule_is_broken(page)
    wait_for_state(page, "Done")
    assert "Nothing of 2017-04 has gone out before." in page.locator("main").inner_text()
    assert record_of(publishers) == gone_out
    tab_to_button(page, "Publish release 1 of 2017-04")
    page.keyboard.press("Enter")
    page.locator("h1", has_text="Publish 2017-04/001").wait_for()
    wait_for_state(page, "Done")
    tab_to(page, "document.activeElement.pathname === '/releases/2017-04/1'")
    page.keyboard.press("Enter")
    page.wait_for_url("**/releases/2017-04/1")
    with page.expect_download() as kept:
        tab_to(page, "(document.activeElement.pathname || '').endsWith('.pdf')")
        page.keyboard.press("Enter")
    assert Path(kept.value.path()).read_bytes().startswith(b"%PDF")
    page.context.close()


def record_of(publishers: Publishers) -> list[Path]:
    return sorted((publishers.settings.releases / "public").glob("*/*.json"))


def test_without_a_script_a_preview_comes_by_itself_and_says_what_is_suppressed(
    browser: Browser, publishers: Publishers
) -> None:
    page = opened(browser, publishers, "P. Lisher", script=False)
    page.goto(f"{publishers.address}/releases/2015-10/1")
    page.get_by_role("button", name="Preview").click()
    wait_for_state(page, "Done")
    withheld = page.locator("section[aria-labelledby=withheld]").inner_text()
    assert "primary" in withheld
    assert "a small count could be worked out from it" in withheld
    assert "Alder: 0-4" in withheld
    page.get_by_role("button", name="Publish release 1 of 2015-10").click()
    page.locator("h1", has_text="Publish 2015-10/001").wait_for()
    wait_for_state(page, "Done")
    page.goto(f"{publishers.address}/releases/2015-10/1")
    assert page.get_by_role("link", name=".csv").count() >= 2
    page.get_by_role("button", name="Publish internally").click()
    page.locator("h1", has_text="Publish 2015-10/001 for the council itself").wait_for()
    wait_for_state(page, "Done")
    page.goto(f"{publishers.address}/releases/2015-10/1")
    assert page.get_by_role("link", name="early-help-2015-10-internal.pdf").count() == 1
    page.context.close()


def test_a_refused_freeze_says_what_the_command_says(
    browser: Browser, publishers: Publishers
) -> None:
    page = opened(browser, publishers, "P. Lisher", script=False)
    page.goto(f"{publishers.address}/releases")
    page.locator("#period").fill("2017-06")
    page.get_by_role("button", name="Freeze").click()
    wait_for_state(page, "Refused")
    said = "2017-06 is not over until the end of 2017-06-30"
    assert said in page.locator("main").inner_text()
    page.context.close()


def test_a_viewer_is_shown_releases_and_denied_all_that_is_done_of_them(
    browser: Browser, publishers: Publishers
) -> None:
    page = opened(browser, publishers, "V. Iewer")
    page.goto(f"{publishers.address}/releases")
    assert page.get_by_role("heading", name="Releases").count() == 1
    assert page.get_by_role("button").count() == 0
    page.goto(f"{publishers.address}/releases/2015-10/1")
    assert page.get_by_role("button", name="Preview").count() == 0
    assert page.get_by_role("button", name="Publish internally").count() == 0
    for path in (f"/release-tasks/{'0' * 16}", "/operations/dead-letters"):
        answer = page.goto(f"{publishers.address}{path}")
        assert answer is not None
        assert answer.status == 403
    page.context.close()


def test_an_operator_corrects_a_dead_letter_and_is_not_shown_what_is_in_it(
    browser: Browser, publishers: Publishers
) -> None:
    page = opened(browser, publishers, "O. Perator")
    page.goto(f"{publishers.address}/operations/dead-letters")
    tab_to(page, f"document.activeElement.textContent === '{LETTER}'")
    page.keyboard.press("Enter")
    page.locator("h1", has_text=f"Dead letter {LETTER}").wait_for()
    assert "there is no type" in page.locator("main").inner_text()
    tab_to(page, "document.activeElement.id === 'event'")
    assert page.locator("#event").input_value() == ""
    page.keyboard.type('{"specversion": "1.0"}')
    tab_to_button(page, "Send corrected")
    page.keyboard.press("Enter")
    page.locator("#wrong").wait_for()
    assert "it is still no event" in page.locator("#wrong").inner_text()
    # What was typed is there, to be put right where the keyboard is.
    expect(page.locator("#event")).to_be_focused()
    assert page.locator("#event").input_value() == '{"specversion": "1.0"}'
    judge(page, WIDE)
    page.locator("#event").fill(dumps(EVENT))
    tab_to_button(page, "Send corrected")
    page.keyboard.press("Enter")
    page.get_by_text("Sent again, corrected, by O. Perator").wait_for()
    page.context.close()


@pytest.mark.parametrize(("width", "dark"), [(WIDE, False), (NARROW, True)])
def test_no_page_of_releases_dead_letters_or_the_log_breaks_a_rule_of_wcag(
    browser: Browser, publishers: Publishers, previewed: str, width: int, dark: bool
) -> None:
    page = opened(browser, publishers, "P. Lisher", width, dark)
    for path in ("/releases/2015-09/1", previewed, "/releases"):
        page.goto(f"{publishers.address}{path}")
        judge(page, width)
    page.context.close()
    page = opened(browser, publishers, "B. Oth", width, dark)
    for path in ("/operations/dead-letters", f"/operations/dead-letters/{LETTER}"):
        page.goto(f"{publishers.address}{path}")
        judge(page, width)
    assert page.locator("#event").input_value() == '{"specversion": "1.0"}'
    page.context.close()
    page = opened(browser, publishers, "A. Uditor", width, dark)
    page.goto(f"{publishers.address}/audit-log")
    judge(page, width)
    page.context.close()


def test_an_auditor_comes_to_the_log_from_where_they_may_not_be_and_looks_through_it_by_keyboard(
    browser: Browser, publishers: Publishers
) -> None:
    page = opened(browser, publishers, "A. Uditor", script=False)
    page.goto(publishers.address)
    assert page.locator("h1").inner_text() == "Forbidden"
    tab_to(page, "document.activeElement.closest('main') && document.activeElement.href")
    page.keyboard.press("Enter")
    page.wait_for_url("**/audit-log")
    tab_to(page, "document.activeElement.id === 'who'")
    page.keyboard.type("A. Uditor")
    page.keyboard.press("Enter")
    page.wait_for_url("**/audit-log?who=A.+Uditor*")
    who = page.locator("tbody th").all_inner_texts()
    assert set(who) == {"A. Uditor"}
    page.context.close()


def judge(page: Page, width: int) -> None:
    """On a screen, where nothing is wider than it, and as printed."""
    assert_no_rule_is_broken(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.emulate_media(media="print")
    broken = {it["id"] for it in broken_rules(page).response["violations"]}
    assert broken <= {"target-size"}  # nobody presses on paper
    page.emulate_media(media="screen")
