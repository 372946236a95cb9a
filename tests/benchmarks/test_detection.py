"""The benchmark of the detector, on the astronaut."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import rdrface
from annotated import face_points, write_pts

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
DETECTION = BENCHMARKS / "detection"


@pytest.fixture(autouse=True)
def import_path(monkeypatch) -> None:
    # The case files, and the readers of annotated photos that they use.
    monkeypatch.syspath_prepend(str(BENCHMARKS / "reliability"))
    monkeypatch.syspath_prepend(str(DETECTION))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """300-W's layout with one photo; the annotations are the landmarks of the network."""
    pixels = pytest.importorskip("skimage").data.astronaut()[:300, 80:380]
    (face,) = rdrface.load().detect(pixels)
    root = tmp_path_factory.mktemp("data") / "300w"
    write_pts(root / "helen" / "trainset" / "astronaut.pts", face.landmarks.astype(np.float64) + 1)
    Image.fromarray(pixels).save(root / "helen" / "trainset" / "astronaut.png")
    return root


@pytest.fixture
def annotated(folder):
    """The face of that photo."""
    from annotated_photos import read_faces

    (face,) = read_faces("300w", folder, 0, 0, lambda points: True)
    return face


def run(monkeypatch, capsys, *words: str) -> tuple[int, str, str]:
    """Exit status, output and error output of measure.py."""
    monkeypatch.setattr(sys, "argv", ["measure.py", *words])
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(DETECTION / "measure.py"), run_name="__main__")
    printed = capsys.readouterr()
    return int(stopped.value.code), printed.out, printed.err


def cells(printed: str, name: str) -> list[list[str]]:
    """Cells of the rows of a name."""
    return [line[len(name) :].split() for line in printed.splitlines() if line.startswith(name + "  ")]


def test_angles_are_printed_by_rotation(folder, monkeypatch, capsys) -> None:
    status, printed, _ = run(monkeypatch, capsys, "angles", "300w", str(folder))
    assert status == 0
    for rotation in (0, 30, 45):
        (row,) = cells(printed, f"{rotation} degrees")
        detected, error, _, above_90, size, up = map(float, row)
        assert (detected, above_90) == (1, 0) and error < 10, rotation
        assert size == pytest.approx(1.15, abs=0.15) and up == pytest.approx(0.18, abs=0.1), rotation
    assert len(cells(printed, "near-frontal")) == 1 and not cells(printed, "turned")


def test_cut_faces_are_printed_by_side_and_share(folder, monkeypatch, capsys) -> None:
    status, printed, _ = run(monkeypatch, capsys, "cut", "300w", str(folder))
    assert status == 0
    for name in ("complete photo", "left, 20 %", "right, 35 %", "top, 0 %", "bottom, 50 %"):
        (row,) = cells(printed, name)
        detected, distance, side = map(float, row)
        assert detected == 1 and distance < 0.2 and side == pytest.approx(1, abs=0.25), name


def test_a_set_without_a_face_is_an_error(tmp_path, monkeypatch, capsys) -> None:
    lying = face_points() @ np.array([[0.0, 1.0], [-1.0, 0.0]]) + [130, 0]
    write_pts(tmp_path / "helen" / "trainset" / "lying.pts", lying)
    Image.new("RGB", (140, 140)).save(tmp_path / "helen" / "trainset" / "lying.png")
    status, _, error = run(monkeypatch, capsys, "cut", "300w", str(tmp_path))
    assert status == 1 and "no upright face" in error


def test_faces_in_all_images_are_counted_and_timed(annotated, monkeypatch) -> None:
    import boxes_by_resolution

    monkeypatch.setattr(boxes_by_resolution, "CROWD", (640, ((80, 1), (40, 1))))
    monkeypatch.setattr(boxes_by_resolution, "PANORAMA", (960, ((60, 1),)))
    monkeypatch.setattr(boxes_by_resolution, "ORDINARY", ((640, 480),))
    (table,) = boxes_by_resolution.measure([annotated])
    rows = {(row.name, row.cells[0]): row.cells[1:] for row in table.rows}
    assert rows["crowd, 640 x 480", 80] == (2, 2) and rows["crowd, 640 x 480", 40] == (4, 4)
    assert rows["panorama, 960 x 240", 60] == (4, 4) and rows["one face, 640 x 480", 256] == (1, 1)
    assert rows["thumbnail, 32 x 32", 26] == (1, 1) and ("mosaic, not resized", 10) in rows
    (table,) = boxes_by_resolution.measure_time([annotated])
    assert {row.name for row in table.rows} >= {"crowd, 640 x 480", "one face, 640 x 480"}
    assert all(row.cells[0] == 1 and row.cells[1] > 0 for row in table.rows)


def test_photos_of_large_faces_are_downscaled(annotated) -> None:
    from matching import scaled

    small = scaled(annotated, 50)
    assert small.size == pytest.approx(50, rel=0.02)
    assert scaled(annotated, 1000) is annotated


@pytest.mark.parametrize("degrees", [0, 90, -135])
def test_the_own_frame_of_a_face_rotates_with_it(degrees) -> None:
    from boxes_by_rotation import own_frame

    points = face_points()
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    rotation = np.array([[c, -s], [s, c]])
    upright, rotated = own_frame(points), own_frame(points @ rotation.T)
    assert rotated.angle - upright.angle == pytest.approx(degrees, abs=1e-6)
    assert rotated.size == pytest.approx(upright.size)
    assert rotated.center == pytest.approx(rotation @ upright.center)
    # The up direction points from the mouth to the eyes.
    assert upright.axes[1] @ (points[36:48].mean(axis=0) - points[48:].mean(axis=0)) > 0


@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
def test_a_share_of_the_box_is_outside_the_cut_image(side) -> None:
    from boxes_by_edge import cut

    box = np.array([20.0, 30.0, 60.0, 90.0])
    pixels, moved = cut(np.zeros((120, 100, 3), np.uint8), box, side, 0.25)
    height, width = pixels.shape[:2]
    outside = {"left": -moved[0], "top": -moved[1], "right": moved[2] - width + 1, "bottom": moved[3] - height + 1}
    full = 40 if side in ("left", "right") else 60
    assert outside[side] == pytest.approx(0.25 * full)
    assert all(value < 0 for name, value in outside.items() if name != side)
    assert moved[2:] - moved[:2] == pytest.approx(box[2:] - box[:2])
