"""docs/model_card.md and the figures of the model card of the Hub agree with their sources."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from rdrface.hub.facts import measurements
from rdrface.loading import LITE_WEIGHTS, PACKAGED_WEIGHTS
from rdrface.runtime.weights import read_info

ROOT = Path(__file__).parents[2]


def test_the_page_has_the_texts_of_the_package() -> None:
    """If not: change the texts in src/rdrface/hub/card, then run tools/write_model_card.py."""
    done = subprocess.run([sys.executable, ROOT / "tools" / "write_model_card.py", "--check"], check=False)
    assert done.returncode == 0


def test_the_measurements_are_those_of_the_documentation() -> None:
    """If not: update src/rdrface/hub/card/measurements.json for the present weights."""
    if not PACKAGED_WEIGHTS.is_file() or not LITE_WEIGHTS.is_file():
        pytest.skip("no packaged weights")
    page = (ROOT / "docs" / "speed.md").read_text(encoding="utf-8")
    rows = [
        match[1].split(" | ")
        for name in (r"MERL-RAV, 2,451 faces, float32", r"AFLW2000-3D, 68 points / 51 inner points")
        if (match := re.search(rf"^\| {name} \| (.+) \|$", page, re.MULTILINE))
    ]
    for weights, *cells in zip((PACKAGED_WEIGHTS, LITE_WEIGHTS), *rows, strict=True):
        figures = [float(figure) for cell in cells for figure in cell.split(" / ")]
        stated = measurements(read_info(weights)[0].checksum)
        assert stated is not None and [one.value for one in stated] == figures
    results = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    full = [one.value for one in measurements(read_info(PACKAGED_WEIGHTS)[0].checksum) or ()]
    for value, row in zip(
        full,
        (r"\| MERL-RAV test part, visible", r"\| AFLW2000-3D development part, 68", r"\| the same, 51"),
        strict=True,
    ):
        line = re.search(rf"^{row}.*$", results, re.MULTILINE)
        assert line is not None and f"**{value:.2f}**" in line[0]
