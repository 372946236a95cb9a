"""Annotation formats of fine-tuning: coordinates, base of the landmarks, names of photos."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from annotated_faces import annotations
from published_sets import write_mat
from rdrface.errors import ConfigError, DataError
from rdrface.evaluation.protocols.sets import SETS
from rdrface.finetuning.formats import FORMATS, PTS, base_output, default_name, photo_names, read_annotations


def test_aflw2000_is_read_in_the_coordinates_of_its_protocol(tmp_path: Path) -> None:
    points = np.stack([np.linspace(20, 90, 68), np.linspace(30, 80, 68) ** 1.01, np.zeros(68)])
    write_mat(tmp_path / "image00002.mat", pt3d_68=points, Pose_Para=np.array([[0.1, -0.4, 0.0]]))
    records = read_annotations("aflw2000-3d", tmp_path)
    np.testing.assert_array_equal(records.points, SETS["aflw2000-3d"].read(tmp_path).points)
    np.testing.assert_array_equal(records.box, SETS["aflw2000-3d"].read(tmp_path).box)
    assert base_output(records) == "landmarks_jawline"


def test_an_origin_is_refused_for_formats_with_known_coordinates(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--origin is only for --format pts"):
        read_annotations("aflw2000-3d", tmp_path, origin=1)


def test_every_format_of_a_public_dataset_can_be_evaluated() -> None:
    assert set(FORMATS) - {PTS} <= set(SETS)


def test_the_base_is_the_output_with_the_same_contour() -> None:
    faces = annotations(2)
    outline = replace(faces, contour=np.array(["outline", "outline"]))
    assert base_output(outline) == "landmarks"
    assert base_output(replace(faces, contour=np.array(["jawline", "jawline"]))) == "landmarks_jawline"
    assert base_output(replace(faces, contour=None)) is None
    with pytest.raises(DataError, match="needs one convention"):
        base_output(replace(faces, contour=np.array(["outline", "jawline"])))


def test_the_images_of_300w_lp_belong_to_their_photos() -> None:
    faces = annotations(3)
    images = np.array(["/a/AFW_1_2_0.jpg", "/a/AFW_1_2_13.jpg", "/a/AFW_9_1_0.jpg"])
    lp = replace(faces, image=images, source=np.full(3, "300w_lp/AFW/jawline"))
    assert photo_names(lp).tolist() == ["AFW_1_2", "AFW_1_2", "AFW_9_1"]
    assert photo_names(replace(lp, source=np.full(3, "custom"))).tolist() == [Path(image).name for image in images]


def test_names_of_schemes() -> None:
    assert (default_name("pts"), default_name("aflw2000-3d"), default_name("wflw")) == ("custom", "aflw2000", "wflw")
