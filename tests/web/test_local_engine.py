"""The page without a server: its faces equal those of Python. Needs the folder that `make web` writes."""

import base64
import io
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

import rdrface
from browser import errors_of, open_browser, wait_until

FOLDER = Path(__file__).parents[2] / "out" / "web"
TOLERANCE = 0.2  # percent of the face size


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """No log."""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The page in a browser."""
    if not (FOLDER / "face_model.bin").exists():
        pytest.skip("out/web is missing: run make web")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(FOLDER)))
    Thread(target=server.serve_forever, daemon=True).start()
    with open_browser(tmp_path_factory.mktemp("downloads")) as browser:
        browser.get(f"http://127.0.0.1:{server.server_address[1]}/")
        wait_until(browser, "document.body.dataset.ready === 'true'")
        yield browser
    server.shutdown()
    server.server_close()


def photos() -> dict[str, Image.Image]:
    """Photos: as it is, enlarged, two faces, rotated by 40 and by 90 degrees, cut by the edge."""
    photo = Image.fromarray(pytest.importorskip("skimage").data.astronaut())
    part = photo.crop((90, 0, 390, 300))
    two = Image.new("RGB", (900, 420), (120, 120, 120))
    two.paste(part, (40, 60))
    two.paste(ImageOps.mirror(part).resize((360, 360)), (480, 30))
    return {
        "as it is": photo,
        "enlarged": photo.resize((1900, 1900), Image.Resampling.BICUBIC),
        "two faces": two,
        "rotated": photo.crop((60, 0, 400, 340)).rotate(40, Image.Resampling.BICUBIC),
        "sideways": photo.crop((0, 0, 512, 400)).transpose(Image.Transpose.ROTATE_90),
        "cut": photo.crop((215, 20, 480, 300)),
    }


@pytest.mark.parametrize("name", ["as it is", "enlarged", "two faces", "rotated", "sideways", "cut"])
def test_faces_equal_those_of_python(page: Any, name: str) -> None:
    photo = photos()[name]
    expected = rdrface.load("lite", backend="onnxruntime", precision="float32").detect(photo)
    content = io.BytesIO()
    photo.save(content, "PNG")
    page.execute_async_script(
        """const [text, done] = arguments;
        const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
        const keep = (found) => { globalThis.result = found; done(); };
        rdrface.engine.detect(new Blob([bytes])).then(keep, (error) => done(error.stack));""",
        base64.b64encode(content.getvalue()).decode(),
    )
    got = [rdrface.Face.from_dict(face) for face in page.execute_script("return result.faces")]
    assert len(got) == len(expected) > 0
    for one, other in zip(got, expected, strict=True):
        for part in ("landmarks", "landmarks_jawline", "landmarks_3d", "projection"):
            distance = np.linalg.norm(getattr(one, part) - getattr(other, part), axis=1) / other.size
            assert 100 * distance.mean() < TOLERANCE, part
        np.testing.assert_allclose(one.visibility, other.visibility, atol=0.05)
        assert one.expected_error == pytest.approx(other.expected_error, abs=0.1)
        assert one.pose.yaw == pytest.approx(other.pose.yaw, abs=0.5)
    assert errors_of(page) == []


def test_the_first_page_says_that_the_photo_stays_here(page: Any) -> None:
    assert "does not leave this computer" in page.find_element("id", "privacy").text


def test_a_file_that_is_no_photo_is_explained(page: Any, tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("not an image")
    page.find_element("id", "photo-file").send_keys(str(tmp_path / "text.jpg"))
    wait_until(page, "!message.hidden && message.dataset.code === 'bad_image'")
