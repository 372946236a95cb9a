"""List of the annotated faces of a set for recorders of other methods."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from annotated_faces import annotations
from rdrface.errors import DataError
from rdrface.evaluation.predictions.face_list import write_face_list


def test_list_has_number_image_path_and_box_of_every_face(tmp_path):
    write_face_list(tmp_path / "faces.json", annotations(2), Path("set"))
    content = json.loads((tmp_path / "faces.json").read_text())
    assert content[1]["face"] == 1 and content[1]["image"] == "1.jpg" and content[1]["box"] == [0, 0, 100, 100]
    assert Path(content[1]["path"]) == Path("set/1.jpg").resolve()
    assert [path.name for path in tmp_path.iterdir()] == ["faces.json"]


def test_images_inside_another_file_are_rejected(tmp_path):
    inside = replace(annotations(2), open_image=lambda image: np.zeros((2, 2, 3), np.uint8))
    with pytest.raises(DataError, match="separate files"):
        write_face_list(tmp_path / "faces.json", inside, Path("set"))
