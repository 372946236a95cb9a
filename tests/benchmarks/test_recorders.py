"""Recorders of the baselines, run with stand-ins for the packages of the methods."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

BASELINES = Path(__file__).resolve().parents[2] / "benchmarks" / "baselines"

BOX = [30.0, 20.0, 70.0, 70.0]


@pytest.fixture
def views(monkeypatch):
    monkeypatch.syspath_prepend(str(BASELINES))
    import views

    return views


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """A list of one face, in an image of 100 x 80 pixels."""
    image = tmp_path / "a.png"
    Image.fromarray(np.full((80, 100, 3), 90, np.uint8)).save(image)
    path = tmp_path / "faces.json"
    path.write_text(json.dumps([{"face": 0, "image": "a.png", "path": str(image), "box": BOX}]))
    return path


def run(tmp_path: Path, stub: dict[str, str], recorder: str, faces: Path, *options: str) -> subprocess.CompletedProcess:
    """Run a recorder in its own process, with stand-ins for the modules of its method: {file name: text}."""
    folder = tmp_path / "stubs"
    folder.mkdir()
    for name, text in stub.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    out = tmp_path / "out.json"
    start = f"import sys, runpy; sys.path[:0] = [{str(folder)!r}, {str(BASELINES)!r}]; "
    start += f"sys.argv = {[recorder, str(faces), '-o', str(out), *options]!r}; "
    start += f"runpy.run_path({str(BASELINES / recorder)!r}, run_name='__main__')"
    return subprocess.run([sys.executable, "-c", start], capture_output=True, text=True, check=False)


def recorded(tmp_path: Path) -> dict:
    return json.loads((tmp_path / "out.json").read_text())


def test_view_coordinates_convert_back_to_the_image(views) -> None:
    image = np.zeros((40, 60, 3), np.uint8)
    image[10:20, 30:40] = 255
    for view in (
        views.bordered(image, 0.25),
        views.bordered(image, 0.5, square=True),
        views.bordered(image, 0.25, square=True, enlarge=3.0),
        views.around(image, [25, 5, 45, 25], 3.0, 240),  # partly outside the image
    ):
        y, x = np.nonzero(view.pixels[..., 0] > 127)
        middle = np.array([x.min() + x.max(), y.min() + y.max()]) / 2
        np.testing.assert_allclose(view.to_image(middle), [34.5, 14.5], atol=0.2)
        np.testing.assert_allclose(view.to_view(view.to_image(middle)), middle)


def test_a_square_border_makes_a_square_view(views) -> None:
    assert views.bordered(np.zeros((41, 60, 3), np.uint8), 0.1, square=True).pixels.shape == (68, 68, 3)


def test_the_mediapipe_map_covers_all_68_points() -> None:
    content = json.loads((BASELINES / "mediapipe_map.json").read_text())
    vertices, weights = np.array(content["vertices"]), np.array(content["weights"])
    assert vertices.shape == weights.shape == (68, 2)
    assert vertices.min() >= 0 and vertices.max() < 478
    np.testing.assert_allclose(weights.sum(1), 1)


def test_requirements_are_pinned() -> None:
    for name in ("dlib", "mediapipe", "face-alignment"):
        lines = (BASELINES / f"{name}.txt").read_text().splitlines()
        packages = [line for line in lines if line and not line.startswith(("#", "--"))]
        assert packages and all("==" in line for line in packages), name


MEDIAPIPE = """
from types import SimpleNamespace as Space
class FaceMesh:
    def __init__(self, **options): pass
    def process(self, pixels):
        # One face; all its vertices are in the middle of the view.
        point = Space(x=0.5, y=0.5)
        return Space(multi_face_landmarks=[Space(landmark=[point] * 478)])
solutions = Space(face_mesh=Space(FaceMesh=FaceMesh))
"""
MEDIAPIPE_FILES = {
    "mediapipe/__init__.py": MEDIAPIPE,
    "mediapipe/modules/face_landmark/face_landmark_with_attention.tflite": "x" * 1_500_000,
    "mediapipe/modules/face_detection/face_detection_short_range.tflite": "x" * 500_000,
    "mediapipe-9.8.dist-info/METADATA": "Metadata-Version: 2.1\nName: mediapipe\nVersion: 9.8\n",
}


@pytest.mark.parametrize(("boxes", "middle"), [("own", (49.5, 39.5)), ("given", (49, 44))])
def test_mediapipe_landmarks_are_in_image_pixels(tmp_path, faces, boxes, middle) -> None:
    done = run(tmp_path, MEDIAPIPE_FILES, "record_mediapipe.py", faces, "--boxes", boxes)
    assert done.returncode == 0, done.stderr
    content = recorded(tmp_path)
    assert content["method"] == "MediaPipe 9.8" and content["megabytes"] == 2.0
    (face,) = content["faces"]
    # The square around the box (center 50, 45) is rounded to whole pixels: -13 to 111 and -18 to 106.
    np.testing.assert_allclose(face["landmarks"], np.tile(middle, (68, 1)), atol=0.01)
    assert face["image"] == "a.png" and face["milliseconds"] > 0
    assert ("face" in face) == (boxes == "given")


DLIB = """
from types import SimpleNamespace as Space
class rectangle:
    def __init__(self, *sides): self.sides = sides
def get_frontal_face_detector():
    def detect(pixels, upsample):
        # The rectangle of the whole image, inside a border of 24 pixels.
        assert upsample == 1
        sides = dict(zip(("left", "top", "right", "bottom"), (24, 24, 123, 103)))
        return [Space(**{name: (lambda value=value: value) for name, value in sides.items()})]
    return detect
def shape_predictor(path):
    def predict(pixels, rectangle):
        x0, y0, x1, y1 = rectangle.sides
        corners = [(x0, y0), (x1, y1)] * 34
        return Space(parts=lambda: [Space(x=x, y=y) for x, y in corners])
    return predict
"""
DLIB_FILES = {
    "dlib.py": DLIB,
    # Must not be imported: the real package needs pkg_resources.
    "face_recognition_models/__init__.py": "raise ImportError('imported')",
    "face_recognition_models/models/shape_predictor_68_face_landmarks.dat": "x" * 1_000_000,
}


def test_dlib_landmarks_are_in_image_pixels(tmp_path, faces) -> None:
    done = run(tmp_path, DLIB_FILES, "record_dlib.py", faces)
    assert done.returncode == 0, done.stderr
    content = recorded(tmp_path)
    assert content["megabytes"] == 1.0
    (face,) = content["faces"]
    # The stand-in's landmarks are the corners of its rectangle.
    np.testing.assert_allclose(face["landmarks"][:2], [[0, 0], [99, 79]], atol=0.5)
    assert face["milliseconds"] > 0 and face["detector_milliseconds"] >= 0


def test_a_true_box_is_converted_to_a_dlib_rectangle(tmp_path, faces) -> None:
    done = run(tmp_path, DLIB_FILES, "record_dlib.py", faces, "--boxes", "given")
    assert done.returncode == 0, done.stderr
    (face,) = recorded(tmp_path)["faces"]
    (x0, y0), (x1, y1) = face["landmarks"][:2]
    size = np.sqrt(40 * 50)
    # Of the three rectangles the middle one fits the box best.
    np.testing.assert_allclose([(x0 + x1) / 2, (y0 + y1) / 2], [50, 45 - 0.09 * size], atol=0.5)
    np.testing.assert_allclose([x1 - x0, y1 - y0], 1.05 * size, atol=0.5)
    assert face["face"] == 0


FACE_ALIGNMENT = """
import numpy as np
from types import SimpleNamespace as Space
LandmarksType = Space(TWO_D=1, TWO_HALF_D=2)
class FaceAlignment:
    def __init__(self, kind, device, compile):
        if WEIGHTS:
            self.face_detector = Space(detect_from_image=lambda image: [np.array([10.0, 0, 60, 50, 0.9])])
        else:
            raise OSError("no address for this host")
    def get_landmarks_from_image(self, image, detected_faces):
        return [np.tile((box[0], box[1]), (68, 1)) for box in detected_faces]
"""
TORCH = "from types import SimpleNamespace as Space\nset_num_threads = print\nhub = Space(get_dir=lambda: 'nowhere')\n"


@pytest.mark.parametrize("available", [True, False])
def test_face_alignment_is_recorded_if_its_weights_are_available(tmp_path, faces, available) -> None:
    stub = {
        "face_alignment.py": f"WEIGHTS = {available}\n{FACE_ALIGNMENT}",
        "torch.py": TORCH,
        "face_alignment-9.8.dist-info/METADATA": "Metadata-Version: 2.1\nName: face-alignment\nVersion: 9.8\n",
    }
    done = run(tmp_path, stub, "record_face_alignment.py", faces)
    if not available:
        assert done.returncode != 0 and not (tmp_path / "out.json").exists()
        assert done.stderr.strip().splitlines()[-1] == "its weights could not be downloaded: no address for this host"
        return
    assert done.returncode == 0, done.stderr
    (face,) = recorded(tmp_path)["faces"]
    assert face["landmarks"][0] == [10, 0]
    x0, y0, x1, _ = face["box"]
    # A landmark box is smaller than the detector's box, and lower.
    assert x1 - x0 == pytest.approx(50 / 1.12, abs=0.01) and y0 > 0
