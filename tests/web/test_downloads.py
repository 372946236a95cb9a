"""Files that the web page writes, and GLB files that it reads, in headless Chromium."""

import csv
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import rdrface
from browser import TIMEOUT, wait_until
from page_steps import drawn, move_slider, show, upload
from rdrface.face import packaged_model

By = pytest.importorskip("selenium.webdriver.common.by", reason="Selenium is not installed").By


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
    before = drawn(page)
    move_slider(page, "jawOpen", 1)
    assert drawn(page) != before


def download(page: Any, folder: Path, kind: str) -> Path:
    page.execute_script("document.getElementById('tab-downloads').click()")
    page.find_element(By.CSS_SELECTOR, f"[data-download={kind}]").click()
    end = time.monotonic() + TIMEOUT
    while not (found := list((folder / "downloads").glob(f"one*.{kind}"))):
        assert time.monotonic() < end, f"no {kind} file was downloaded"
        time.sleep(0.1)
    time.sleep(0.3)
    return found[0]


def _check_glb(content: bytes) -> None:
    assert content[:4] == b"glTF"
    document = json.loads(content[20 : 20 + int.from_bytes(content[12:16], "little")])
    (mesh,) = document["meshes"]
    assert set(mesh["extras"]["targetNames"]) == set(packaged_model().expression_names)
    assert len(mesh["primitives"][0]["targets"]) == len(mesh["weights"]) == 46
    assert len(document["images"]) == 1
