"""A real browser for tests: Debian's Chromium, driven without a profile of its own."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.patience import MILLISECONDS

# Chromium asks home for components and settings unless it is told not to.
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)


class BrowserMissingError(RuntimeError):
    """There is no Chromium, and it could not be installed."""


def find_chromium() -> str:
    """Where Chromium is, installed first if need be. Raises BrowserMissingError."""
    found = subprocess.run(["scripts/browser"], capture_output=True, text=True, check=False)
    if found.returncode:
        raise BrowserMissingError(found.stderr.strip())
    return found.stdout.strip()


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Chromium, until the block ends. Raises BrowserMissingError."""
    path = find_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        try:
            yield browser
        finally:
            browser.close()


def open_page(
    browser: Browser, width: int, *, dark: bool = False, script: bool = True, **options: Any
) -> Page:
    """An empty page, as in a browser of its own, which waits as patiently as other tests."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if dark else "light",
        java_script_enabled=script,
        **options,
    )
    context.set_default_timeout(MILLISECONDS)
    return context.new_page()
