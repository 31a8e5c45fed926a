"""A real browser for tests: Debian's Chromium, driven without a profile of its own."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

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
