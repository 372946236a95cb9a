"""The animation of a tracked person as binary glTF: blendshapes and rotation of the head over time."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from os import PathLike

import numpy as np

from rdrface.face import Face
from rdrface.files import write_aside
from rdrface.scene.glb import animate, face_glb
from rdrface.scene.placement import positions_in_image
from rdrface.scene.shape import FaceShape, rotation_of
from rdrface.scene.surface import Region, surface_of
from rdrface.scene.texture import face_texture

_BETTER = 1.15
"""Factor by which an image must be more suitable for the texture than the best one so far, to replace it."""

_MAX_SECONDS = 1 << 17
"""Beyond, two frames of a video could get the same float32 time."""

_MARGIN = 4
"""Pixels around the head that are kept of the image for the texture."""

_LARGE = 300.0
"""Face size in pixels beyond which a larger face does not give a better texture."""


@dataclass(frozen=True, eq=False)
class _BestImage:
    """The part of the image that shows the head best, and the face in it."""

    suitability: float
    face: Face
    image: np.ndarray
    origin: tuple[float, float]


class PersonClip:
    """The animation of one person.

    Args:
        region: part of the head, see `Region`.
    """

    def __init__(self, region: Region = "face") -> None:
        self._region: Region = region
        self._times: list[float] = []
        self._expressions: list[np.ndarray] = []
        self._rotations: list[np.ndarray] = []
        self._identity = np.zeros(0)
        self._first: Face | None = None
        self._best: _BestImage | None = None

    def add(self, time: float, face: Face, image: np.ndarray | None = None) -> None:
        """Add a frame; frames that are not later than the last one, to about a millionth of the time, are ignored.

        Args:
            time: seconds.
            face: the face.
            image: (H, W, 3) uint8 RGB, the frame. The most suitable one becomes the texture: frontal, large, certain.

        Raises:
            ValueError: the time is not finite.
        """
        if not np.isfinite(time):
            raise ValueError(f"the time of a frame must be finite; got {time}")
        # float32, as in the file: two times that become equal there cannot both be keys.
        time = float(np.float32(time))
        if self._times and time <= self._times[-1]:
            return
        if self._first is None:
            self._first, self._identity = face, np.zeros(len(face.parameters.identity))
        self._times.append(time)
        self._expressions.append(face.parameters.expression)
        self._rotations.append(rotation_of(face))
        self._identity += face.parameters.identity
        if image is not None:
            self._consider(face, image)

    def to_bytes(self) -> bytes:
        """The file: the mean shape of the person, the texture of the best image, and the animation.

        Raises:
            ValueError: there is no frame.
        """
        if self._first is None:
            raise ValueError("a clip needs at least one frame with a face")
        identity = (self._identity / len(self._times)).astype(np.float32)
        parameters = replace(self._first.parameters, identity=identity)
        shape = FaceShape.of(replace(self._first, parameters=parameters), self._region)
        best = self._best
        texture = None if best is None else face_texture(best.face, best.image, origin=best.origin)
        expressions = np.stack(self._expressions)
        glb = face_glb(shape, texture, expressions[0], self._rotations[0])
        animate(glb, np.array(self._times), expressions, self._rotations)
        return glb.to_bytes()

    def _consider(self, face: Face, image: np.ndarray) -> None:
        facing = max(float(face.pose.rotation[2, 2]), 0.05)
        suitability = facing**2 * min(face.size, _LARGE) / (1 + face.expected_error)
        if self._best is not None and suitability < _BETTER * self._best.suitability:
            return
        at = positions_in_image(face, surface_of(face.model, self._region))[:, :2]
        height, width = image.shape[:2]
        x0, y0 = np.floor(at.min(axis=0) - _MARGIN).clip(0, [width - 1, height - 1]).astype(int).tolist()
        x1, y1 = np.ceil(at.max(axis=0) + _MARGIN).clip(1, [width, height]).astype(int).tolist()
        part = image[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)].copy()
        self._best = _BestImage(suitability, face, part, (float(x0), float(y0)))


def write_clip(path: str | PathLike[str], frames: Iterable[tuple[float, Face]], *, region: Region = "face") -> None:
    """Write the animation of one person, without texture. An existing file is replaced.

    Args:
        path: the GLB file.
        frames: time in seconds and face of each frame, in the order of time. The file has float32 times, so they must
            be below 36 hours: those of a clock must count from the start of the clip.
        region: part of the head, see `Region`.

    Raises:
        ValueError: there is no frame or no such region, a time is too large or not finite, or the face has a face model
            with another mesh.
        DataError: the file cannot be written.
    """
    clip = PersonClip(region)
    for time, face in frames:
        if abs(time) > _MAX_SECONDS:
            raise ValueError(f"times must be below {_MAX_SECONDS} s; got {time}: subtract the time of the first frame")
        clip.add(time, face)
    content = clip.to_bytes()
    with write_aside(str(path)) as partial:
        partial.write_bytes(content)
