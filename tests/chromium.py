"""The Chromium that tests look at pages with."""

import os
import shutil

import pytest

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
HOW_TO_INSTALL = "The browser tests need Chromium: install it (on Debian: apt-get install chromium), or set CHROMIUM."


def find_chromium() -> str:
    """The browser's path. Without one the tests fail: a skipped test of a page proves nothing."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if path is None or not os.access(path, os.X_OK):
        pytest.fail(HOW_TO_INSTALL)
    return path
