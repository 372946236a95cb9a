"""Inputs of the web page in headless Chromium: camera, clips, the example."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from browser import errors_of, open_browser, wait_until
from page_steps import DONE, READY, message, show, write_clip, write_y4m

By = pytest.importorskip("selenium.webdriver.common.by", reason="Selenium is not installed").By


@contextmanager
def page_with_camera(address: str, folder: Path, photo: str) -> Iterator[Any]:
    """The first page, in a browser whose camera shows a photo; at the end, nothing may have gone to the console."""
    write_y4m(folder / "camera.y4m", folder / photo)
    options = ("--use-fake-ui-for-media-stream", f"--use-file-for-fake-video-capture={folder / 'camera.y4m'}")
    with open_browser(folder / "downloads", *options) as page:
        page.get(address)
        wait_until(page, READY)
        yield page
        assert errors_of(page) == []


def test_the_camera_is_followed_and_gives_a_photo(address: str, folder: Path) -> None:
    with page_with_camera(address, folder, "one.png") as page:
        page.find_element(By.CSS_SELECTOR, ".also [data-action=camera]").click()
        wait_until(page, "document.body.dataset.screen === 'camera' && rdrface.face")
        page.find_element(By.ID, "shutter").click()
        wait_until(page, f"{DONE} && rdrface.face")
        assert page.execute_script("return rdrface.camera.running") is False


def test_a_camera_without_a_face_leaves_nothing_of_an_earlier_face(address: str, folder: Path) -> None:
    with page_with_camera(address, folder, "none.png") as page:
        show(page, folder / "one.png")
        page.find_element(By.CSS_SELECTOR, ".only-result[data-action=camera]").click()
        wait_until(page, "document.body.dataset.screen === 'camera' && !rdrface.face")
        page.find_element(By.ID, "camera-stop").click()
        assert page.execute_script("return document.body.dataset.screen") == "result"
        assert not page.find_element(By.ID, "model").is_displayed()


def test_a_camera_that_is_started_twice_is_stopped_completely(address: str, folder: Path) -> None:
    with page_with_camera(address, folder, "one.png") as page:
        page.execute_script(
            """globalThis.streams = [];
            const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
            navigator.mediaDevices.getUserMedia = async (wanted) => {
              const stream = await open(wanted);
              streams.push(stream);
              return stream;
            };
            const button = document.querySelector('.also [data-action=camera]');
            button.click();
            button.click();"""
        )
        wait_until(page, "document.body.dataset.screen === 'camera' && rdrface.face && streams.length === 2")
        live = (
            "return streams.filter((stream) => stream.getTracks().some((track) => track.readyState === 'live')).length"
        )
        assert page.execute_script(live) == 1
        page.find_element(By.ID, "camera-stop").click()
        assert page.execute_script(live) == 0


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


def test_the_example_needs_no_photo(page: Any) -> None:
    page.find_element(By.CSS_SELECTOR, "[data-action=example]").click()
    wait_until(page, f"{DONE} && rdrface.face")
