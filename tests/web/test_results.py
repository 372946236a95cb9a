"""Results on the web page in headless Chromium: landmarks, 3D face, toggles, sliders, choice of the face."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import rdrface
from page_steps import drawn, move_slider, overlay, show, vertices
from rdrface.face import packaged_model

By = pytest.importorskip("selenium.webdriver.common.by", reason="Selenium is not installed").By


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


@pytest.mark.parametrize(
    ("pose", "sentence"),
    [
        ((0, 0, 0), "Head straight ahead"),
        ((30, 0, 0), "Head turned 30° to the right of the photo"),
        ((-80, 6, -6), "Head turned 80° to the left of the photo and 6° down, tilted 6° clockwise"),
        ((0, -20, 4), "Head turned 20° up, tilted 4° counterclockwise"),
    ],
)
def test_the_direction_of_the_head_is_a_sentence(page: Any, pose: tuple[float, ...], sentence: str) -> None:
    got = page.execute_script(
        """const [yaw, pitch, roll] = arguments[0];
        return import('/js/messages.js').then((m) => m.poseSentence({yaw, pitch, roll}));""",
        pose,
    )
    assert got == sentence


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


def test_the_mouth_is_the_first_group_and_the_open_one(page: Any) -> None:
    groups = page.execute_script(
        "return [...document.querySelectorAll('#sliders details')].map((g) => [g.firstChild.textContent, g.open])"
    )
    assert [name for name, is_open in groups if is_open] == [groups[0][0]] == ["Mouth"]


def test_the_surface_can_be_the_photo_plain_or_a_mesh(page: Any, folder: Path) -> None:
    show(page, folder / "one.png")
    pictures = set()
    for name in ("photo", "plain", "mesh"):
        page.find_element(By.CSS_SELECTOR, f"[data-surface={name}]").click()
        pictures.add(drawn(page))
    assert len(pictures) == 3


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


def test_of_several_faces_one_is_chosen(page: Any, folder: Path) -> None:
    show(page, folder / "two.png")
    assert page.find_element(By.ID, "summary-text").text.startswith("Face 1 of 2.")
    before = page.execute_script("return rdrface.face.box[0]")
    page.find_element(By.CSS_SELECTOR, "#face-boxes [aria-label='Face 2']").click()
    assert page.find_element(By.ID, "summary-text").text.startswith("Face 2 of 2.")
    assert page.execute_script("return rdrface.face.box[0]") != before


def test_an_uncertain_face_has_a_warning(page: Any, folder: Path) -> None:
    show(page, folder / "one.png")
    assert not page.find_element(By.ID, "warning").is_displayed()
    page.execute_script("rdrface.face.expected_error = 9; rdrface.choose(0)")
    assert "uncertain" in page.find_element(By.ID, "warning").text
