"""What tests of pages share: a real browser."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import BrowserMissingError, open_browser
from tests.support.patience import MILLISECONDS

# What a page comes to after a click or a key is waited for, however long that takes.
expect.set_options(timeout=MILLISECONDS)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Where Chromium cannot be had the tests are skipped, with the reason; in CI that fails."""
    try:
        with open_browser() as opened:
            yield opened
    except BrowserMissingError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
