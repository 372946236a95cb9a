"""Predictions of dlib's 68-point ensemble of regression trees (Kazemi & Sullivan, CVPR 2014) for a list of faces.

python record_dlib.py FACES.json -o predictions.json [--boxes own|given]

Needs the environment of dlib.txt only. One processor core.
"""

import importlib.util
from pathlib import Path
from typing import Any

import dlib
import numpy as np
from recording import (
    Clock,
    Recording,
    arguments,
    around,
    bordered,
    faces_by_photo,
    installed_megabytes,
    one_core,
    progress,
    read_rgb,
)

MODEL = "shape_predictor_68_face_landmarks.dat"

BORDER = 0.3
"""Border around a photo before dlib's detector looks, in units of the photo's shorter side: it misses a little less of
MERL-RAV's training crops, which end at the chin and brows."""

SMALL = 300
"""Photos whose shorter side has fewer pixels are doubled for the detector: it knows faces of 80 pixels and more."""

RECTANGLE_SIDE, RECTANGLE_SHIFT = 1.05, -0.09
"""dlib's rectangle from a landmark box with sides w, h: a square of this many sqrt(w h), its center this many sqrt(w h)
below the box's center. Measured by fit_dlib_box.py: 0.97-1.06 and -0.07 to -0.10 on frontal training faces."""

SIDEWAYS = 0.25
"""How far dlib's rectangle lies towards the back of a turned head, in sqrt(w h); 0.20-0.30 by fit_dlib_box.py. The
trees are lost where a rectangle does not lie as their detector's, and a box does not tell the turn: three are tried."""

WORKING_SIDE = 400
"""Pixels: the trees see the face with a rectangle of this side. dlib rounds its landmarks to whole pixels, which costs
something on small photos; fit_dlib_box.py prints how much."""


class Dlib:
    """dlib's frontal face detector and its 68-point shape predictor."""

    def __init__(self) -> None:
        # The package of the models cannot be imported where pkg_resources is gone, so its file is only looked up.
        package = importlib.util.find_spec("face_recognition_models")
        if package is None or not package.submodule_search_locations:
            raise SystemExit("face_recognition_models is not installed: pip install -r dlib.txt")
        self.model = Path(package.submodule_search_locations[0]) / "models" / MODEL
        self.detector = dlib.get_frontal_face_detector()
        self.predictor = dlib.shape_predictor(str(self.model))

    def find(self, photo: np.ndarray) -> list[np.ndarray]:
        """Rectangles (4,) xyxy photo pixels, in dlib's own meaning."""
        view = bordered(photo, BORDER)
        found = self.detector(view.pixels, int(min(photo.shape[:2]) < SMALL))
        return [view.to_image([[one.left(), one.top()], [one.right(), one.bottom()]]).ravel() for one in found]

    def landmarks(self, photo: np.ndarray, rectangle: np.ndarray) -> np.ndarray:
        """(68, 2) photo pixels of the face in a rectangle of dlib's meaning."""
        view = around(photo, rectangle.tolist(), 2.0, 2 * WORKING_SIDE)
        x0, y0, x1, y1 = np.rint(view.to_view(rectangle.reshape(2, 2))).astype(int).ravel().tolist()
        shape = self.predictor(view.pixels, dlib.rectangle(x0, y0, x1, y1))
        return view.to_image(np.array([[point.x, point.y] for point in shape.parts()]))

    def given(self, photo: np.ndarray, box: list[float]) -> np.ndarray:
        """(68, 2) photo pixels of the face with this landmark box.

        Of the three rectangles the one whose landmarks fill the box best: all that is known of the face is its box.
        """
        tried = [self.landmarks(photo, rectangle_of(box, turn * SIDEWAYS)) for turn in (-1, 0, 1)]
        misfit = [np.abs(np.concatenate([points.min(0), points.max(0)]) - box).sum() for points in tried]
        return tried[int(np.argmin(misfit))]


def rectangle_of(box: list[float], sideways: float = 0.0) -> np.ndarray:
    """dlib's rectangle (4,) where the landmark box is (x0, y0, x1, y1), moved to the right by `sideways` sqrt(w h)."""
    x0, y0, x1, y1 = box
    size = ((x1 - x0) * (y1 - y0)) ** 0.5
    x, y = (x0 + x1) / 2 + sideways * size, (y0 + y1) / 2 + RECTANGLE_SHIFT * size
    half = RECTANGLE_SIDE * size / 2
    return np.array([x - half, y - half, x + half, y + half])


def landmark_box_of(rectangle: np.ndarray) -> np.ndarray:
    """(4,) the landmark box, taken for a square, where dlib's rectangle is."""
    center, side = (rectangle[:2] + rectangle[2:]) / 2, (rectangle[2:] - rectangle[:2]) / RECTANGLE_SIDE
    center = center - [0, RECTANGLE_SHIFT * side[1]]
    return np.concatenate([center - side / 2, center + side / 2])


def record(peer: Dlib, photos: dict[str, list[dict[str, Any]]], boxes: str, recording: Recording) -> None:
    """Add what dlib finds to the recording."""
    for path, faces in progress(photos):
        photo = read_rgb(path)
        if boxes == "given":
            for face in faces:
                with Clock() as clock:
                    points = peer.given(photo, face["box"])
                recording.add(face, points, given=True, clock=clock)
            continue
        with Clock() as whole:
            with Clock() as detector:
                rectangles = peer.find(photo)
            found = [peer.landmarks(photo, rectangle) for rectangle in rectangles]
        single = {"clock": whole, "detector": detector} if len(found) == 1 else {}
        for rectangle, points in zip(rectangles, found, strict=True):
            recording.add(faces[0], points, box=landmark_box_of(rectangle), **single)


def main() -> None:
    """Record and write."""
    args = arguments(__doc__).parse_args()
    one_core()
    peer = Dlib()
    recording = Recording("dlib", peer.model.stat().st_size / 1e6, installed_megabytes())
    record(peer, faces_by_photo(args.faces), args.boxes, recording)
    recording.write(args.out)


if __name__ == "__main__":
    main()
