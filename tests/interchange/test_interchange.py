"""Converters: round trips, orders, and clear errors."""

from types import SimpleNamespace

import numpy as np
import pytest

from rdrface import interchange
from rdrface.errors import ConfigError
from rdrface.interchange.mediapipe import FACE_MESH_POINTS
from some_face import some_face

FACES = [some_face(), some_face((80.0, 90.0), 60)]


def test_arrays_of_68_points():
    points = interchange.to_points68(FACES)
    assert points.shape == (2, 68, 2) and points.dtype == np.float32
    np.testing.assert_array_equal(points[1], FACES[1].landmarks)
    np.testing.assert_array_equal(interchange.to_points68(FACES, jawline=True)[0], FACES[0].landmarks_jawline)
    assert interchange.to_points68([]).shape == (0, 68, 2)
    one = points[0]
    deep = np.concatenate([one, np.ones((68, 1))], axis=1)
    parts = [SimpleNamespace(x=int(x), y=int(y)) for x, y in one]
    for given in (one, one.tolist(), one.ravel(), deep):
        np.testing.assert_array_equal(interchange.from_points68(given), one)
    np.testing.assert_array_equal(interchange.from_points68(SimpleNamespace(parts=lambda: parts)), one.astype(int))
    for wrong in (one[:67], points, "text", None):
        with pytest.raises(ValueError, match="points must be"):
            interchange.from_points68(wrong)


def test_tensors_are_accepted():
    torch = pytest.importorskip("torch")
    tensor = torch.tensor(FACES[0].landmarks, requires_grad=True)
    np.testing.assert_array_equal(interchange.from_points68(tensor), FACES[0].landmarks)


def test_coco_wholebody():
    keypoints = interchange.to_coco_wholebody(FACES)
    assert keypoints.shape == (2, 133, 3) and not keypoints[:, :23].any() and not keypoints[:, 91:].any()
    np.testing.assert_array_equal(keypoints[0, 23 + 30, :2], FACES[0].landmarks[30])
    np.testing.assert_array_equal(keypoints[0, 23:91, 2], FACES[0].visibility)
    np.testing.assert_array_equal(interchange.from_coco_wholebody(keypoints), interchange.to_points68(FACES))
    assert interchange.to_coco_wholebody([]).shape == (0, 133, 3)
    with pytest.raises(ValueError, match=r"\(n, 133, 2\)"):
        interchange.from_coco_wholebody(keypoints[0])
    annotation = interchange.to_coco_annotation(FACES[0])
    assert len(annotation["face_kpts"]) == 204 and annotation["face_kpts"][2::3].count(1) == 8
    x, y, width, height = annotation["face_box"]
    np.testing.assert_allclose([x, y, x + width, y + height], FACES[0].bounds, atol=2e-3)


def test_supervision():
    pytest.importorskip("supervision")
    keypoints = interchange.to_supervision(FACES)
    assert len(keypoints) == 2
    np.testing.assert_array_equal(interchange.from_supervision(keypoints), interchange.to_points68(FACES))
    np.testing.assert_array_equal(keypoints.data["box"][1], FACES[1].box)
    assert interchange.from_supervision(interchange.to_supervision([])).shape == (0, 68, 2)


def test_points_of_supervision_have_the_right_number():
    with pytest.raises(ValueError, match=r"\(n, 68, 2\); got \(1, 17, 2\)"):
        interchange.from_supervision(SimpleNamespace(xy=np.zeros((1, 17, 2))))


def test_mediapipe():
    pytest.importorskip("mediapipe")
    face = FACES[0]
    landmarks = interchange.to_mediapipe(face, 320, 240)
    assert len(landmarks) == 68 and landmarks[30].z < landmarks[0].z  # the nose is nearer
    assert landmarks[30].visibility == 1 and landmarks[12].visibility == 0.125
    np.testing.assert_allclose(interchange.from_mediapipe(landmarks, 320, 240), face.landmarks, atol=1e-3)


def test_points_of_mediapipes_mesh_are_chosen_in_our_order():
    mesh = [SimpleNamespace(x=i / 1000, y=i / 2000) for i in range(478)]
    points = interchange.from_mediapipe(mesh, 1000, 1000)
    np.testing.assert_allclose(points[:, 0] + 0.5, FACE_MESH_POINTS, atol=1e-3)
    assert len(set(FACE_MESH_POINTS)) == 68
    with pytest.raises(ValueError, match="expected 68, 468 or 478 landmarks of one face; got 5"):
        interchange.from_mediapipe(mesh[:5], 10, 10)
    with pytest.raises(ValueError, match="must be positive"):
        interchange.to_mediapipe(FACES[0], 0, 10)


def test_pandas():
    pandas = pytest.importorskip("pandas")
    table = interchange.to_pandas({"a.jpg": FACES, "b.jpg": []})
    assert list(table["image"]) == ["a.jpg", "a.jpg"] and list(table["face"]) == [0, 1]
    assert table["jawOpen"][0] == pytest.approx(0.4) and table["visibility12"][0] == 0.125
    np.testing.assert_allclose(interchange.from_pandas(table), interchange.to_points68(FACES), atol=1e-4)
    assert len(interchange.to_pandas(FACES)) == 2 and len(interchange.to_pandas([])) == 0
    empty = pandas.DataFrame([dict.fromkeys(table.columns)])
    assert interchange.from_pandas(pandas.concat([table, empty])).shape == (2, 68, 2)
    with pytest.raises(ValueError, match="x67 is missing"):
        interchange.from_pandas(table.drop(columns="x67"))


@pytest.mark.parametrize(
    ("package", "call"),
    [
        ("supervision", lambda: interchange.to_supervision(FACES)),
        ("mediapipe", lambda: interchange.to_mediapipe(FACES[0], 10, 10)),
        ("pandas", lambda: interchange.to_pandas(FACES)),
    ],
)
def test_missing_packages_are_named(monkeypatch, package, call):
    name = "mediapipe.tasks.python.components.containers.landmark" if package == "mediapipe" else package
    monkeypatch.setitem(__import__("sys").modules, name, None)
    with pytest.raises(ConfigError, match=f"pip install {package}"):
        call()


def mesh_points(value: object = 0.5) -> list:
    return [SimpleNamespace(x=value, y=0.5)] * 68


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: interchange.from_points68(np.full((68, 2), 1j)), "points must be an array of numbers: got complex128"),
        (lambda: interchange.from_points68(np.full((68, 2), np.inf)), "points must be finite; got infinity"),
        (lambda: interchange.from_points68(np.full((68, 2), 1e300)), "or a number beyond float32"),
        (lambda: interchange.from_coco_wholebody("text"), "keypoints must be an array of numbers"),
        (lambda: interchange.from_coco_wholebody([[1], [1, 2]]), "keypoints must be an array of numbers"),
        (lambda: interchange.from_supervision(FACES), "must be supervision.KeyPoints; got list"),
        (lambda: interchange.from_pandas([]), "must be a pandas.DataFrame; got list"),
        (lambda: interchange.from_mediapipe(None, 9, 9), "must be a list of NormalizedLandmark; got NoneType"),
        (lambda: interchange.from_mediapipe([[0, 0]] * 68, 9, 9), r"result\.face_landmarks\[0\]; got a list of list"),
        (lambda: interchange.from_mediapipe(mesh_points("a"), 9, 9), "x and y of the landmarks must be an array of n"),
        (lambda: interchange.from_mediapipe(mesh_points(), 0, 9), "width and height must be positive; got 0 and 9"),
        (lambda: interchange.from_mediapipe(mesh_points(), 9, np.nan), "width and height must be positive"),
    ],
)
def test_wrong_types_and_numbers_are_named(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()


def test_points_that_coco_does_not_annotate_have_no_position():
    keypoints = interchange.to_coco_wholebody(FACES)
    keypoints[0, 23:26] = 0
    points = interchange.from_coco_wholebody(keypoints)
    assert np.isnan(points[0, :3]).all() and np.isfinite(points[0, 3:]).all() and np.isfinite(points[1]).all()


def test_tables_without_faces_have_columns():
    pytest.importorskip("pandas")
    for faces in ([], {}, {"a.jpg": []}):
        table = interchange.to_pandas(faces)
        assert len(table) == 0 and interchange.from_pandas(table).shape == (0, 68, 2)
    assert list(interchange.to_pandas([]).columns) == list(interchange.to_pandas(FACES).columns)
    assert list(interchange.to_pandas({}).columns) == list(interchange.to_pandas({"a.jpg": FACES}).columns)
