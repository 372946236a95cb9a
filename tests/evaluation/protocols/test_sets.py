"""Every dataset of `rdrface evaluate`, from a small folder in its published format to its tables."""

import json

import numpy as np
import pytest

import rdrface
from annotated import face_points, write_photo, write_pts
from published_sets import (
    PARADE,
    SOCCER,
    rotation_about,
    wflw_folder,
    wflw_line,
    wflw_points,
    write_3ddfa,
    write_biwi_frame,
    write_cofw_annotations,
    write_mat,
    write_pifa,
)
from rdrface.cli.main import main
from rdrface.evaluation.protocols.notes import UNVERIFIED
from rdrface.evaluation.protocols.sets import SETS


@pytest.fixture(scope="module")
def aligner():
    return rdrface.load(threads=1)


def aflw2000(root):
    for i, yaw in enumerate((5, -45, 80)):
        points = np.vstack([face_points(i + 1).T + 1, np.zeros(68)])
        write_mat(root / f"image{i:05d}.mat", pt3d_68=points, Pose_Para=np.array([[0, np.radians(yaw), 0, 0, 0, 0, 1]]))


def merl_rav(root):
    for i, side in enumerate(("frontal", "lefthalf", "left", "righthalf", "right")):
        points = face_points(i + 1)
        points[:3] = -1
        points[3] *= -1
        write_pts(root / side / "testset" / f"{side}.pts", points)
        write_photo(root / side / "testset" / f"{side}.jpg")


def w300(root):
    for part in ("helen/testset", "lfpw/testset", "ibug"):
        write_pts(root / part / "1.pts", face_points(1) + 1)
        write_photo(root / part / "1.png")


def w300lp(root):
    for i, yaw in enumerate((5, -45, 80)):
        pose = np.array([[0, np.radians(yaw), 0, 0, 0, 0, 1]])
        write_mat(root / "AFW" / f"{i}.mat", pt2d=face_points(i + 1).T + 1, Pose_Para=pose)


def pifa(root, count):
    write_pifa(root, count)
    for number in (1, 2, 3):
        write_photo(root / "TestImages" / f"{number}.jpg", (300, 240))


def aflw21(root):
    write_3ddfa(root)
    for name in (root / "test.data" / "AFLW_GT_crop.list").read_text().split():
        write_photo(root / "test.data" / "AFLW_GT_crop" / name)


def wflw(root):
    wflw_folder(
        root, [wflw_line(wflw_points(1), "1 0 0 0 0 1", SOCCER), wflw_line(wflw_points(2), "0 1 1 1 1 0", PARADE)]
    )


def cofw68(root):
    labels = write_cofw_annotations(root, [1, 2])
    for number in (1, 2):
        write_photo(labels / f"{number}.png")


def biwi(root):
    for number, turn in enumerate((0, 40, -70)):
        write_biwi_frame(root / "01", number, rotation_about("y", turn))


FOLDERS = {
    "aflw2000-3d": (aflw2000, 3),
    "merl-rav": (merl_rav, 5),
    "300w": (w300, 3),
    "aflw-pifa": (lambda root: pifa(root, 21), 3),
    "aflw-lfpa": (lambda root: pifa(root, 34), 3),
    "aflw-21": (aflw21, 3),
    "wflw": (wflw, 2),
    "300w-lp": (w300lp, 3),
    "cofw68": (cofw68, 2),
    "biwi": (biwi, 3),
}

UNVERIFIED_SETS = {"aflw-pifa", "aflw-lfpa", "aflw-21", "wflw", "cofw68", "biwi"}
"""Datasets that were never read by this project."""


def test_every_dataset_has_a_test_folder():
    assert FOLDERS.keys() == SETS.keys()


@pytest.mark.parametrize("name", FOLDERS)
def test_tables_from_the_published_folder(name, tmp_path, aligner, monkeypatch, capsys):
    pytest.importorskip("scipy")
    monkeypatch.setattr(rdrface, "load", lambda weights=None, **_: aligner)
    make, count = FOLDERS[name]
    folder = tmp_path / "set"
    folder.mkdir()
    make(folder)
    assert main(["evaluate", name, str(folder), "--json", str(tmp_path / "r.json")]) == 0
    printed = capsys.readouterr().out
    assert f"{SETS[name].title}: {count} faces" in printed and "All faces found." in printed
    assert (UNVERIFIED in printed) == (name in UNVERIFIED_SETS)
    content = json.loads((tmp_path / "r.json").read_text())
    assert len(content["faces"]) == count and not content["missed"] and len(content["tables"]) >= 2
    measured = [value for face in content["faces"] for value in face["errors"].values() if value is not None]
    assert measured and all(value > 0 for value in measured)


@pytest.mark.parametrize(
    "name", [name for name in FOLDERS if SETS[name].from68 is not None or name in ("cofw68", "300w")]
)
def test_predictions_of_68_points_from_a_file_are_measured(name, tmp_path, monkeypatch, capsys):
    pytest.importorskip("scipy")
    monkeypatch.setattr(rdrface, "load", None)
    make, count = FOLDERS[name]
    folder = tmp_path / "set"
    folder.mkdir()
    make(folder)
    annotations = SETS[name].read(folder)
    lines = [f"{image} " + " ".join(map(str, face_points(1).ravel())) for image in annotations.image.tolist()]
    (tmp_path / "theirs.txt").write_text("\n".join(lines))
    assert main(["evaluate", name, str(folder), "--predictions", str(tmp_path / "theirs.txt")]) == 0
    printed = capsys.readouterr().out
    assert "theirs" in printed and f"{count} faces, predictions: theirs.txt" in printed
