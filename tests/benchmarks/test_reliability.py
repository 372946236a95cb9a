"""The benchmarks of reliability: inputs, matching, and the tables, on the astronaut and on synthetic faces."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import rdrface
from annotated import write_pts
from rdrface.errors import ConfigError
from rdrface.face import Face
from some_face import some_face

RELIABILITY = Path(__file__).resolve().parents[2] / "benchmarks" / "reliability"


@pytest.fixture(autouse=True)
def import_path(monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(RELIABILITY))


@pytest.fixture(scope="module")
def astronaut() -> tuple[np.ndarray, Face]:
    """The photo and its face."""
    pixels = pytest.importorskip("skimage").data.astronaut()[:300, 80:380]
    (face,) = rdrface.load().detect(pixels)
    return pixels, face


@pytest.fixture
def annotated(astronaut):
    """The photo with the landmarks of the network as annotations."""
    from annotated_photos import Annotated

    pixels, face = astronaut
    return Annotated("astronaut", pixels, face.landmarks.astype(np.float64), "outline")


def fake_release(path: Path, content: str, body: str = "") -> str:
    """An executable that writes `content` as its JSON."""
    path.write_text(
        f"#!{sys.executable}\nimport os, sys\n{body}\n"
        "if '--json' in sys.argv:\n"
        f"    open(sys.argv[sys.argv.index('--json') + 1], 'w').write({content!r})\n"
    )
    path.chmod(0o755)
    return str(path)


def test_the_json_of_release_0_1_is_read(tmp_path) -> None:
    from detecting import Release, detect

    face = some_face()
    old = face.to_dict()
    old["visible"], old["confidence"] = old.pop("visibility"), {"error_percent": old.pop("uncertainty")}
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "a.png").touch()
    (photos / "b.png").touch()
    content = {"rdrface": "0.1.0", "photos": [{"photo": "photos/a.png", "faces": [old]}], "failed": [{}]}
    executable = fake_release(tmp_path / "rdrface", json.dumps(content))
    detected = detect(Release.at(executable), photos)
    assert (detected.version, detected.dropped, detected.failed) == ("0.1.0", 0, 1)
    assert detected.faces["b.png"] == []
    assert detected.faces["a.png"][0].expected_error == pytest.approx(face.expected_error, rel=1e-5)


def test_dropped_detections_are_counted(tmp_path) -> None:
    from detecting import Release, detect

    images = [{"image": "a.png", "faces": [], "dropped": 2}, {"image": "b.png", "faces": [], "dropped": 1}]
    executable = fake_release(
        tmp_path / "rdrface", json.dumps({"rdrface": "0.2", "images": images, "failed": [], "skipped": []})
    )
    assert detect(Release.at(executable), tmp_path).dropped == 3


def test_another_release_does_not_import_this_one(tmp_path, monkeypatch) -> None:
    from detecting import Release

    monkeypatch.setenv("PYTHONPATH", "somewhere")
    executable = fake_release(tmp_path / "rdrface", "", "print('path', os.environ.get('PYTHONPATH'))")
    assert Release.at(executable).version() == "path None"


def test_an_executable_that_is_missing_or_fails_is_reported(tmp_path) -> None:
    from detecting import Release, detect

    with pytest.raises(ConfigError, match="no executable"):
        Release.at(str(tmp_path / "missing"))
    failing = Release.at(fake_release(tmp_path / "rdrface", "", "sys.exit('broken')"))
    with pytest.raises(ConfigError, match="broken"):
        failing.has_option("--max-side")
    with pytest.raises(ConfigError, match="broken"):
        detect(failing, tmp_path)


@pytest.mark.parametrize("degrees", [0, 45, 90, 225])
def test_points_rotate_with_the_image(degrees) -> None:
    from rotation import rotated

    pixels = np.zeros((60, 100, 3), np.uint8)
    pixels[20:23, 70:73] = 255
    canvas, points = rotated(pixels, np.array([[71.0, 21.0]]), degrees)
    rows, columns = np.nonzero(canvas[..., 0] > 128)
    assert [columns.mean(), rows.mean()] == pytest.approx(points[0], abs=0.3)
    if degrees == 90:  # clockwise: what was at the top is at the right
        assert canvas.shape == (100, 60, 3) and points[0] == pytest.approx([60 - 1 - 21, 71])


def test_a_tile_shows_the_face_in_the_given_size(annotated) -> None:
    from resolution import tile

    pixels, points = tile(annotated, 96, 40)
    size = np.sqrt(np.ptp(points, axis=0).prod())
    assert pixels.shape == (96, 96, 3) and size == pytest.approx(40)
    assert points.mean(axis=0) == pytest.approx([48, 48], abs=8)
    # The same place of the photo has the same color.
    place = annotated.points[30].round().astype(int)
    small = points[30].round().astype(int)
    expected = annotated.pixels[place[1] - 3 : place[1] + 4, place[0] - 3 : place[0] + 4].mean(axis=(0, 1))
    assert pixels[small[1], small[0]] == pytest.approx(expected, abs=25)


def test_small_faces_of_a_mosaic_are_placed_in_their_tiles(annotated) -> None:
    from resolution import mosaic

    pixels, points = mosaic([annotated], 3, 2, 96, 40)
    assert pixels.shape == (192, 288, 3) and len(points) == 6
    assert points[4] - points[0] == pytest.approx(np.broadcast_to([96, 96], (68, 2)))


def test_two_people_side_by_side_are_both_annotated(annotated) -> None:
    from duplicates import side_by_side

    pixels, left, right = side_by_side(annotated, annotated)
    assert right - left == pytest.approx(np.broadcast_to([pixels.shape[1] / 2, 0], (68, 2)))
    assert np.sqrt(np.ptp(left, axis=0).prod()) == pytest.approx(pixels.shape[0] / 2)


def test_pairs_are_counted_by_the_distance_of_their_landmarks() -> None:
    from detecting import Detected
    from duplicates import LIMITS, distance, pair_table

    face = some_face()
    near = replace(face, landmarks=face.landmarks + np.float32([0.25 * face.size, 0]))
    far = replace(face, landmarks=face.landmarks + np.float32([2 * face.size, 0]))
    assert distance(face, near) == pytest.approx(0.25, abs=1e-4)
    detected = Detected("0.2", {"a": [face, near, far], "b": [face]}, 0, 0)
    (row,) = pair_table({"photos": detected}).rows
    below = [int(limit > 0.25) for limit in LIMITS]
    assert row.cells == (2, 1, *below, pytest.approx(0.25, abs=1e-4))


def test_people_of_a_montage_and_further_faces_are_counted() -> None:
    from detecting import Detected
    from duplicates import montage_table

    left, right, phantom = some_face((100, 120)), some_face((300, 120)), some_face((200, 120))
    truth = {"a": (left.landmarks, right.landmarks), "b": (left.landmarks, right.landmarks)}
    detected = Detected("0.2", {"a": [left, phantom, right], "b": [left]}, 0, 0)
    assert montage_table(truth, detected).rows[0].cells == (4, 3, 1, 1)


def test_the_best_overlap_is_the_match_of_an_annotation() -> None:
    from annotated_photos import match

    face, other = some_face((160, 120)), some_face((200, 120))
    points = face.landmarks + np.float32(2)
    assert match(points, [other, face]) is face
    assert match(points + 500, [other, face]) is None and match(points, []) is None


def test_landmarks_elsewhere_still_belong_to_their_box() -> None:
    from annotated_photos import match

    face = some_face()
    wrong = replace(face, landmarks=face.landmarks + np.float32(3 * face.size))
    assert match(face.landmarks, [wrong]) is wrong


def test_detections_are_grouped_by_their_error() -> None:
    from annotated_photos import Annotated
    from no_face import LIMITS, pairs, table

    right, background = some_face((160, 120)), some_face((400, 120))
    truth = Annotated("a", np.zeros((9, 9, 3), np.uint8), right.landmarks.astype(np.float64), "outline")
    uncertain = replace(background, uncertainty=np.full(68, 13.0, np.float32))
    found = pairs("a.png", [truth], [uncertain, right])
    rows = table(found, 1, 0, "0.2").rows
    assert [row.cells[0] for row in rows] == [1, None, 0, 1, None]
    assert rows[0].name == "faces, error below 10 %"
    assert rows[3].cells[1:] == tuple(int(limit < 13) for limit in LIMITS)


def test_faces_are_turned_beyond_about_30_degrees() -> None:
    from cut_faces import is_turned

    for yaw, expected in ((0, False), (-20, False), (45, True), (-80, True)):
        face = some_face(angles=(0.0, np.radians(yaw), 0.1))
        assert is_turned(face.landmarks.astype(np.float64)) == expected, yaw


def test_half_of_a_face_is_cut_away(annotated) -> None:
    from cut_faces import kept_columns

    x0, _, x1, _ = annotated.box
    width = annotated.pixels.shape[1]
    assert kept_columns(annotated, 0.0, left=True) == (0, width)
    middle = (x0 + x1) / 2
    assert kept_columns(annotated, 0.5, left=True) == (pytest.approx(middle, abs=1), width)
    assert kept_columns(annotated, 0.5, left=False) == (0, pytest.approx(middle, abs=2))


def test_wrong_faces_and_jumps_of_the_yaw_are_counted() -> None:
    from cut_faces import CutFace, table

    faces = [CutFace(2.0, 3.0, 5.0, 2.0), CutFace(12.0, 14.0, 40.0, 9.0), CutFace(3.0, 11.0, np.nan, 3.0)]
    (row,) = table("Faces", {0.35: faces}, 4, "0.2").rows
    found, inside, all_points, wrong, wrong_all, jumps, expected, *marked = row.cells
    assert (found, inside, all_points) == (3, 3.0, 11.0)
    assert (wrong, wrong_all, jumps, expected) == (1, 2, 1, 3.0)
    assert marked == [1, 1]


def test_a_case_runs_from_the_command_line(annotated, tmp_path, monkeypatch, capsys) -> None:
    import measure

    folder = tmp_path / "300w" / "helen" / "trainset"
    write_pts(folder / "astronaut.pts", annotated.points + 1)
    Image.fromarray(annotated.pixels).save(folder / "astronaut.png")
    words = ["measure.py", "cut", "300w", str(tmp_path / "300w"), "--keep", str(tmp_path / "inputs")]
    monkeypatch.setattr(sys, "argv", words)
    assert measure.main() == 0
    printed = capsys.readouterr().out
    assert "Near-frontal faces: 1, cut" in printed and len(list((tmp_path / "inputs").iterdir())) == 4
    (row,) = [line.split() for line in printed.splitlines() if line.startswith("0 %")]
    # The annotations are the network's own landmarks.
    assert row[2] == "1" and float(row[4]) < 0.1
    assert measure.main() == 2
    assert "--keep" in capsys.readouterr().err


def test_the_situations_of_the_command_line_are_printed(annotated, tmp_path, monkeypatch) -> None:
    import situations
    from detecting import Release

    chosen = ["--boxes with a box in 0..1", "a full disk"]
    monkeypatch.setattr(situations, "SITUATIONS", {name: situations.SITUATIONS[name] for name in chosen})
    printed = situations.measure(Release.current(), annotated, tmp_path)
    assert printed.startswith(f"Command line; rdrface {rdrface.__version__}")
    assert all(name in printed for name in chosen)
    assert "0 cut files remain" in printed


def test_rotated_real_faces_are_found_and_right(shared_data) -> None:
    from annotated_photos import WRONG, error_percent, is_upright, match, read_faces
    from rotation import ANGLES, rotated

    aligner = rdrface.load()
    wrong = missed = 0
    for face in read_faces("300w", shared_data / "300w", 6, 0, is_upright):
        for degrees in ANGLES:
            pixels, points = rotated(face.pixels, face.points, degrees)
            found = match(points, aligner.detect(pixels))
            missed += found is None
            wrong += found is not None and error_percent(found.landmarks, points, face.size) > WRONG
    assert missed == 0
    assert wrong <= 1


def test_real_faces_that_are_cut_by_the_edge_keep_their_yaw(shared_data) -> None:
    from annotated_photos import match
    from cut_faces import YAW_JUMP, is_turned, kept_columns, select

    aligner = rdrface.load()
    jumps = found = 0
    faces = [
        face for face in select("aflw2000-3d", shared_data / "aflw2000_3d_dev", 8, 0) if not is_turned(face.points)
    ]
    for i, face in enumerate(faces):
        low, high = kept_columns(face, 0.35, left=i % 2 == 0)
        whole = match(face.points, aligner.detect(face.pixels))
        part = match(face.points - np.array([low, 0]), aligner.detect(face.pixels[:, low:high]))
        found += part is not None
        jumps += None not in (whole, part) and abs(part.pose.yaw - whole.pose.yaw) > YAW_JUMP
    assert len(faces) == 8
    assert found >= 7
    assert jumps == 0
