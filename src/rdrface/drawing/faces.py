"""Draw faces on their image: landmarks, the surface of the 3D face, and the axes of the head."""

from collections.abc import Iterable

import numpy as np

from rdrface.drawing.axes import draw_axes
from rdrface.drawing.landmarks import HALO, draw_landmarks
from rdrface.drawing.strokes import blend, coverage, strokes
from rdrface.drawing.surface import draw_surface
from rdrface.drawing.text import draw_text, text_size
from rdrface.face import Face
from rdrface.image import ImageSource, read_image

UNCERTAIN = 6.0
"""Faces with a larger `Face.expected_error`, percent of the face size, are drawn paler and with that figure."""

_UNCERTAIN_OPACITY = 0.5
_NOTE_COLOR = (255, 255, 255)


def draw(
    image: ImageSource, faces: Iterable[Face], *, landmarks: bool = True, mesh: bool = False, axes: bool = False
) -> np.ndarray:
    """Draw faces on their image.

    A face whose `expected_error` is above `UNCERTAIN` is drawn paler, with the figure below the chin: "±8 %".

    Args:
        image: a path, a PIL image or an array (`rdrface.image.read_image`); an array is not changed.
        faces: faces of that image.
        landmarks: draw `Face.landmarks` with lines: discs for visible points, rings for those that are probably hidden.
        mesh: draw the face of `Face.mesh`, translucent and with a grid. Scalp, ears, neck and eyes are left out.
        axes: draw the x, y and z axes of the head in red, green and blue, beside the face.

    Returns:
        (H, W, 3) uint8 RGB, a new array.

    Raises:
        ImageError: the image cannot be read.
        TypeError: `faces` contains something else than faces.
        ValueError: the landmarks of a face are not finite.
    """
    canvas = np.array(read_image(image), order="C")
    if isinstance(faces, Face):
        raise TypeError("draw takes a list of faces; got one Face: put it in a list")
    faces = list(faces)
    for face in faces:
        if not isinstance(face, Face):
            raise TypeError(f"faces must contain rdrface.Face objects; got {type(face).__name__}")
        if not np.isfinite(face.landmarks).all():
            raise ValueError("the landmarks of a face are NaN or infinite, so it cannot be drawn")
    boxes = np.array([face.bounds for face in faces]).reshape(-1, 4)
    # Small faces last: they are rarely behind larger ones.
    for face in sorted(faces, key=lambda one: -one.size):
        uncertain = face.expected_error > UNCERTAIN
        # Axes and note of a face outside the image would be at its edge, where no face is.
        inside = (face.bounds[:2] <= canvas.shape[1::-1]).all() and (face.bounds[2:] >= 0).all()
        opacity = _UNCERTAIN_OPACITY if uncertain else 1.0
        if mesh:
            draw_surface(canvas, face, opacity)
        if landmarks:
            draw_landmarks(canvas, face, opacity)
        if axes and inside:
            draw_axes(canvas, face, opacity, boxes)
        if uncertain and inside and (mesh or landmarks or axes):
            _note(canvas, face)
    return canvas


def _note(canvas: np.ndarray, face: Face) -> None:
    """Write the expected error below the chin, or at the edge of the image if the chin is outside."""
    limit = np.array(canvas.shape[1::-1], np.float64)
    box = face.bounds.astype(np.float64)
    height = round(min(max(0.075 * face.size, 11), max(max(limit) / 12, 11)))
    text = f"±{face.expected_error:.0f} %"
    width, ink = text_size(text, height)
    half = np.array([width / 2 + 0.6 * height, ink / 2 + 0.35 * height])
    at = np.array([(box[0] + box[2]) / 2, box[3] + 0.04 * face.size + half[1] + 2])
    at = np.clip(at, half, np.maximum(limit - half, half))
    ends = at + np.array([[half[1] - half[0], 0], [half[0] - half[1], 0]])
    blend(canvas, coverage(strokes(ends[:1], ends[1:], half[1], HALO, 0.6), canvas.shape))
    draw_text(canvas, text, (at[0], at[1]), height, _NOTE_COLOR, 1.0)
