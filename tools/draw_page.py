"""Takes the pictures of docs/page.md: the web page in a headless Chromium, with the example photo.

rdrface serve --port 8000 &
python tools/draw_page.py http://127.0.0.1:8000 docs/images
"""

import argparse
import base64
import io
import shutil
import time
from pathlib import Path
from typing import Any

from PIL import Image

DESKTOP = {"width": 1280, "height": 800, "deviceScaleFactor": 1, "mobile": False}
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
RESULT = "document.querySelector('.also [data-action=example]').click()"
TURNED = f"{RESULT}; setTimeout(() => rdrface.view.viewer.turntable.turn(-70, 15), 4000)"
PICTURES = {
    "page_first.jpg": (DESKTOP, "light", ""),
    "page_desktop.jpg": (DESKTOP, "light", TURNED),
    "page_dark.jpg": (DESKTOP, "dark", f"{TURNED}; document.querySelector('[data-surface=mesh]').click()"),
    "page_phone.jpg": (PHONE, "light", RESULT),
}
"""File -> window, color scheme, script that is run on the first page."""


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", metavar="ADDRESS", help="address of a running server")
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of the pictures")
    arguments = parser.parse_args()
    # Imported here, so that --help works without the extra dev.
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for option in ("--headless=new", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"):
        options.add_argument(option)
    options.add_argument("--hide-scrollbars")
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        for name, (window, scheme, script) in PICTURES.items():
            take(browser, arguments.address, window, scheme, script).save(arguments.folder / name, quality=88)
    finally:
        browser.quit()


def take(browser: Any, address: str, window: dict[str, Any], scheme: str, script: str) -> Image.Image:
    """The page after a script."""
    features = [("prefers-color-scheme", scheme), ("prefers-reduced-motion", "reduce")]
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", window)
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": name, "value": value} for name, value in features]}
    )
    browser.get(address)
    while browser.execute_script("return document.body.dataset.ready") != "true":
        time.sleep(0.2)
    browser.execute_script(script)
    time.sleep(8)
    picture = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
    return Image.open(io.BytesIO(base64.b64decode(picture["data"]))).convert("RGB")


if __name__ == "__main__":
    main()
