"""A headless Chromium for tests of the web page; skips the test if there is none."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
TIMEOUT = 120  # seconds; the 3D view is drawn by the processor


@contextmanager
def open_browser(downloads: Path, *options: str, size: tuple[int, int] = (1280, 800)) -> Iterator[Any]:
    """Open a browser with a fake camera; files are downloaded into a folder."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="Selenium is not installed (pip install '.[page]')")
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("Chromium or chromedriver is not installed (Debian: apt-get install chromium chromium-driver)")
    settings = webdriver.ChromeOptions()
    settings.binary_location = browser
    for option in (
        *("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--force-prefers-reduced-motion"),
        *("--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--use-fake-device-for-media-stream"),
        *(f"--window-size={size[0]},{size[1]}", *options),
    ):
        settings.add_argument(option)
    settings.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    settings.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    opened = webdriver.Chrome(options=settings, service=webdriver.ChromeService(driver))
    opened.set_script_timeout(TIMEOUT)
    try:
        yield opened
    finally:
        opened.quit()


def wait_until(browser: Any, expression: str) -> None:
    """Wait until a JavaScript expression is true."""
    end = time.monotonic() + TIMEOUT
    while not browser.execute_script(f"return Boolean({expression})"):
        assert time.monotonic() < end, f"still false after {TIMEOUT} s: {expression}"
        time.sleep(0.1)


def errors_of(browser: Any) -> list[str]:
    """Messages of the console that are warnings or errors, since the last call."""
    entries = browser.get_log("browser")
    # Chromium's own remark on drawing without a graphics card.
    return [
        entry["message"]
        for entry in entries
        if entry["level"] in ("WARNING", "SEVERE") and "GL Driver Message" not in entry["message"]
    ]
