"""The benchmark of limits: degradations, groups, cells of the tables and the command, on the astronaut."""

import runpy
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import rdrface
from annotated import fgnet_folder, write_pts
from rdrface.datasets.readers.merl_rav import SIDES
from rdrface.datasets.records import OCCLUDED, SELF_OCCLUDED, VISIBLE, FaceRecords
from rdrface.errors import DataError

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(autouse=True)
def import_path(monkeypatch) -> None:
    for name in ("reliability", "detection", "limits"):
        monkeypatch.syspath_prepend(str(BENCHMARKS / name))


@pytest.fixture(scope="module")
def aligner():
    return rdrface.load(precision="float32", threads=1)


@pytest.fixture(scope="module")
def folder(aligner, tmp_path_factory) -> Path:
    """MERL-RAV's layout with the astronaut in every side; the annotations are the landmarks of the network."""
    pixels = pytest.importorskip("skimage").data.astronaut()[:300, 80:380]
    (face,) = aligner.detect(pixels)
    root = tmp_path_factory.mktemp("data") / "merl_rav"
    for side in SIDES:
        write_pts(root / side / "testset" / f"{side}.pts", face.landmarks.astype(np.float64))
        Image.fromarray(pixels).save(root / side / "testset" / f"{side}.png")
    return root


@pytest.fixture
def face(folder):
    from held_out_faces import read_faces, read_records

    (only,) = read_faces(read_records("merl-rav", folder, 1, 0))
    return only


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def records(states: np.ndarray, angles: np.ndarray | None = None) -> FaceRecords:
    """Records of N faces with states (N, 68)."""
    count = len(states)
    return FaceRecords(
        image=np.array([f"{i}.png" for i in range(count)]),
        points=np.zeros((count, 68, 2)),
        state=states,
        box=np.tile([0.0, 0.0, 10.0, 10.0], (count, 1)),
        source=np.full(count, "merl_rav"),
        is_test=np.ones(count, bool),
        angles=angles,
    )


def test_a_downscaled_face_has_the_size_and_its_points_move_with_it(face, aligner) -> None:
    from degradations import resized

    small = resized(40)(face, rng())
    assert small.size == pytest.approx(40, rel=0.01)
    assert small.pixels.shape[0] == pytest.approx(300 * 40 / face.size, abs=1)
    (found,) = aligner.align(small.pixels, small.box[None])
    assert np.linalg.norm(found.landmarks - small.points, axis=1).mean() < 0.02 * small.size
    assert resized(4000)(face, rng()) is face


def test_blur_spreads_light_by_the_share_of_the_face(face) -> None:
    from degradations import gaussian_blur, motion_blur

    point = np.zeros((301, 301, 3), np.uint8)
    point[150, 150] = 255
    point = replace(face, pixels=point, box=np.array([0.0, 0.0, 100.0, 100.0]))
    y, x = np.nonzero(motion_blur(20)(point, rng()).pixels[..., 0])
    assert np.hypot(np.ptp(x), np.ptp(y)) == pytest.approx(20, abs=3)
    edge = np.zeros((301, 301, 3), np.uint8)
    edge[:, 151:] = 255
    blurred = gaussian_blur(8)(replace(point, pixels=edge), rng()).pixels[150, :, 0].astype(float)
    # At a distance of one standard deviation, the blurred edge has 84 % of its height.
    assert np.interp(0.841 * 255, blurred, np.arange(301)) - 150.5 == pytest.approx(8, abs=0.5)


def test_exposure_scales_linear_light_and_adds_shot_and_read_noise(face) -> None:
    from degradations import FULL_SCALE, READ_NOISE, exposed, to_linear

    gray = replace(face, pixels=np.full((300, 300, 3), 200, np.uint8))
    light = to_linear(np.uint8(200))
    for factor in (0.5, 0.25):
        measured = to_linear(exposed(factor)(gray, rng()).pixels)
        assert measured.mean() == pytest.approx(light * factor, rel=0.02)
        electrons = FULL_SCALE * light * factor
        assert measured.std() == pytest.approx(np.sqrt(electrons + READ_NOISE**2) / FULL_SCALE, rel=0.05)
    assert exposed(4)(gray, rng()).pixels.min() == 255


def test_a_patch_covers_the_share_of_the_box_and_nothing_outside(face) -> None:
    from degradations import covered

    for percent in (10, 20, 30, 50):
        for seed in range(5):
            patched = covered(percent)(face, np.random.default_rng(seed))
            y, x = np.nonzero((patched.pixels != face.pixels).any(axis=2))
            x0, y0, x1, y1 = face.box
            assert x.min() >= x0 - 1 and x.max() <= x1 + 1 and y.min() >= y0 - 1 and y.max() <= y1 + 1
            area = (np.ptp(x) + 1) * (np.ptp(y) + 1)
            assert area == pytest.approx(percent / 100 * (x1 - x0) * (y1 - y0), rel=0.06)


def test_jpeg_is_worse_at_lower_quality(face) -> None:
    from degradations import compressed

    errors = [
        np.abs(compressed(quality)(face, rng()).pixels.astype(int) - face.pixels).mean() for quality in (50, 20, 10)
    ]
    assert 0 < errors[0] < errors[1] < errors[2]


def test_every_face_is_in_one_group_of_yaw_and_of_pitch() -> None:
    from groups import by_pitch, by_yaw

    yaw = np.array([0.0, -14.0, 16.0, -50.0, 80.0, 97.0])
    pitch = np.array([-40.0, -20.0, 0.0, 5.0, 20.0, 31.0])
    states = np.full((6, 68), VISIBLE)
    # A rotation about one axis has the same angles in every order.
    by = {
        "yaw": by_yaw(records(states, np.stack([0 * yaw, yaw, 0 * yaw], axis=1))),
        "pitch": by_pitch(records(states, np.stack([pitch, 0 * yaw, 0 * yaw], axis=1))),
    }
    assert [int(chosen.sum()) for _, chosen in by["yaw"]] == [2, 1, 0, 1, 0, 2]
    assert [int(chosen.sum()) for _, chosen in by["pitch"]] == [1, 1, 0, 2, 1, 1]


def test_groups_of_occlusion_ignore_self_occluded_points() -> None:
    from groups import by_occlusion

    states = np.full((4, 68), VISIBLE)
    states[0, :40] = SELF_OCCLUDED
    states[1, :3] = OCCLUDED
    states[2, :40], states[2, 40:44] = SELF_OCCLUDED, OCCLUDED  # 4 of 28
    states[3, :30] = OCCLUDED
    assert [np.flatnonzero(chosen).tolist() for _, chosen in by_occlusion(records(states))] == [[0], [1], [2], [3]]


def test_ages_are_read_from_file_names(tmp_path) -> None:
    from groups import by_age
    from held_out_faces import read_records

    fgnet_folder(tmp_path, ["001a02", "005a02", "005a09", "010a10", "010a61b"])
    faces = read_records("fgnet", tmp_path, 0, 0)
    assert np.isfinite(faces.box).all()
    assert [int(chosen.sum()) for _, chosen in by_age(faces)] == [1, 1, 1, 0, 1]


def test_cells_show_wrong_faces_and_whether_they_are_marked() -> None:
    from outcomes import COLUMNS, Outcomes, cells

    outcomes = Outcomes(np.array([2.0, 4.0, 12.0, 30.0]), np.array([2.0, 7.0, 4.0, 14.0]), np.array([1, 1, 1, 0], bool))
    row = dict(zip(COLUMNS, cells(outcomes, 6.0), strict=True))
    assert (row["faces"], row["NME"], row["relative"], row["median"]) == (4, 12.0, 2.0, 8.0)
    assert (row["wrong, %"], row["exp. > 6, %"], row["exp. > 10, %"]) == ("50.0", "50.0", "25.0")
    assert (row["wrong marked, %"], row["found, %"]) == ("50.0", "75.0")
    assert cells(outcomes.select(np.zeros(4, bool)), 6.0) == (0, *(None,) * (len(COLUMNS) - 1))


def run(monkeypatch, capsys, *words: str) -> tuple[int, str, str]:
    """Exit status, output and error output of measure.py."""
    monkeypatch.setattr(sys, "argv", ["measure.py", *words])
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(BENCHMARKS / "limits" / "measure.py"), run_name="__main__")
    printed = capsys.readouterr()
    return int(stopped.value.code), printed.out, printed.err


def test_the_error_grows_with_blur_and_the_sheet_is_written(folder, tmp_path, monkeypatch, capsys) -> None:
    sheet = tmp_path / "sheet.png"
    words = ["merl-rav", str(folder), "--faces", "1", "--properties", "blur", "--sheet", str(sheet)]
    status, printed, _ = run(monkeypatch, capsys, *words)
    assert status == 0 and sheet.is_file()
    rows = {line[:15].strip(): line[15:].split() for line in printed.splitlines() if ", " in line[:14]}
    unchanged = next(line.split() for line in printed.splitlines() if line.startswith("unchanged"))
    assert unchanged[1] == "1" and float(unchanged[2]) < 1 and unchanged[-1] == "100.0"
    assert float(rows["Gaussian, 8 %"][1]) > 5 * float(unchanged[2])
    assert float(rows["Gaussian, 8 %"][6]) > 1.5 * float(unchanged[7])
    assert "detect drops those above 10 %" in printed


def test_pose_needs_fits_and_a_property_of_another_set_is_an_error(folder, monkeypatch, capsys) -> None:
    status, _, error = run(monkeypatch, capsys, "merl-rav", str(folder), "--properties", "pose")
    assert status == 2 and "rdrface fit merl-rav DIR --split test" in error
    status, _, error = run(monkeypatch, capsys, "merl-rav", str(folder), "--properties", "age", "size")
    assert status == 2 and "merl-rav has no age" in error


def test_the_sample_is_fixed_by_the_seed(folder) -> None:
    from held_out_faces import read_records

    first, again, other = (read_records("merl-rav", folder, 3, seed).image.tolist() for seed in (0, 0, 1))
    assert first == again == sorted(first, key=lambda path: SIDES.index(Path(path).stem)) and len(first) == 3
    assert first != other
    assert len(read_records("merl-rav", folder, 600, 0)) == len(SIDES)


def test_a_folder_of_another_set_is_an_error(tmp_path) -> None:
    from held_out_faces import read_records

    with pytest.raises(DataError, match="FG-NET"):
        read_records("fgnet", tmp_path, 0, 0)
