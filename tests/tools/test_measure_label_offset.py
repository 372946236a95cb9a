"""The tool that measures annotation offsets: its two tables."""

from pathlib import Path

import numpy as np
import pytest

from rdrface.datasets.synthetic import draw_faces
from rdrface.evaluation.metrics.image_offset import ImageOffset

TOOLS = Path(__file__).resolve().parents[2] / "tools"


@pytest.fixture(autouse=True)
def import_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TOOLS))


def test_vertical_offsets_are_also_printed_relative_to_the_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import measure_label_offset as tool

    faces = draw_faces(tmp_path, 3)
    offsets = {3: ImageOffset(0.5, 0.03, 40, 0.2, 0.03, 30), 2: ImageOffset(1.0, 0.04, 50, 0.9, 0.04, 20)}
    monkeypatch.setattr(tool, "measure_image_offset", lambda records: offsets[len(records)])
    table = tool.by_labels({tool.REFERENCE: faces, "300w": faces.select(np.arange(2))})
    cells = {row.name: row.cells for row in table.rows}
    assert cells[f"{tool.REFERENCE}, all"] == ("+0.50 ± 0.03", 40, "+0.20 ± 0.03", "+0.00 ± 0.04", 30)
    assert cells["300w, all"] == ("+1.00 ± 0.04", 50, "+0.90 ± 0.04", "+0.70 ± 0.05", 20)


def test_the_median_offset_from_the_predictions_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import measure_label_offset as tool

    faces = draw_faces(tmp_path, 3)
    predictions = {str(image): points - (2, -1) for image, points in zip(faces.image, faces.points, strict=True)}
    monkeypatch.setattr(tool, "mirror_averaged_landmarks", lambda aligner, image, box: predictions[image][None])
    last = tool.by_network("drawn", faces, None).rows[-1]
    assert (last.name, last.cells[0], last.cells[2], last.cells[4]) == ("all", "+2.00 ± 0.00", "-1.00 ± 0.00", 3)
