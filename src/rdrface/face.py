"""The result types: a face in an image, its parameters, pose and mesh."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from rdrface.face_dict import plain, read_entries
from rdrface.geometry.boxes import bounding_boxes, box_size
from rdrface.geometry.camera import project
from rdrface.geometry.rotation import head_angles, rotation_matrix
from rdrface.landmarks import NUM_LANDMARKS
from rdrface.mesh_io import write_mesh
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import NUM_EXPRESSION, NUM_IDENTITY, NUM_POSE, ROTATION
from rdrface.morphable.schemes import surface_points


@dataclass(frozen=True, eq=False)
class Parameters:
    """The parameters Q of the 3D face, in the image frame.

    Attributes:
        pose: (7,) float32 P = pitch, yaw, roll [radians], t_x, t_y, t_z [mm, model frame], f [image pixels per mm]. The
            angles are those of the paper, R = R_z(roll) R_y(yaw) R_x(pitch); they differ from the angles of `Face.pose`
            and are singular at a yaw of +-90 degrees.
        identity: (50,) float32 alpha_id; each coefficient has unit variance over people.
        expression: (46,) float32 alpha_exp, nominally 0..1.
    """

    pose: np.ndarray
    identity: np.ndarray
    expression: np.ndarray

    def __repr__(self) -> str:
        return f"Parameters(pose ({NUM_POSE},), identity ({NUM_IDENTITY},), expression ({NUM_EXPRESSION},))"


@dataclass(frozen=True, eq=False)
class Pose:
    """Rotation of the head. R = R_y(yaw) R_x(pitch) R_z(roll); x right, y up, z towards the viewer.

    Yaw and pitch are the direction of the nose, roll is the rotation about it. All three are well defined at every yaw,
    including +-90 degrees (profile). Only at a pitch of +-90 degrees are yaw and roll rotations about the same axis.

    Attributes:
        rotation: (3, 3) float32, model frame to camera frame.
        yaw: degrees, -180..180; positive: the nose points to the right of the image. Beyond +-90 the head is turned
            away from the viewer.
        pitch: degrees, -90..90; positive: the nose points down.
        roll: degrees, -180..180; positive: counterclockwise as seen by someone whom the face looks at.
    """

    rotation: np.ndarray
    yaw: float
    pitch: float
    roll: float

    def __repr__(self) -> str:
        return f"Pose(yaw={self.yaw:.1f}, pitch={self.pitch:.1f}, roll={self.roll:.1f} degrees)"


class Mesh(NamedTuple):
    """The surface of a face in its image.

    Attributes:
        vertices: (V, 3) float32 image pixels: x right, y down, z towards the viewer.
        triangles: (F, 3) int32, vertex indices, counterclockwise as seen from outside when y points up.
    """

    vertices: np.ndarray
    triangles: np.ndarray

    def save(self, path: str | Path) -> None:
        """Write the mesh; an existing file is replaced.

        In the file the y axis points up, as 3D programs expect it; in `vertices` it points down.

        Args:
            path: ``NAME.obj`` (Wavefront) or ``NAME.ply`` (Stanford).

        Raises:
            ValueError: the suffix is neither .obj nor .ply.
            DataError: the file cannot be written.
        """
        write_mesh(Path(path), self.vertices, self.triangles)

    def __repr__(self) -> str:
        return f"Mesh({len(self.vertices)} vertices, {len(self.triangles)} triangles)"


@dataclass(frozen=True, eq=False)
class Face:
    """One face in one image. Positions are in image pixels: x right, y down, (0, 0) is the center of the first pixel.

    Attributes:
        box: (4,) float32 xyxy, the landmark box that the detector estimated or that was passed to `Aligner.align`.
        score: detector score, 0..1; 1 if the box was passed to `Aligner.align`.
        landmarks: (68, 2) float32, the refined 2D output (3D+2D), contour on the visible outline.
        landmarks_jawline: (68, 2) float32, the same with the contour on the absolute jawline, also where it is hidden.
        landmarks_3d: (68, 3) float32, landmarks of the 3D face, contour on the absolute jawline; z in pixels, towards
            the viewer.
        projection: (68, 2) float32, the 3D output S_p: the projected landmarks of the 3D face, contour on the visible
            outline.
        visibility: (68,) float32, probability that the point is hidden neither by the head itself nor by an object; 0
            for points outside the image.
        uncertainty: (68,) float32, expected distance of `landmarks` from their true positions, percent of `size`.
        parameters: see `Parameters`.
        custom_landmarks: (L, 2) float32, landmarks of the annotation scheme that the weights were fine-tuned to
            (docs/finetuning.md); None with weights of the 68 landmarks only.
        model: the face model that the parameters belong to; None means the packaged one.
    """

    box: np.ndarray
    score: float
    landmarks: np.ndarray
    landmarks_jawline: np.ndarray
    landmarks_3d: np.ndarray
    projection: np.ndarray
    visibility: np.ndarray
    uncertainty: np.ndarray
    parameters: Parameters
    custom_landmarks: np.ndarray | None = None
    model: FaceModel | None = field(default=None, repr=False)

    @property
    def bounds(self) -> np.ndarray:
        """(4,) float32 xyxy, the bounding box of `landmarks`. `box` is where the face was searched."""
        bounds: np.ndarray = bounding_boxes(self.landmarks[None])[0]
        return bounds

    @property
    def size(self) -> float:
        """Square root of the area of `bounds`, pixels: the usual normalizer of errors."""
        return float(box_size(self.bounds))

    @property
    def expected_error(self) -> float:
        """Mean of `uncertainty`, percent of `size`: how far off the whole face is expected to be."""
        return float(self.uncertainty.mean())

    @cached_property
    def pose(self) -> Pose:
        """Rotation matrix and angles, see `Pose`."""
        rotation = rotation_matrix(self.parameters.pose[ROTATION].astype(np.float64))
        pitch, yaw, roll = np.degrees(head_angles(rotation))
        return Pose(np.asarray(rotation, np.float32), yaw=float(yaw), pitch=float(pitch), roll=float(roll))

    @cached_property
    def blendshapes(self) -> dict[str, float]:
        """Expression coefficients by ARKit's names, clipped to 0..1, for example ``{"jawOpen": 0.41, ...}``."""
        values = np.clip(self.parameters.expression, 0, 1)
        return {name: float(value) for name, value in zip(self._model.expression_names, values, strict=True)}

    def mesh(self) -> Mesh:
        """The 3D face in the image."""
        model = self._model
        shape = model.shape(self.parameters.identity[None], self.parameters.expression[None])
        return Mesh(self._project(shape), model.triangles)

    def points(self, scheme: str) -> np.ndarray:
        """Points of the 3D face in another annotation scheme.

        Args:
            scheme: one of `rdrface.morphable.schemes.SCHEMES`: "ibug68", "inner51", "aflw21", "aflw34", "wflw98",
                "eye_centers", "ear_lobes" or "parallel_lines".

        Returns:
            (n, 3) float32 image pixels, z towards the viewer. The contour of "ibug68" is the absolute jawline.

        Raises:
            ValueError: no such scheme; the message lists the schemes.
        """
        points = self._model.reduced(surface_points(self._model, scheme))
        shape = points.shape(self.parameters.identity[None], self.parameters.expression[None])
        return self._project(shape)

    def to_dict(self) -> dict[str, Any]:
        """The face as plain lists and numbers, for JSON; `from_dict` restores exactly the same values."""
        custom = self.custom_landmarks
        return {
            "box": plain(self.box),
            "score": float(self.score),
            "landmarks": plain(self.landmarks),
            "landmarks_jawline": plain(self.landmarks_jawline),
            "landmarks_3d": plain(self.landmarks_3d),
            "projection": plain(self.projection),
            **({} if custom is None else {"custom_landmarks": plain(custom)}),
            "visibility": plain(self.visibility),
            "uncertainty": plain(self.uncertainty),
            "expected_error": round(self.expected_error, 4),
            "pose": {
                "yaw": round(self.pose.yaw, 4),
                "pitch": round(self.pose.pitch, 4),
                "roll": round(self.pose.roll, 4),
                "rotation": plain(self.pose.rotation),
            },
            "parameters": {
                "pose": plain(self.parameters.pose),
                "identity": plain(self.parameters.identity),
                "expression": plain(self.parameters.expression),
            },
            "blendshapes": {name: round(value, 4) for name, value in self.blendshapes.items()},
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], model: FaceModel | None = None) -> "Face":
        """Restore a face from the dictionary of `to_dict`, of this release or of 0.1.

        Args:
            content: the dictionary; `expected_error`, `pose` and `blendshapes` are computed from the other entries and
                may be missing.
            model: the face model that the parameters belong to; the packaged one by default.

        Raises:
            DataError: an entry is missing, is not finite, or has the wrong shape or type.
            TypeError: `model` is not a face model.
        """
        if model is not None and not isinstance(model, FaceModel):
            raise TypeError(f"model must be a FaceModel or None; got {type(model).__name__}")
        entries = read_entries(content)
        parameters = Parameters(**entries.pop("parameters"))
        return cls(**entries, parameters=parameters, model=model)

    def __repr__(self) -> str:
        x0, y0, x1, y1 = self.box.round(1).tolist()
        return (
            f"Face(box=({x0:.1f}, {y0:.1f}, {x1:.1f}, {y1:.1f}), score={self.score:.2f}, yaw={self.pose.yaw:.1f}, "
            f"pitch={self.pose.pitch:.1f}, roll={self.pose.roll:.1f}, "
            f"visible {int((self.visibility > 0.5).sum())}/{NUM_LANDMARKS})"
        )

    @property
    def _model(self) -> FaceModel:
        return packaged_model() if self.model is None else self.model

    def _project(self, shape: np.ndarray) -> np.ndarray:
        # In float64: the translation is many times larger than a face, and float32 would lose a hundredth of a pixel.
        projected = project(shape.astype(np.float64), self.parameters.pose[None].astype(np.float64))
        return np.asarray(projected[0], np.float32)


@lru_cache(maxsize=1)
def packaged_model() -> FaceModel:
    """The packaged face model, read once per process."""
    return FaceModel.load()
