"""Predictions of dlib's 68-point ensemble of regression trees (Kazemi & Sullivan, CVPR 2014) for a list of faces.

python record_dlib.py FACES.json -o predictions.json [--boxes own|given]

Runs in the environment of dlib.txt, on one processor core.
"""

import importlib.util
from pathlib import Path

import dlib
import numpy as np
from views import around, bordered

from recording import Clock, Found, arguments, environment_megabytes, read_faces, record, use_one_core

MODEL = "shape_predictor_68_face_landmarks.dat"

BORDER = 0.3
"""Border added to an image for dlib's detector, as a share of the image's shorter side. MERL-RAV's training crops end
at chin and brows; with a border the detector misses slightly fewer of them."""

SMALL = 300
"""Images with a shorter side below this many pixels are doubled for the detector, whose smallest face has 80 pixels."""

RECTANGLE_SIDE, RECTANGLE_SHIFT = 1.05, -0.09
"""Side of dlib's square rectangle for a landmark box with sides w, h, and distance of its center below the center of
the box, both in units of sqrt(w h). fit_dlib_box.py measures 0.97 to 1.06 and -0.07 to -0.10 on frontal training
faces."""

SIDEWAYS = 0.25
"""Distance, in sqrt(w h), by which dlib's rectangle is shifted towards the back of a turned head; fit_dlib_box.py
measures 0.20 to 0.30. The trees fail when the rectangle is not where dlib's detector would place it, and a box does not
contain the yaw, so three positions are tried."""

WORKING_SIDE = 400
"""Side of the rectangle, in pixels, in the image that is passed to the trees. dlib rounds its landmarks to whole
pixels, which costs accuracy on small images; fit_dlib_box.py prints how much."""


class Dlib:
    """dlib's frontal face detector and its 68-point shape predictor; see `recording.Predictor`."""

    name = "dlib"

    def __init__(self) -> None:
        # Importing the package fails where pkg_resources does not exist, so only its location is looked up.
        package = importlib.util.find_spec("face_recognition_models")
        if package is None or not package.submodule_search_locations:
            raise SystemExit("face_recognition_models is not installed: pip install -r dlib.txt")
        model = Path(package.submodule_search_locations[0]) / "models" / MODEL
        self.detector = dlib.get_frontal_face_detector()
        self.predictor = dlib.shape_predictor(str(model))
        self.megabytes = model.stat().st_size / 1e6
        self.installed_megabytes = environment_megabytes()
        self._detector_clock = Clock()

    def rectangles(self, image: np.ndarray) -> list[np.ndarray]:
        """dlib's rectangles (4,) xyxy, image pixels, of the faces it finds."""
        view = bordered(image, BORDER)
        found = self.detector(view.pixels, int(min(image.shape[:2]) < SMALL))
        return [view.to_image([[one.left(), one.top()], [one.right(), one.bottom()]]).ravel() for one in found]

    def landmarks(self, image: np.ndarray, rectangle: np.ndarray) -> np.ndarray:
        """(68, 2) image pixels of the face in one of dlib's rectangles."""
        view = around(image, rectangle.tolist(), 2.0, 2 * WORKING_SIDE)
        x0, y0, x1, y1 = np.rint(view.to_view(rectangle.reshape(2, 2))).astype(int).ravel().tolist()
        shape = self.predictor(view.pixels, dlib.rectangle(x0, y0, x1, y1))
        return view.to_image(np.array([[point.x, point.y] for point in shape.parts()]))

    def align(self, image: np.ndarray, box: list[float]) -> np.ndarray:
        """See `recording.Predictor`. Of three rectangles, the one whose landmarks fit the box best is used."""
        candidates = [self.landmarks(image, rectangle_of(box, side * SIDEWAYS)) for side in (-1, 0, 1)]
        misfit = [np.abs(np.concatenate([points.min(0), points.max(0)]) - box).sum() for points in candidates]
        return candidates[int(np.argmin(misfit))]

    def detect(self, image: np.ndarray) -> list[Found]:
        """See `recording.Predictor`."""
        with self._detector_clock:
            rectangles = self.rectangles(image)
        return [Found(self.landmarks(image, rectangle), landmark_box_of(rectangle)) for rectangle in rectangles]

    def detector_clock(self, image: np.ndarray) -> Clock:
        """See `recording.Predictor`."""
        return self._detector_clock


def rectangle_of(box: list[float], sideways: float = 0.0) -> np.ndarray:
    """dlib's rectangle (4,) for the landmark box (x0, y0, x1, y1), moved to the right by `sideways` sqrt(w h)."""
    x0, y0, x1, y1 = box
    size = ((x1 - x0) * (y1 - y0)) ** 0.5
    x, y = (x0 + x1) / 2 + sideways * size, (y0 + y1) / 2 + RECTANGLE_SHIFT * size
    half = RECTANGLE_SIDE * size / 2
    return np.array([x - half, y - half, x + half, y + half])


def landmark_box_of(rectangle: np.ndarray) -> np.ndarray:
    """Square landmark box (4,) for one of dlib's rectangles (4,)."""
    center, side = (rectangle[:2] + rectangle[2:]) / 2, (rectangle[2:] - rectangle[:2]) / RECTANGLE_SIDE
    center = center - [0, RECTANGLE_SHIFT * side[1]]
    return np.concatenate([center - side / 2, center + side / 2])


def main() -> None:
    """Record and write."""
    args = arguments(__doc__).parse_args()
    use_one_core()
    record(Dlib(), read_faces(args.faces), args.boxes).write(args.out)


if __name__ == "__main__":
    main()
