"""The web page in headless Chromium: upload, results, toggles, sliders, downloads, errors, keyboard and widths."""

import csv
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

import rdrface
from browser import TIMEOUT, errors_of, open_browser, wait_until
from page_server import MAX_BYTES, serving_page
from rdrface.face import packaged_model

By = pytest.importorskip("selenium.webdriver.common.by", reason="Selenium is not installed").By
Keys = pytest.importorskip("selenium.webdriver.common.keys").Keys
DONE = "document.body.dataset.screen === 'result' && !document.body.hasAttribute('aria-busy')"
READY = "document.body.dataset.ready === 'true'"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with photos: one face, two faces, no face, a text file, a file that is too large."""
    folder = tmp_path_factory.mktemp("page")
    photo = Image.fromarray(pytest.importorskip("skimage").data.astronaut())
    photo.save(folder / "one.png")
    part = photo.crop((90, 0, 390, 300))
    two = Image.new("RGB", (600, 300))
    two.paste(part, (0, 0))
    two.paste(ImageOps.mirror(part), (300, 0))
    two.save(folder / "two.png")
    Image.new("RGB", (200, 160), (90, 120, 150)).save(folder / "none.png")
    (folder / "text.jpg").write_text("not an image")
    (folder / "large.jpg").write_bytes(bytes(MAX_BYTES + 1000))
    (folder / "downloads").mkdir()
    return folder


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Address of a server of the page."""
    with serving_page() as address:
        yield address


@pytest.fixture(scope="module")
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


def upload(page: Any, path: Path) -> None:
    page.find_element(By.ID, "photo-file").send_keys(str(path))


def show(page: Any, path: Path) -> None:
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
    return np.array(page.execute_script("return Array.from(rdrface.view.viewer.vertices)")).reshape(-1, 3)


def move_slider(page: Any, name: str, value: float) -> None:
    page.execute_script(
        """const slider = document.querySelector(`input[name=${arguments[0]}]`);
        slider.value = arguments[1]; slider.dispatchEvent(new Event('input', {bubbles: true}));""",
        name,
        value,
    )


def download(page: Any, folder: Path, kind: str) -> Path:
    page.execute_script("document.getElementById('tab-downloads').click()")
    page.find_element(By.CSS_SELECTOR, f"[data-download={kind}]").click()
    end = time.monotonic() + TIMEOUT
    while not (found := list((folder / "downloads").glob(f"one*.{kind}"))):
        assert time.monotonic() < end, f"no {kind} file was downloaded"
        time.sleep(0.1)
    time.sleep(0.3)
    return found[0]


def message(page: Any, code: str) -> str:
    wait_until(page, f"!document.getElementById('message').hidden && message.dataset.code === '{code}'")
    return str(page.find_element(By.ID, "message").text)


def test_the_first_page_explains_itself(page: Any) -> None:
    text = page.find_element(By.TAG_NAME, "main").text
    assert "photo" in text and "3D" in text and "not stored" in text
    assert not page.find_element(By.CSS_SELECTOR, ".details").is_displayed()


def test_a_photo_gives_landmarks_a_3d_face_and_numbers(page: Any, folder: Path) -> None:
    show(page, folder / "one.png")
    (face,) = rdrface.load().detect(folder / "one.png")
    got = page.execute_script("return rdrface.face.landmarks")
    np.testing.assert_allclose(got, face.landmarks, atol=0.01)
    assert "68 points visible" in page.find_element(By.ID, "summary-text").text
    page.find_element(By.ID, "tab-measures").click()
    numbers = page.find_element(By.ID, "measures").text
    assert f"{abs(face.pose.pitch):.1f}°" in numbers
    assert "mouthSmileLeft" in numbers


def test_the_mesh_of_the_page_is_that_of_python(page: Any, folder: Path) -> None:
    show(page, folder / "one.png")
    got = page.execute_script(
        """const at = rdrface.view.model.landmarks(rdrface.view.viewer.vertices);
        return import('/js/pose.js').then((m) => Array.from(m.project(at, rdrface.face.parameters.pose)));"""
    )
    (face,) = rdrface.load().detect(folder / "one.png")
    np.testing.assert_allclose(np.array(got).reshape(-1, 3)[:, :2], face.landmarks_3d[:, :2], atol=0.05)


@pytest.mark.parametrize("name", ["points", "outline", "jawline", "mesh", "hidden", "uncertainty", "zoom"])
def test_each_toggle_changes_the_photo_and_changes_it_back(page: Any, folder: Path, name: str) -> None:
    show(page, folder / "one.png")
    before = overlay(page)
    toggle = page.find_element(By.CSS_SELECTOR, f".toggles [name={name}]")
    toggle.click()
    assert overlay(page) != before
    toggle.click()
    assert overlay(page) == before


def test_a_slider_moves_the_mesh_and_reset_moves_it_back(page: Any, folder: Path) -> None:
    show(page, folder / "one.png")
    before = vertices(page)
    move_slider(page, "jawOpen", 1)
    opened = vertices(page)
    assert (before - opened)[:, 1].max() > 15  # mm that the chin moves down
    page.find_element(By.ID, "reset").click()
    np.testing.assert_array_equal(vertices(page), before)
    page.find_element(By.ID, "neutral").click()
    assert page.execute_script("return Math.max(...[...rdrface.view.sliders.inputs.values()].map((i) => i.value))") == 0


def test_there_is_a_slider_with_a_name_in_words_for_each_expression(page: Any) -> None:
    names = page.execute_script(
        "return [...document.querySelectorAll('#sliders input')].map((i) => [i.name, i.getAttribute('aria-label')])"
    )
    assert sorted(name for name, _ in names) == sorted(packaged_model().expression_names)
    assert all(label and label != name for name, label in names)
    assert len({label for _, label in names}) == 46


def test_the_surface_can_be_the_photo_plain_or_a_mesh(page: Any, folder: Path) -> None:
    show(page, folder / "one.png")
    pictures = set()
    for name in ("photo", "plain", "mesh"):
        page.find_element(By.CSS_SELECTOR, f"[data-surface={name}]").click()
        pictures.add(_drawn(page))
    assert len(pictures) == 3


def _drawn(page: Any) -> str:
    """The 3D view after its next frame."""
    before = page.execute_script("rdrface.view.viewer.render(); return rdrface.view.viewer.frames")
    wait_until(page, f"rdrface.view.viewer.frames > {before}")
    return str(page.execute_script("return document.getElementById('model').toDataURL()"))


def test_the_texture_has_the_colors_of_the_photo(page: Any, folder: Path) -> None:
    show(page, folder / "one.png")
    (face,) = rdrface.load().detect(folder / "one.png")
    x, y = face.landmarks_3d[30, :2].round().astype(int)
    expected = np.asarray(Image.open(folder / "one.png"))[y - 1 : y + 2, x - 1 : x + 2].mean(axis=(0, 1))
    got = page.execute_script(
        """const {model, texture} = rdrface.view;
        const v = model.triangles[model.landmark_triangles[30] * 3];
        const [x, y] = [model.uv[v * 2] * texture.width, (1 - model.uv[v * 2 + 1]) * texture.height];
        return Array.from(texture.getContext('2d').getImageData(x - 1, y - 1, 3, 3).data.slice(16, 19));"""
    )
    np.testing.assert_allclose(got, expected, atol=30)


def test_keys_turn_zoom_and_reset_the_face(page: Any, folder: Path) -> None:
    show(page, folder / "one.png")
    model = page.find_element(By.ID, "model")
    model.send_keys(Keys.ARROW_RIGHT, "+")
    assert page.execute_script("const t = rdrface.view.viewer.turntable; return t.yaw > 0 && t.zoom > 1")
    model.send_keys(Keys.HOME)
    assert page.execute_script("const t = rdrface.view.viewer.turntable; return t.yaw === 0 && t.zoom === 1")


def test_everything_can_be_reached_with_the_keyboard(page: Any, folder: Path) -> None:
    show(page, folder / "one.png")
    page.execute_script("document.activeElement.blur()")
    reached = set()
    for _ in range(40):
        page.switch_to.active_element.send_keys(Keys.TAB)
        reached.add(
            page.execute_script(
                "const e = document.activeElement; return e.name || e.dataset.view || e.dataset.surface || e.id"
            )
        )
    assert {"points", "uncertainty", "model", "front", "plain", "tab-expression", "reset", "theme"} <= reached
    tab = page.find_element(By.ID, "tab-expression")
    tab.send_keys(Keys.ARROW_RIGHT)
    assert page.find_element(By.ID, "panel-measures").is_displayed()


def test_of_several_faces_one_is_chosen(page: Any, folder: Path) -> None:
    show(page, folder / "two.png")
    assert page.find_element(By.ID, "summary-text").text.startswith("Face 1 of 2.")
    before = page.execute_script("return rdrface.face.box[0]")
    page.find_element(By.CSS_SELECTOR, "#face-boxes [aria-label='Face 2']").click()
    assert page.find_element(By.ID, "summary-text").text.startswith("Face 2 of 2.")
    assert page.execute_script("return rdrface.face.box[0]") != before


def test_downloads(page: Any, folder: Path) -> None:
    show(page, folder / "one.png")
    (face,) = rdrface.load().detect(folder / "one.png")
    content = json.loads(download(page, folder, "json").read_text())
    np.testing.assert_allclose(rdrface.Face.from_dict(content["faces"][0]).landmarks, face.landmarks, atol=0.01)
    (row,) = csv.DictReader(download(page, folder, "csv").read_text().splitlines())
    assert row["image"] == "one.png"
    assert float(row["x30"]) == pytest.approx(face.landmarks[30, 0], abs=0.01)
    assert float(row["mouthSmileLeft"]) == pytest.approx(face.blendshapes["mouthSmileLeft"], abs=0.01)
    with Image.open(download(page, folder, "png")) as picture:
        assert picture.size == (512, 512)
    _check_glb(download(page, folder, "glb").read_bytes())
    upload(page, folder / "downloads" / "one.glb")
    wait_until(page, "document.body.dataset.screen === 'file' && rdrface.view.file?.size === 46")
    before = _drawn(page)
    move_slider(page, "jawOpen", 1)
    assert _drawn(page) != before


def _check_glb(content: bytes) -> None:
    assert content[:4] == b"glTF"
    document = json.loads(content[20 : 20 + int.from_bytes(content[12:16], "little")])
    (mesh,) = document["meshes"]
    assert set(mesh["extras"]["targetNames"]) == set(packaged_model().expression_names)
    assert len(mesh["primitives"][0]["targets"]) == len(mesh["weights"]) == 46
    assert len(document["images"]) == 1


def test_errors_are_explained(page: Any, folder: Path) -> None:
    upload(page, folder / "text.jpg")
    assert "could not be read" in message(page, "bad_image")
    upload(page, folder / "large.jpg")
    assert "3 MB" in message(page, "too_large")
    upload(page, folder / "none.png")
    assert "No face found" in message(page, "no_face")
    # A refused request is an entry in the console, which no page can prevent.
    assert all("status of 4" in entry for entry in errors_of(page))


def test_a_server_that_is_gone_can_be_tried_again(opened: Any, folder: Path) -> None:
    with serving_page() as address:
        opened.get(address)
        wait_until(opened, READY)
    upload(opened, folder / "one.png")
    assert "rdrface serve" in message(opened, "unreachable")
    assert opened.find_element(By.ID, "message-retry").is_displayed()
    errors_of(opened)


def test_an_uncertain_face_has_a_warning(page: Any, folder: Path) -> None:
    show(page, folder / "one.png")
    assert not page.find_element(By.ID, "warning").is_displayed()
    page.execute_script("rdrface.face.expected_error = 9; rdrface.choose(0)")
    assert "uncertain" in page.find_element(By.ID, "warning").text


def test_the_camera_is_followed_and_gives_a_photo(address: str, folder: Path) -> None:
    write_y4m(folder / "camera.y4m", folder / "one.png")
    options = ("--use-fake-ui-for-media-stream", f"--use-file-for-fake-video-capture={folder / 'camera.y4m'}")
    with open_browser(folder / "downloads", *options) as page:
        page.get(address)
        wait_until(page, READY)
        page.find_element(By.CSS_SELECTOR, ".also [data-action=camera]").click()
        wait_until(page, "document.body.dataset.screen === 'camera' && rdrface.face")
        page.find_element(By.ID, "shutter").click()
        wait_until(page, f"{DONE} && rdrface.face")
        assert page.execute_script("return rdrface.camera.running") is False
        assert errors_of(page) == []


def write_y4m(path: Path, photo: Path) -> None:
    """A video of one frame for the fake camera."""
    y, cb, cr = Image.open(photo).convert("YCbCr").split()
    planes = [y, *(plane.resize((y.width // 2, y.height // 2)) for plane in (cb, cr))]
    frame = b"FRAME\n" + b"".join(plane.tobytes() for plane in planes)
    path.write_bytes(f"YUV4MPEG2 W{y.width} H{y.height} F10:1 Ip A1:1 C420\n".encode() + 10 * frame)


def test_a_refused_camera_is_explained(address: str, folder: Path) -> None:
    with open_browser(folder / "downloads", "--deny-permission-prompts") as browser:
        browser.get(address)
        wait_until(browser, READY)
        browser.find_element(By.CSS_SELECTOR, ".also [data-action=camera]").click()
        assert "camera is blocked" in message(browser, "camera_refused")


def test_a_clip_shows_the_faces_of_its_frames(page: Any, folder: Path) -> None:
    write_clip(folder / "clip.webm", folder / "one.png")
    page.find_element(By.ID, "clip-file").send_keys(str(folder / "clip.webm"))
    wait_until(page, f"{DONE} && rdrface.frames.length === 6")
    times = page.execute_script("return rdrface.frames.map((frame) => frame.time)")
    assert times == sorted(times) and times[-1] < 1
    first = page.execute_script("return rdrface.face.box[0]")
    page.execute_script(
        "const f = document.getElementById('frame'); f.value = 5; f.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    # The clip moves over the photo by 4 pixels a frame.
    assert page.execute_script("return rdrface.face.box[0]") < first - 20


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


def test_the_example_needs_no_photo(page: Any) -> None:
    page.find_element(By.CSS_SELECTOR, "[data-action=example]").click()
    wait_until(page, f"{DONE} && rdrface.face")


def test_the_theme_follows_the_system_until_the_switch_is_used(page: Any) -> None:
    def ground() -> str:
        return str(page.execute_script("return getComputedStyle(document.body).backgroundColor"))

    page.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    )
    dark = ground()
    page.find_element(By.ID, "theme").click()
    light = ground()
    assert dark != light
    page.execute_script("localStorage.clear()")
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@pytest.mark.parametrize("width", [360, 390, 768, 1280, 1920])
def test_no_width_needs_sideways_scrolling(page: Any, folder: Path, width: int) -> None:
    metrics = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 800}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        assert page.execute_script("return document.documentElement.scrollWidth") <= width
        show(page, folder / "two.png")
        assert page.execute_script("return document.documentElement.scrollWidth") <= width
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
