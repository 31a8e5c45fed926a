"""What pages weigh, and how they come up in a browser on a slow machine.

The browser is the Chromium of the tests, with its processor slowed down. What it measures itself
is read from it (W3C Paint Timing, Largest Contentful Paint, Layout Instability, Event Timing).
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from gzip import compress
from http import HTTPStatus
from time import perf_counter
from typing import NamedTuple
from urllib.parse import urlencode

from playwright.sync_api import Browser, Page

from bench.asking import Reader, Reply
from bench.figures import Figure, at_most, quantile
from bench.progress import stage
from bench.server import Server
from streams.serving.roles import ROUTES_BY_NAME
from streams.serving.site import PAGES
from tests.support.browser import open_browser

SLOWER = 4
OPENED = 3
# What may still move once a page is loaded, in milliseconds.
REST_MS = 1_000
# Events that take less are not told of by the browser.
LEAST_MS = 16
PRESSES = 5
# A page that is answered later is not opened: nobody looks at how it comes up.
MOST_SECONDS = 10.0
WATCH = """
window.seen = {fcp: 0, lcp: 0, cls: 0, inp: 0};
const watch = (type, see, more) =>
  new PerformanceObserver((list) => list.getEntries().forEach(see))
    .observe({type, buffered: true, ...more});
watch("paint", (it) => { if (it.name === "first-contentful-paint") seen.fcp = it.startTime; });
watch("largest-contentful-paint", (it) => { seen.lcp = it.startTime; });
watch("layout-shift", (it) => { if (!it.hadRecentInput) seen.cls += it.value; });
watch("event", (it) => { if (it.interactionId) seen.inp = Math.max(seen.inp, it.duration); },
  {durationThreshold: LEAST_MS});
""".replace("LEAST_MS", str(LEAST_MS))


class Seen(NamedTuple):
    """What a browser measured of a page: milliseconds, and how far things moved about."""

    fcp: float
    lcp: float
    cls: float
    inp: float


def opened_pages(server: Server, code: str, place: str) -> Iterator[Figure]:
    """The weight of every page, and how it comes up."""
    reader = Reader(server.address, server.headers)
    addresses = _addresses(reader, code, place)
    with stage("pages are weighed", len(addresses)) as show:
        style, script = _assets(reader)
        yield Figure("JavaScript of a page", script, "kB", at_most(25))
        for number, (name, address) in enumerate([*addresses.items()]):
            began = perf_counter()
            reply = _page(reader, address)
            took = perf_counter() - began
            show(number)
            if took > MOST_SECONDS:
                del addresses[name]
                yield Figure(f"{name}: not opened, for it is answered after", took, "s")
            if reply.status != HTTPStatus.OK:
                addresses.pop(name, None)
                yield Figure(f"{name}: not shown, but status", reply.status, "")
                continue
            weight = len(reply.body) / 1000 + style + script
            yield Figure(f"{name}: weight", weight, "kB", at_most(100))
    reader.close()
    with stage("pages are opened", len(addresses)) as show, open_browser() as browser:
        for number, (name, address) in enumerate(addresses.items()):
            seen = [_opened(browser, server, address) for _ in range(OPENED)]
            show(number)
            yield from _figures(name, seen)
        yield from _chosen(browser, server)


def _figures(name: str, seen: list[Seen]) -> Iterator[Figure]:
    first, largest = ([getattr(it, what) for it in seen] for what in ("fcp", "lcp"))
    yield Figure(f"{name}: first paint", quantile(first, 0.5), "ms", at_most(1_000), tuple(first))
    yield Figure(
        f"{name}: largest paint", quantile(largest, 0.5), "ms", at_most(1_500), tuple(largest)
    )
    yield Figure(f"{name}: layout shift", max(it.cls for it in seen), "", at_most(0.02))


def _chosen(browser: Browser, server: Server) -> Iterator[Figure]:
    """A filter is changed by its keys, and what is asked for then is shown."""
    longest: list[float] = []
    shown: list[float] = []
    for _ in range(OPENED):
        with _new_page(browser, server) as page:
            page.goto(f"{server.address}/scorecard", wait_until="load")
            page.wait_for_timeout(REST_MS)
            page.focus("#place")
            for _ in range(PRESSES):
                page.keyboard.press("ArrowDown")
                page.wait_for_timeout(REST_MS / PRESSES)
            longest.append(max(_seen(page).inp, LEAST_MS))
            with page.expect_navigation(wait_until="load"):
                page.click("form.choose button")
            page.wait_for_timeout(REST_MS)
            shown.append(_seen(page).fcp)
    yield Figure(
        "a filter is changed: interaction to next paint, at most",
        quantile(longest, 0.5),
        "ms",
        at_most(100),
        tuple(longest),
    )
    yield Figure("a filter is changed: what it asks for, first paint", quantile(shown, 0.5), "ms")


def _opened(browser: Browser, server: Server, address: str) -> Seen:
    """How a page comes up that was never there before."""
    with _new_page(browser, server) as page:
        page.goto(f"{server.address}{address}", wait_until="load")
        page.wait_for_timeout(REST_MS)
        return _seen(page)


@contextmanager
def _new_page(browser: Browser, server: Server) -> Iterator[Page]:
    """A page of one who was never here, on a slow machine, for as long as the context lasts."""
    context = browser.new_context(extra_http_headers=server.headers)
    try:
        context.add_init_script(WATCH)
        page = context.new_page()
        slow = context.new_cdp_session(page)
        slow.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        yield page
    finally:
        context.close()


def _seen(page: Page) -> Seen:
    return Seen(**page.evaluate("window.seen"))


def _addresses(reader: Reader, code: str, place: str) -> dict[str, str]:
    """Where each kind of page is, by what it is called."""
    cell = urlencode({"code": code, "place": place})
    found = {title: ROUTES_BY_NAME[name].path for name, title in PAGES.items()}
    found |= {
        "Indicator": f"/indicators/{code}?{urlencode({'place': place})}",
        "Compare": f"/compare/{code}",
        "Cases": f"/cases?{cell}",
        "Explanation": f"/explanations?{cell}&against=2015-11-30",
    }
    listed = json.loads(reader.ask_until_ready(f"/api/v1/cases?{cell}").body)["rows"]
    reference = next((it["reference"] for it in listed if it["reference"]), None)
    if reference:
        found["Case"] = f"/cases/{reference}"
    alerts = json.loads(reader.ask("/api/v1/alerts").body)["rows"]
    if alerts:
        found["Alert"] = f"/alerts/{alerts[0]['alert']}"
    return found


def _assets(reader: Reader) -> tuple[float, float]:
    """What style and script weigh, in kB."""
    text = reader.ask("/scorecard", {"Accept": "text/html"}).body.decode()
    sizes = []
    for pattern in (r"/assets/\w+/style\.css", r"/assets/\w+/live\.js"):
        found = re.search(pattern, text)
        assert found, "a page names its style and its script"
        body = reader.ask(found[0], {"Accept-Encoding": "gzip"})
        is_packed = body.headers.get("content-encoding") == "gzip"
        sizes.append(len(body.body if is_packed else compress(body.body)) / 1000)
    return sizes[0], sizes[1]


def _page(reader: Reader, address: str) -> Reply:
    return reader.ask(address, {"Accept": "text/html", "Accept-Encoding": "gzip"})
