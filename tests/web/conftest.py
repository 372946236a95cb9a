"""Fixtures of the tests in a browser: photos, a server of the page, a browser, and the freshly loaded page."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageOps

from browser import errors_of, open_browser, wait_until
from page_server import MAX_BYTES, serving_page
from page_steps import READY


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with photos: one face, two faces, no face, a text file, a truncated file, a file that is too large."""
    folder = tmp_path_factory.mktemp("page")
    photo = Image.fromarray(pytest.importorskip("skimage").data.astronaut())
    photo.save(folder / "one.png")
    part = photo.crop((90, 0, 390, 300))
    two = Image.new("RGB", (600, 300))
    two.paste(part, (0, 0))
    two.paste(ImageOps.mirror(part), (300, 0))
    two.save(folder / "two.png")
    Image.new("RGB", (200, 160), (90, 120, 150)).save(folder / "none.png")
    content = (folder / "one.png").read_bytes()
    (folder / "damaged.png").write_bytes(content[: len(content) // 2])
    (folder / "text.jpg").write_text("not an image")
    (folder / "large.jpg").write_bytes(bytes(MAX_BYTES + 1000))
    (folder / "downloads").mkdir()
    return folder


@pytest.fixture(scope="package")
def address() -> Iterator[str]:
    """Address of a server of the page."""
    with serving_page() as address:
        yield address


@pytest.fixture(scope="package")
def opened(folder: Path) -> Iterator[Any]:
    """A browser that allows the camera."""
    with open_browser(folder / "downloads", "--use-fake-ui-for-media-stream") as browser:
        yield browser


@pytest.fixture
def page(opened: Any, address: str) -> Iterator[Any]:
    """The first page, freshly loaded; at the end, nothing may have gone to the console."""
    opened.get(address)
    wait_until(opened, READY)
    yield opened
    assert errors_of(opened) == []
