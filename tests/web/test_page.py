"""The web page in headless Chromium: first page, errors, keyboard, theme and widths."""

from pathlib import Path
from typing import Any

import pytest

from browser import errors_of, wait_until
from page_server import serving_page
from page_steps import READY, message, show, upload

By = pytest.importorskip("selenium.webdriver.common.by", reason="Selenium is not installed").By
Keys = pytest.importorskip("selenium.webdriver.common.keys").Keys


def test_the_first_page_explains_itself(page: Any) -> None:
    text = page.find_element(By.TAG_NAME, "main").text
    assert "photo" in text and "3D" in text and "not stored" in text
    assert not page.find_element(By.CSS_SELECTOR, ".details").is_displayed()


def test_errors_are_explained(page: Any, folder: Path) -> None:
    upload(page, folder / "text.jpg")
    assert "could not be read" in message(page, "bad_image")
    upload(page, folder / "large.jpg")
    assert "3 MB" in message(page, "too_large")
    assert not page.find_element(By.ID, "message-retry").is_displayed()  # the same file would fail again
    upload(page, folder / "damaged.png")
    wait_until(page, "document.getElementById('message-text').textContent.startsWith('The image is damaged')")
    upload(page, folder / "none.png")
    assert "No face found" in message(page, "no_face")
    # A refused request is an entry in the console, which no page can prevent.
    assert all("status of 4" in entry for entry in errors_of(page))


def test_after_a_file_that_cannot_be_read_another_one_can_be_chosen(page: Any, folder: Path) -> None:
    page.execute_script(
        "for (const id of ['photo-file', 'clip-file']) {"
        "document.getElementById(id).addEventListener('click', (e) => { e.preventDefault(); window.asked = id; }); }"
    )
    for name, asked in (("damaged.png", "photo-file"), ("large.jpg", "photo-file"), ("none.png", "photo-file")):
        upload(page, folder / name)
        wait_until(page, "!document.getElementById('message').hidden && !document.body.hasAttribute('aria-busy')")
        page.execute_script("window.asked = null")
        page.find_element(By.ID, "message-other").click()
        assert page.execute_script("return window.asked") == asked
        assert not page.find_element(By.ID, "message").is_displayed()
    errors_of(page)


def test_another_file_is_not_offered_if_the_file_is_not_the_reason(page: Any) -> None:
    page.execute_script("rdrface.notices.message('unreachable', '', () => {})")
    assert not page.find_element(By.ID, "message-other").is_displayed()


def test_a_server_that_is_gone_can_be_tried_again(opened: Any, folder: Path) -> None:
    with serving_page() as address:
        opened.get(address)
        wait_until(opened, READY)
    upload(opened, folder / "one.png")
    assert "rdrface serve" in message(opened, "unreachable")
    assert opened.find_element(By.ID, "message-retry").is_displayed()
    errors_of(opened)


def test_a_photo_without_a_face_shows_nothing_of_an_earlier_face(page: Any, folder: Path) -> None:
    show(page, folder / "one.png")
    upload(page, folder / "none.png")
    message(page, "no_face")
    for part in ("model", "sliders", "tab-downloads"):
        assert not page.find_element(By.ID, part).is_displayed()
    show(page, folder / "one.png")
    wait_until(page, "rdrface.face")
    assert page.find_element(By.ID, "model").is_displayed()


def test_on_a_phone_the_face_stays_in_view_while_sliders_move_and_help_is_there(page: Any, folder: Path) -> None:
    metrics = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        show(page, folder / "one.png")
        page.execute_script("document.querySelector('[name=mouthSmileLeft]').scrollIntoView({block: 'end'})")
        wait_until(page, "scrollY > 300")
        top, bottom, slider = page.execute_script(
            """const at = (e) => document.querySelector(e).getBoundingClientRect();
            return [at('.model').top, at('.model').bottom, at('[name=mouthSmileLeft]').top];"""
        )
        assert 0 <= top < bottom < slider < 844
        page.find_element(By.CSS_SELECTOR, "[data-action=help]").click()
        assert page.find_element(By.ID, "help").is_displayed()
        page.find_element(By.ID, "help-close").click()
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_damaged_3d_file_leaves_the_result_as_it_is(page: Any, folder: Path) -> None:
    show(page, folder / "one.png")
    (folder / "bad.glb").write_bytes(b"glTF")
    upload(page, folder / "bad.glb")
    message(page, "bad_glb")
    assert page.execute_script("return document.body.dataset.screen") == "result"
    assert page.find_element(By.ID, "sliders").is_displayed()


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
