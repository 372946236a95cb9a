"""WFLW's list of faces, written here as it is published."""

from pathlib import Path

import numpy as np
import pytest

from annotated import face_points, write_photo
from rdrface.datasets.readers.wflw import ATTRIBUTES, attributes, read_wflw
from rdrface.errors import DataError
from rdrface.evaluation.protocols.wflw import from68


def points98(seed: int = 0) -> np.ndarray:
    """(98, 2) of an invented face, the brows' lower edges somewhere under the upper ones."""
    points = from68(face_points(seed)[None])[0]
    points[[38, 39, 40, 41, 47, 48, 49, 50]] = points[[37, 36, 35, 34, 45, 44, 43, 42]] + [0, 2]
    return points


def line(points: np.ndarray, flags: str, photo: str, box: str = "20 20 100 100") -> str:
    return " ".join([*(f"{value:.6f}" for value in points.ravel()), box, flags, photo])


def wflw_folder(root: Path, lines: list[str], split: str = "test") -> Path:
    lists = root / "WFLW_annotations" / "list_98pt_rect_attr_train_test"
    lists.mkdir(parents=True, exist_ok=True)
    (lists / f"list_98pt_rect_attr_{split}.txt").write_text("\n".join(lines) + "\n")
    for name in ("37--Soccer/37_Soccer_soccer_ball_37_45.jpg", "0--Parade/0_Parade_1.jpg"):
        write_photo(root / "WFLW_images" / name)
    return root


SOCCER, PARADE = "37--Soccer/37_Soccer_soccer_ball_37_45.jpg", "0--Parade/0_Parade_1.jpg"


def test_faces_are_read_as_published(tmp_path: Path) -> None:
    first, second = points98(1), points98(2)
    root = wflw_folder(
        tmp_path,
        [line(first, "1 0 0 0 0 1", SOCCER), line(second, "0 0 0 0 0 0", PARADE), line(second, "0 1 1 1 1 0", SOCCER)],
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


def test_the_box_is_that_of_the_68(tmp_path: Path) -> None:
    faces = read_wflw(wflw_folder(tmp_path, [line(points98(), "0 0 0 0 0 0", PARADE)]))
    known = face_points()
    np.testing.assert_allclose(faces.box[0], [*known.min(0), *known.max(0)], atol=0.2)


def test_the_training_part_is_marked(tmp_path: Path) -> None:
    faces = read_wflw(wflw_folder(tmp_path, [line(points98(), "0 0 0 0 1 0", PARADE)], "train"), "train")
    assert not faces.is_test.any() and faces.source.tolist() == ["wflw/train/occlusion"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 2 3 photo.jpg", r"line 2 has 4 entries, wanted 207"),
        (line(points98(), "0 0 0 0 2 0", PARADE), r"line 2 has an attribute other than 0 and 1"),
        (line(points98(), "0 0 0 0 0 0", "elsewhere.jpg"), r"line 2: no photo at .*elsewhere\.jpg"),
        (line(points98(), "0 0 0 0 0 0", PARADE).replace(" ", " x", 1), r"line 2 holds something other than numbers"),
        (line(np.full((98, 2), np.nan), "0 0 0 0 0 0", PARADE), r"line 2 holds a number that is not finite"),
        (line(np.full((98, 2), 7.0), "0 0 0 0 0 0", PARADE), r"line 2: all landmarks are on one line"),
    ],
)
def test_damaged_lines_are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_wflw(wflw_folder(tmp_path, [line(points98(), "0 0 0 0 0 0", PARADE), text]))


def test_missing_parts_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="split must be"):
        read_wflw(tmp_path, "val")
    with pytest.raises(DataError, match="WFLW_images"):
        read_wflw(tmp_path)
    wflw_folder(tmp_path, [])
    with pytest.raises(DataError, match="holds no faces"):
        read_wflw(tmp_path)
    with pytest.raises(DataError, match=r"no annotations at .*list_98pt_rect_attr_train\.txt"):
        read_wflw(tmp_path, "train")
