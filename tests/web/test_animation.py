"""Animated GLB files on the web page, in headless Chromium."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rdrface
from browser import wait_until
from page_steps import drawn, move_slider, show, upload
from rdrface.face import packaged_model
from rdrface.scene import write_clip, write_glb

By = pytest.importorskip("selenium.webdriver.common.by", reason="Selenium is not installed").By
Keys = pytest.importorskip("selenium.webdriver.common.keys").Keys

JAW = "Number(document.querySelector('[name=jawOpen]').value)"
MOTION = "prefers-reduced-motion"


@pytest.fixture(scope="module")
def clip(folder: Path) -> Path:
    """A face that opens its mouth within a second, and closes it."""
    (face,) = rdrface.load().detect(folder / "one.png")
    jaw = packaged_model().expression_names.index("jawOpen")

    def opened(strength: float) -> rdrface.Face:
        expression = np.zeros(46, np.float32)
        expression[jaw] = strength
        return replace(face, parameters=replace(face.parameters, expression=expression))

    path = folder / "clip.glb"
    write_clip(path, [(0.0, opened(0)), (1.0, opened(1)), (2.0, opened(0))])
    return path


def test_the_time_slider_moves_the_face_and_its_sliders(page: Any, clip: Path) -> None:
    open_clip(page, clip)
    closed = drawn(page)
    seek(page, 1)
    assert page.execute_script(f"return {JAW}") == pytest.approx(1, abs=0.01)
    assert drawn(page) != closed
    seek(page, 0.5)
    assert page.execute_script(f"return {JAW}") == pytest.approx(0.5, abs=0.01)
    move_slider(page, "jawOpen", 0)
    move_slider(page, "mouthPucker", 0.7)
    page.find_element(By.ID, "reset").click()
    assert page.execute_script(f"return {JAW}") == pytest.approx(0.5, abs=0.01)
    move_slider(page, "mouthPucker", 0.7)
    seek(page, 0.6)
    assert page.execute_script("return rdrface.view.viewer.targets().get('mouthPucker')") == 0


def test_the_keyboard_plays_and_pauses(page: Any, clip: Path) -> None:
    open_clip(page, clip)
    assert label(page) == "Play"  # the browser of the tests asks for reduced motion
    page.find_element(By.ID, "animation-play").send_keys(Keys.SPACE)
    assert label(page) == "Pause"
    wait_until(page, "rdrface.animation.time > 0.2")
    page.find_element(By.ID, "animation-play").send_keys(Keys.SPACE)
    time = page.execute_script("return rdrface.animation.time")
    drawn(page)
    assert page.execute_script("return rdrface.animation.time") == time
    assert page.execute_script(f"return {JAW}") == pytest.approx(1 - abs(1 - time), abs=0.01)
    page.find_element(By.ID, "animation-time").send_keys(Keys.HOME)
    assert page.execute_script("return rdrface.animation.time") == 0


def test_it_plays_at_once_unless_less_motion_is_asked_for(page: Any, clip: Path) -> None:
    features = [{"name": MOTION, "value": "no-preference"}]
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    try:
        open_clip(page, clip)
        assert label(page) == "Pause"
        move_slider(page, "jawOpen", 1)
        assert label(page) == "Play"
    finally:
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_a_file_without_an_animation_and_a_photo_have_no_play_button(page: Any, clip: Path, folder: Path) -> None:
    open_clip(page, clip)
    page.find_element(By.ID, "animation-play").click()
    (face,) = rdrface.load().detect(folder / "one.png")
    write_glb(folder / "still.glb", face)
    upload(page, folder / "still.glb")
    wait_until(page, "document.getElementById('summary-text').textContent === 'still.glb'")
    assert not page.find_element(By.ID, "animation").is_displayed()
    open_clip(page, clip)
    page.find_element(By.ID, "animation-play").click()
    show(page, folder / "one.png")
    assert not page.find_element(By.ID, "animation").is_displayed()
    assert page.execute_script("return rdrface.animation.playing") is None


def test_the_controls_are_in_view_on_a_phone(page: Any, clip: Path) -> None:
    metrics = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        open_clip(page, clip)
        for part in ("animation-play", "animation-time"):
            box = page.find_element(By.ID, part).rect
            assert 0 <= box["x"] < box["x"] + box["width"] <= 390
            assert 0 <= box["y"] < box["y"] + box["height"] <= 844
        assert page.execute_script("return document.documentElement.scrollWidth") <= 390
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def open_clip(page: Any, clip: Path) -> None:
    upload(page, clip)
    wait_until(page, "document.body.dataset.screen === 'file' && !document.getElementById('animation').hidden")


def seek(page: Any, time: float) -> None:
    page.execute_script(
        """const slider = document.getElementById('animation-time');
        slider.value = arguments[0]; slider.dispatchEvent(new Event('input', {bubbles: true}));""",
        time,
    )


def label(page: Any) -> str:
    return str(page.find_element(By.ID, "animation-play").get_attribute("aria-label"))
