"""Small folders in the published formats of public datasets, with invented points and images."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from annotated import face_points, write_photo, write_pts
from rdrface.datasets.readers.merl_rav import SIDES
from rdrface.evaluation.protocols.wflw import from68
from some_face import some_face

CALIBRATION = """500 0 320
0 500 240
0 0 1

0 0 0 0

1 0 0
0 1 0
0 0 1

{}

640 480
"""

SOCCER, PARADE = "37--Soccer/37_Soccer_soccer_ball_37_45.jpg", "0--Parade/0_Parade_1.jpg"
"""Images of `wflw_folder`."""


def savemat() -> Callable[..., None]:
    """scipy's function; the test is skipped without scipy."""
    return pytest.importorskip("scipy.io").savemat


def write_mat(path: Path, image: bool = True, **content: Any) -> None:
    """Write a .mat file, and an image next to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat()(path, content)
    if image:
        write_photo(path.with_suffix(".jpg"))


def merl_rav_folder(root: Path, points: np.ndarray) -> Path:
    """MERL-RAV with one face per side and part, all with the same points."""
    for side in SIDES:
        for split in ("trainset", "testset"):
            write_pts(root / side / split / "image00001.pts", points)
            write_photo(root / side / split / "image00001.jpg")
    return root


def pifa_rows(count: int = 34, faces: int = 3, offset: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Positions (n, P, 2), pixels counted from 1, and marks "hidden" (n, P) as in the files of AFLW-PIFA."""
    scheme = f"aflw{count}"
    points = np.stack([some_face((150 + 10 * i, 120), 90).points(scheme)[:, :2] for i in range(faces)]) + offset
    hidden = np.zeros((faces, count))
    hidden[0, :3] = 1
    hidden[1, 5:] = 1  # five points are left: too few for a pose
    return points.astype(np.float64), hidden


def write_pifa(folder: Path, count: int = 34, **changes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The .mat files of AFLW-PIFA with three test and two training faces; returns `pifa_rows` of the test faces."""
    test, hidden = pifa_rows(count)
    test[0, 0] = 0  # a hidden point without a position
    train, train_hidden = pifa_rows(count, 2, 5.0)

    def rows(points: np.ndarray, marks: np.ndarray) -> np.ndarray:
        return np.concatenate((points[..., 0], points[..., 1], marks), axis=1)

    marks = {"phisT": rows(test, hidden), "phisTr": rows(train, train_hidden)}
    boxes = {"bboxesT": np.tile([101.0, 71, 100, 81], (3, 1)), "bboxesTr": np.tile([11.0, 21, 50, 50], (2, 1))}
    savemat()(folder / "Landmark.mat", {**marks, **{k: v for k, v in changes.items() if k in marks}})
    savemat()(folder / "BoundingBox.mat", {**boxes, **{k: v for k, v in changes.items() if k in boxes}})
    return test, hidden


def write_3ddfa(folder: Path, count: int = 3, **changes: np.ndarray) -> None:
    """3DDFA's AFLW list: crops of 240 x 240 image pixels at (30, 50); the box of the 68 points is 160 x 90 pixels."""
    (folder / "test.configs").mkdir(parents=True)
    (folder / "test.data").mkdir()
    names = "".join(f"image{i:05d}.jpg\n" for i in range(count))
    (folder / "test.data" / "AFLW_GT_crop.list").write_text(names)
    points = np.full((count, 2, 21), 100.0)
    points[:, 0, 4] = -1
    whole = np.full((count, 3, 68), 80.0)
    whole[:, :2, 0], whole[:, :2, 1] = (70, 80), (230, 170)
    arrays = {
        "AFLW_GT_crop_roi_box.npy": np.tile([30.0, 50, 270, 290], (count, 1)),
        "AFLW_GT_crop_yaws.npy": np.linspace(-80, 20, count),
        "AFLW_GT_pts21.npy": points,
        "AFLW_GT_pts68.npy": whole,
    }
    for name, values in {**arrays, **changes}.items():
        np.save(folder / "test.configs" / name, values)


def rotation_about(axis: str, degrees: float) -> np.ndarray:
    """(3, 3) rotation in the frame of BIWI's depth camera: x right, y down, z away from the camera."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return {
        "x": np.array([[1, 0, 0], [0, c, -s], [0, s, c]]),
        "y": np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]),
        "z": np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]),
    }[axis]


def write_biwi_frame(
    person: Path,
    number: int,
    rotation: np.ndarray,
    center: Sequence[float] = (0.0, 0.0, 1000.0),
    suffix: str = ".png",
    translation: str = "-25 0 0",
) -> None:
    """One frame of BIWI: pose, image and the person's calibration."""
    person.mkdir(parents=True, exist_ok=True)
    (person / "rgb.cal").write_text(CALIBRATION.format(translation))
    rows = [" ".join(f"{value:.6f}" for value in row) + " " for row in [*rotation, [], center]]
    (person / f"frame_{number:05d}_pose.txt").write_text("\n".join(rows) + "\n")
    write_photo(person / f"frame_{number:05d}_rgb{suffix}", (640, 480))


def write_cofw_annotations(root: Path, numbers: Sequence[int], occluded: Sequence[int] = (0, 5)) -> Path:
    """COFW68's annotation files of the images with these numbers; returns their folder."""
    folder = root / "COFW68_Data" / "test_annotations"
    folder.mkdir(parents=True, exist_ok=True)
    marks = np.zeros((68, 1), np.uint8)
    marks[list(occluded)] = 1
    for number in numbers:
        savemat()(folder / f"{number}_points.mat", {"Points": face_points(number) + 1, "Occ": marks})
    return folder


def wflw_points(seed: int = 0) -> np.ndarray:
    """(98, 2) points of an invented face, with the lower edges of the brows below the upper ones."""
    points = from68(face_points(seed)[None])[0]
    points[[38, 39, 40, 41, 47, 48, 49, 50]] = points[[37, 36, 35, 34, 45, 44, 43, 42]] + [0, 2]
    return points


def wflw_line(points: np.ndarray, attributes: str, image: str, box: str = "20 20 100 100") -> str:
    """One face in WFLW's list."""
    return " ".join([*(f"{value:.6f}" for value in points.ravel()), box, attributes, image])


def wflw_folder(root: Path, lines: Sequence[str], split: str = "test") -> Path:
    """WFLW with these lines, and the images `SOCCER` and `PARADE`."""
    lists = root / "WFLW_annotations" / "list_98pt_rect_attr_train_test"
    lists.mkdir(parents=True, exist_ok=True)
    (lists / f"list_98pt_rect_attr_{split}.txt").write_text("\n".join(lines) + "\n")
    for name in (SOCCER, PARADE):
        write_photo(root / "WFLW_images" / name)
    return root


def write_custom_face(folder: Path, name: str, points: np.ndarray) -> None:
    """Write a gray image of 40 x 40 pixels, and a .pts file with these points next to it."""
    folder.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(folder / f"{name}.png"), np.full((40, 40, 3), 90, np.uint8))
    lines = [" ".join(map(str, point)) for point in points]
    (folder / f"{name}.pts").write_text("\n".join(["version: 1", f"n_points: {len(points)}", "{", *lines, "}"]))
