"""The one result type: a face found in a photo."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np

from rdrface.errors import DataError, WeightsError
from rdrface.geometry.camera import project
from rdrface.geometry.rotation import rotation_matrix
from rdrface.landmarks import COUNT
from rdrface.morphable.model import FaceModel
from rdrface.morphable.schemes import surface_points

HALVING_ERROR = 5.0
"""Percent of the face's size: an expected error of this much has the confidence score 0.5."""

_DIGITS = 9
"""Significant decimal digits that tell any two float32 numbers apart."""


@dataclass(frozen=True, eq=False)
class Confidence:
    """How sure the network is of each landmark.

    Attributes:
        error_percent: (68,) float32, expected distance from the truth in percent of the face's size, the square root of
            the area of the landmarks' box.
    """

    error_percent: np.ndarray

    @property
    def score(self) -> np.ndarray:
        """(68,) float32, 0..1: 1 for no expected error, 0.5 for `HALVING_ERROR` percent, 0.25 for twice that, ..."""
        return np.exp2(-self.error_percent / HALVING_ERROR)

    def __repr__(self) -> str:
        return f"Confidence(expected error {self.error_percent.mean():.1f} % of face size, mean of {COUNT})"


@dataclass(frozen=True, eq=False)
class Parameters:
    """Q, the parameters of the 3D face, in the photo's frame.

    Attributes:
        pose: (7,) float32 P = pitch, yaw, roll [radians], t_x, t_y, t_z [mm, model frame], f [photo pixels per mm].
        identity: (50,) float32 alpha_id, unit variance over people.
        expression: (46,) float32 alpha_exp, nominally 0..1.
    """

    pose: np.ndarray
    identity: np.ndarray
    expression: np.ndarray

    def __repr__(self) -> str:
        return "Parameters(pose (7,), identity (50,), expression (46,))"


@dataclass(frozen=True, eq=False)
class Pose:
    """How the head is turned. R = R_z(roll) R_y(yaw) R_x(pitch); x right, y up, z towards the viewer.

    Attributes:
        rotation: (3, 3) float32.
        yaw: degrees; positive: the nose points to the picture's right.
        pitch: degrees; positive: the nose points down.
        roll: degrees; positive: the head is turned counterclockwise, as seen.
    """

    rotation: np.ndarray
    yaw: float
    pitch: float
    roll: float

    def __repr__(self) -> str:
        return f"Pose(yaw={self.yaw:.1f}, pitch={self.pitch:.1f}, roll={self.roll:.1f} degrees)"


class Mesh(NamedTuple):
    """A face's surface in its photo.

    Attributes:
        vertices: (V, 3) float32 photo pixels: x right, y down, z towards the viewer.
        triangles: (F, 3) int32, vertex indices, counterclockwise as seen from outside when y points up.
    """

    vertices: np.ndarray
    triangles: np.ndarray

    def __repr__(self) -> str:
        return f"Mesh({len(self.vertices)} vertices, {len(self.triangles)} triangles)"


@dataclass(frozen=True, eq=False)
class Face:
    """One face in one photo. All positions are photo pixels: x right, y down, (0, 0) the centre of the first pixel.

    Attributes:
        box: (4,) float32 xyxy, the landmark box that the face was looked for in.
        score: the detector's, 0..1; 1 for a box that was given.
        landmarks: (68, 2) float32, the refined 2D output (3D+2D); the contour is the visible `outline`.
        landmarks_jawline: (68, 2) float32, the same with the contour on the absolute jawline, hidden parts included.
        projection: (68, 2) float32, the 3D output S_p: the 3D face's landmarks projected, contour as `outline`.
        landmarks_3d: (68, 3) float32, of the 3D face, contour on the absolute `jawline`; z in pixels, to the viewer.
        visible: (68,) float32, probability that the point is hidden neither by the head itself nor by something else.
        confidence: see `Confidence`.
        parameters: see `Parameters`.
        model: the face model that the parameters belong to; None is the packaged one.
        own: (L, 2) float32 landmarks of the setting that the weights were fine-tuned to, see `own_landmarks`; None
            where they were not.
    """

    box: np.ndarray
    score: float
    landmarks: np.ndarray
    landmarks_jawline: np.ndarray
    projection: np.ndarray
    landmarks_3d: np.ndarray
    visible: np.ndarray
    confidence: Confidence
    parameters: Parameters
    model: FaceModel | None = field(default=None, repr=False)
    own: np.ndarray | None = None

    @property
    def own_landmarks(self) -> np.ndarray:
        """(L, 2) float32 photo pixels: landmarks of one's own setting.

        Raises:
            WeightsError: the weights know the 68 landmarks only.
        """
        if self.own is None:
            raise WeightsError(
                "this face has no landmarks of a setting of its own: its weights know the 68 points only. Make weights "
                "with `rdrface train --setting DIR -o RUN` (docs/finetuning.md) and open them with rdrface.load(path)"
            )
        return self.own

    @property
    def size(self) -> float:
        """Square root of the area of the landmarks' box, pixels: the field's measure of a face's size."""
        return float(np.sqrt(np.ptp(self.landmarks, axis=0).prod()))

    @cached_property
    def pose(self) -> Pose:
        """Rotation matrix and angles, see `Pose`."""
        pitch, yaw, roll = np.degrees(self.parameters.pose[:3].astype(np.float64))
        rotation = np.asarray(rotation_matrix(self.parameters.pose[:3]), np.float32)
        return Pose(rotation, yaw=float(yaw), pitch=float(pitch), roll=float(roll))

    @cached_property
    def blendshapes(self) -> dict[str, float]:
        """Expression by ARKit's names, each 0..1, e.g. ``{"jawOpen": 0.41, ...}``; `parameters` has them unclipped."""
        values = np.clip(self.parameters.expression, 0, 1)
        return {name: float(value) for name, value in zip(self._model.expression_names, values, strict=True)}

    def mesh(self) -> Mesh:
        """The 3D face in the photo."""
        model = self._model
        shape = model.shape(self.parameters.identity[None], self.parameters.expression[None])
        return Mesh(self._project(shape), model.triangles)

    def points(self, scheme: str) -> np.ndarray:
        """Points of the 3D face by the name of their scheme: "ibug68", "inner51", "aflw21", "aflw34", ...

        Returns:
            (n, 3) float32 photo pixels, z towards the viewer. The contour of "ibug68" is the absolute jawline.

        Raises:
            ValueError: the face model knows no such scheme; the message names those it knows.
        """
        points = self._model.reduced(surface_points(self._model, scheme))
        shape = points.shape(self.parameters.identity[None], self.parameters.expression[None])
        return self._project(shape)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain lists and numbers, for JSON; `from_dict` gives the same face back to the last bit."""
        own = {} if self.own is None else {"own_landmarks": _plain(self.own)}
        return {
            "box": _plain(self.box),
            "score": float(self.score),
            "landmarks": _plain(self.landmarks),
            "landmarks_jawline": _plain(self.landmarks_jawline),
            "projection": _plain(self.projection),
            **own,
            "landmarks_3d": _plain(self.landmarks_3d),
            "visible": _plain(self.visible),
            "confidence": {
                "error_percent": _plain(self.confidence.error_percent),
                "score": _plain(self.confidence.score),
            },
            "pose": {
                "yaw": round(self.pose.yaw, 4),
                "pitch": round(self.pose.pitch, 4),
                "roll": round(self.pose.roll, 4),
                "rotation": _plain(self.pose.rotation),
            },
            "parameters": {
                "pose": _plain(self.parameters.pose),
                "identity": _plain(self.parameters.identity),
                "expression": _plain(self.parameters.expression),
            },
            "blendshapes": {name: round(value, 4) for name, value in self.blendshapes.items()},
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], model: FaceModel | None = None) -> "Face":
        """A face from what `to_dict` gave.

        Args:
            content: pose, confidence score and blendshapes follow from the rest and need not be there.
            model: the face model that the parameters belong to; the packaged one by default.

        Raises:
            DataError: something is missing or has the wrong shape.
        """
        try:
            parameters = content["parameters"]
            return cls(
                box=_array(content, "box", (4,)),
                score=float(content["score"]),
                landmarks=_array(content, "landmarks", (COUNT, 2)),
                landmarks_jawline=_array(content, "landmarks_jawline", (COUNT, 2)),
                projection=_array(content, "projection", (COUNT, 2)),
                landmarks_3d=_array(content, "landmarks_3d", (COUNT, 3)),
                visible=_array(content, "visible", (COUNT,)),
                confidence=Confidence(_array(content["confidence"], "error_percent", (COUNT,))),
                parameters=Parameters(
                    _array(parameters, "pose", (7,)),
                    _array(parameters, "identity", (50,)),
                    _array(parameters, "expression", (46,)),
                ),
                model=model,
                own=_own_array(content),
            )
        except KeyError as error:
            raise DataError(f"a face needs the entry {error}, as `Face.to_dict` writes it") from error
        except TypeError as error:
            raise DataError(f"not a face as `Face.to_dict` writes it: {error}") from error

    def __repr__(self) -> str:
        x0, y0, x1, y1 = self.box.round(1).tolist()
        return (
            f"Face(box=({x0:.1f}, {y0:.1f}, {x1:.1f}, {y1:.1f}), score={self.score:.2f}, yaw={self.pose.yaw:.1f}, "
            f"pitch={self.pose.pitch:.1f}, roll={self.pose.roll:.1f}, "
            f"visible {int((self.visible > 0.5).sum())}/{COUNT})"
        )

    @property
    def _model(self) -> FaceModel:
        return packaged_model() if self.model is None else self.model

    def _project(self, shape: np.ndarray) -> np.ndarray:
        # In float64: a photo's translation is many times a face, and float32 would cost a hundredth of a pixel.
        projected = project(shape.astype(np.float64), self.parameters.pose[None].astype(np.float64))
        return np.asarray(projected[0], np.float32)


@lru_cache(maxsize=1)
def packaged_model() -> FaceModel:
    """The face model that comes with the package, read once."""
    return FaceModel.load()


def _plain(values: np.ndarray) -> list[Any]:
    # The shortest decimal that gives the same float32 again: half the text of the float64 that tolist() would print.
    flat = [float(f"{value:.{_DIGITS}g}") for value in np.asarray(values, np.float32).ravel().tolist()]
    return np.array(flat).reshape(np.shape(values)).tolist()


def _array(content: Mapping[str, Any], name: str, shape: tuple[int, ...]) -> np.ndarray:
    try:
        values = np.array(content[name], dtype=np.float32)
    except ValueError as error:
        raise DataError(f"{name} must be numbers of shape {shape}: {error}") from error
    if values.shape != shape:
        raise DataError(f"{name} must have shape {shape}; got {values.shape}")
    return values


def _own_array(content: Mapping[str, Any]) -> np.ndarray | None:
    if "own_landmarks" not in content:
        return None
    return _array(content, "own_landmarks", (len(content["own_landmarks"]), 2))
