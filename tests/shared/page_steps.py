"""Steps of the tests of the web page in a browser."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from browser import wait_until

READY = "document.body.dataset.ready === 'true'"
DONE = "document.body.dataset.screen === 'result' && !document.body.hasAttribute('aria-busy')"


def upload(page: Any, path: Path) -> None:
    """Choose a file with the file chooser."""
    page.find_element("id", "photo-file").send_keys(str(path))


def show(page: Any, path: Path) -> None:
    """Upload a photo and wait for its result."""
    upload(page, path)
    wait_until(page, DONE)


def overlay(page: Any) -> int:
    """A number that changes with what is drawn on the photo."""
    return page.execute_script(
        """const overlay = document.getElementById('overlay');
        // Reading a canvas changes how the browser draws it: read a copy.
        const c = document.createElement('canvas'); c.width = overlay.width; c.height = overlay.height;
        const copy = c.getContext('2d', {willReadFrequently: true});
        copy.drawImage(overlay, 0, 0);
        const d = copy.getImageData(0, 0, c.width, c.height).data;
        let sum = 0; for (let i = 0; i < d.length; i++) sum = (sum * 31 + d[i]) % 1000000007; return sum;"""
    )


def vertices(page: Any) -> np.ndarray:
    """(V, 3) vertices of the 3D face, mm."""
    return np.array(page.execute_script("return Array.from(rdrface.view.viewer.vertices)")).reshape(-1, 3)


def move_slider(page: Any, name: str, value: float) -> None:
    """Move the slider of an expression."""
    page.execute_script(
        """const slider = document.querySelector(`input[name=${arguments[0]}]`);
        slider.value = arguments[1]; slider.dispatchEvent(new Event('input', {bubbles: true}));""",
        name,
        value,
    )


def drawn(page: Any) -> str:
    """The 3D view after its next frame."""
    before = page.execute_script("rdrface.view.viewer.render(); return rdrface.view.viewer.frames")
    wait_until(page, f"rdrface.view.viewer.frames > {before}")
    return str(page.execute_script("return document.getElementById('model').toDataURL()"))


def message(page: Any, code: str) -> str:
    """Wait for the message of a code; returns its text."""
    wait_until(page, f"!document.getElementById('message').hidden && message.dataset.code === '{code}'")
    return str(page.find_element("id", "message").text)


def write_clip(path: Path, photo: Path) -> None:
    """A clip of a second that moves to the right over a photo."""
    av = pytest.importorskip("av")
    image = Image.open(photo).convert("RGB")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libvpx", rate=10)
        stream.width = stream.height = 320
        stream.pix_fmt = "yuv420p"
        for i in range(10):
            part = image.crop((60 + 4 * i, 0, 380 + 4 * i, 320))
            container.mux(stream.encode(av.VideoFrame.from_image(part)))
        container.mux(stream.encode())


def write_y4m(path: Path, photo: Path) -> None:
    """A video of one frame for the fake camera."""
    y, cb, cr = Image.open(photo).convert("YCbCr").split()
    planes = [y, *(plane.resize((y.width // 2, y.height // 2)) for plane in (cb, cr))]
    frame = b"FRAME\n" + b"".join(plane.tobytes() for plane in planes)
    path.write_bytes(f"YUV4MPEG2 W{y.width} H{y.height} F10:1 Ip A1:1 C420\n".encode() + 10 * frame)
