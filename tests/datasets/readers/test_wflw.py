"""Reader of WFLW on small files in the published format."""

from pathlib import Path

import numpy as np
import pytest

from annotated import face_points
from published_sets import PARADE, SOCCER, wflw_folder, wflw_line, wflw_points
from rdrface.datasets.readers.wflw import ATTRIBUTES, attributes, read_wflw
from rdrface.errors import DataError


def test_faces_are_read_as_published(tmp_path: Path) -> None:
    first, second = wflw_points(1), wflw_points(2)
    root = wflw_folder(
        tmp_path,
        [
            wflw_line(first, "1 0 0 0 0 1", SOCCER),
            wflw_line(second, "0 0 0 0 0 0", PARADE),
            wflw_line(second, "0 1 1 1 1 0", SOCCER),
        ],
    )
    faces = read_wflw(root)
    assert len(faces) == 3 and faces.points.shape == (3, 98, 2)
    np.testing.assert_allclose(faces.points[0], first, atol=1e-6)
    assert faces.source.tolist() == [
        "wflw/test/pose+blur",
        "wflw/test",
        "wflw/test/expression+illumination+make-up+occlusion",
    ]
    assert faces.is_test.all() and (faces.state == 0).all()
    assert faces.image[0].endswith(SOCCER) and faces.image[0] == faces.image[2]
    flags = attributes(faces.source)
    assert flags.shape == (3, 6)
    assert [ATTRIBUTES[i] for i in np.flatnonzero(flags[0])] == ["pose", "blur"] and not flags[1].any()


def test_the_box_equals_that_of_the_68_points(tmp_path: Path) -> None:
    faces = read_wflw(wflw_folder(tmp_path, [wflw_line(wflw_points(), "0 0 0 0 0 0", PARADE)]))
    known = face_points()
    np.testing.assert_allclose(faces.box[0], [*known.min(0), *known.max(0)], atol=0.2)


def test_the_training_part_is_not_marked_as_test(tmp_path: Path) -> None:
    faces = read_wflw(wflw_folder(tmp_path, [wflw_line(wflw_points(), "0 0 0 0 1 0", PARADE)], "train"), "train")
    assert not faces.is_test.any() and faces.source.tolist() == ["wflw/train/occlusion"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 2 3 photo.jpg", r"line 2 has 4 entries, expected 207"),
        (wflw_line(wflw_points(), "0 0 0 0 2 0", PARADE), r"line 2 has an attribute other than 0 or 1"),
        (
            wflw_line(wflw_points(), "0 0 0 0 0 0", "elsewhere.jpg"),
            r"1 of 2 images are missing: no image for .*line 2 .*elsewhere\.jpg",
        ),
        (wflw_line(wflw_points(), "0 0 0 0 0 0", PARADE).replace(" ", " x", 1), r"line 2 must contain only numbers"),
        (wflw_line(np.full((98, 2), np.nan), "0 0 0 0 0 0", PARADE), r"line 2 contains a number that is not finite"),
        (wflw_line(np.full((98, 2), 7.0), "0 0 0 0 0 0", PARADE), r"line 2: all landmarks are on one line"),
    ],
)
def test_damaged_lines_are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_wflw(wflw_folder(tmp_path, [wflw_line(wflw_points(), "0 0 0 0 0 0", PARADE), text]))


def test_missing_parts_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="split must be"):
        read_wflw(tmp_path, "val")
    with pytest.raises(DataError, match="WFLW_images"):
        read_wflw(tmp_path)
    wflw_folder(tmp_path, [])
    with pytest.raises(DataError, match="lists no faces"):
        read_wflw(tmp_path)
    with pytest.raises(DataError, match=r"no annotation file .* at .*list_98pt_rect_attr_train\.txt"):
        read_wflw(tmp_path, "train")
