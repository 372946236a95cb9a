"""`rdrface.fit`: the 3D face behind one face's 2D landmarks, wherever they come from."""

from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from rdrface.datasets.records import OCCLUDED, SELF_OCCLUDED, VISIBLE, FaceRecords
from rdrface.face import Face, Parameters
from rdrface.fitting.fit import fit_records
from rdrface.fitting.observations import MIN_POINTS
from rdrface.geometry.boxes import bounding_boxes
from rdrface.geometry.camera import transform_pose
from rdrface.landmarks import NUM_LANDMARKS
from rdrface.morphable.landmark_model import LandmarkModel
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import EXPRESSION, IDENTITY, POSE

_NO_FACE = 12.0
"""Percent of the face's size: the mean distance from the fit of points that are no face."""
_LINE = 0.05
"""Shortest over longest axis of the points: below it they lie on a line."""
_SMALLEST, _LARGEST = 0.1, 1e6
"""Photo pixels."""
_FROM_BEHIND = -0.25
"""z of the direction in which a head looks; 15 degrees beyond profile no face is seen."""


def fit(
    points: npt.ArrayLike,
    *,
    visible: npt.ArrayLike | None = None,
    contour: Literal["outline", "jawline"] = "outline",
    model: FaceModel | None = None,
) -> Face:
    """Fit the 3D face model to the 68 landmarks of one face.

    Pose, 50 identity and 46 expression coefficients are found together, see `rdrface.fitting.fit_records`. No photo and
    no network is needed.

    Args:
        points: (68, 2) photo pixels, iBUG's order, x right, y down; NaN where a landmark has no position. At least six
            positions are needed.
        visible: (68,) bool or probability; landmarks below 0.5 count as hidden: with a position as a guess of little
            weight, without one as hidden by the head, which tells how far it is turned.
        contour: convention of points 0-16: the visible outline, or the absolute jawline.
        model: the face model; the packaged one by default.

    Returns:
        The face: `projection`, `landmarks_3d`, `pose`, `parameters`, `blendshapes` and `mesh()` are the fit's. The
        given points are in `landmarks`, or in `landmarks_jawline` for that convention; where there was none, the
        fitted face's. `visible` is what the head itself leaves in view. `confidence.error_percent` is the distance of
        every given point from the fit, and the fit's mean distance for the others. `score` is 1.

    Raises:
        ValueError: another shape, an unknown convention, too few positions, or points that do not form a face.
        TypeError: `model` is no face model.
    """
    given = _numbers(points, "points", (NUM_LANDMARKS, 2), "photo pixels in iBUG's order")
    seen = (
        np.ones(NUM_LANDMARKS)
        if visible is None
        else _numbers(visible, "visible", (NUM_LANDMARKS,), "one value per point")
    )
    if not ((seen >= 0) & (seen <= 1)).all():
        raise ValueError("visible must be bool or probabilities in 0..1")
    if not isinstance(contour, str) or contour not in ("outline", "jawline"):
        raise ValueError(f"contour must be 'outline' or 'jawline'; got {contour!r}")
    if model is not None and not isinstance(model, FaceModel):
        raise TypeError(f"model must be a FaceModel, e.g. FaceModel.load(path); got {type(model).__name__}")
    known: np.ndarray = np.isfinite(given).all(axis=1)
    if known.sum() < MIN_POINTS:
        raise ValueError(f"a fit needs {MIN_POINTS} points with a position; got {known.sum()}")
    given = np.where(known[:, None], given, np.nan)
    _check_spread(given[known])
    # Near the origin float32 keeps its digits.
    origin = np.nanmean(given, axis=0)
    given = given - origin
    box = bounding_boxes(given[None])
    own = FaceModel.load() if model is None else model
    hidden_state = np.where(known, OCCLUDED, SELF_OCCLUDED)
    fitted = fit_records(
        FaceRecords(
            image=np.array([""]),
            points=given[None],
            state=np.where(seen >= 0.5, VISIBLE, hidden_state)[None],
            contour=np.array([contour]),
            box=box,
            source=np.array(["points"]),
            split=np.array(["test"]),
        ),
        own,
        progress=False,
    )
    face = _face(_moved(fitted, origin), given + origin, known, contour, own, model)
    error = float(face.uncertainty[known].mean())
    if error > _NO_FACE or face.pose.rotation[2, 2] < _FROM_BEHIND:
        raise ValueError(
            f"the points do not form a face: the best fit is {error:.0f} % of the face's size away from them, at a yaw "
            f"of {face.pose.yaw:.0f} degrees. Wanted: the 68 landmarks in iBUG's order, photo pixels, y down, NaN "
            "where one is missing"
        )
    return face


def _numbers(values: npt.ArrayLike, name: str, shape: tuple[int, ...], meaning: str) -> np.ndarray:
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "fiu" and not (name == "visible" and array.dtype.kind == "b"):
            raise TypeError(f"dtype {array.dtype}")
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be an array of numbers, {shape}: {meaning}; got {error}") from error
    if array.shape != shape:
        raise ValueError(f"{name} must be {shape}, {meaning}; got shape {array.shape}")
    return array.astype(np.float64)


def _check_spread(points: np.ndarray) -> None:
    off = points - points.mean(axis=0)
    longest, shortest = np.linalg.svd(off, compute_uv=False)
    if not shortest > _LINE * longest:
        raise ValueError("the points lie on one line or at one place: no face can be fitted to them")
    size = float(np.abs(off).max())
    if not _SMALLEST < size < _LARGEST or np.abs(points).max() > _LARGEST:
        raise ValueError(
            f"points must be photo pixels, with faces of {_SMALLEST} to {_LARGEST:g} pixels; "
            f"got a face of about {2 * size:.3g} pixels at {points.mean(axis=0).round(1).tolist()}"
        )


def _moved(fitted: FaceRecords, origin: np.ndarray) -> FaceRecords:
    assert fitted.Q is not None and fitted.outline is not None and fitted.jawline is not None
    q = fitted.Q.astype(np.float64)
    q[:, POSE] = transform_pose(q[:, POSE], np.ones(1), np.zeros(1), origin[None])
    return replace(
        fitted,
        Q=q,
        outline=fitted.outline + origin,
        jawline=fitted.jawline + origin,
        box=fitted.box + np.tile(origin, 2),
    )


def _face(
    fitted: FaceRecords, given: np.ndarray, known: np.ndarray, contour: str, own: FaceModel, model: FaceModel | None
) -> Face:
    assert fitted.Q is not None and fitted.outline is not None and fitted.jawline is not None
    assert fitted.hidden is not None
    q, outline, jawline = fitted.Q, fitted.outline[0], fitted.jawline[0]
    points68 = LandmarkModel.from_face_model(own)
    in_3d = points68.outline68(q)[1][0]
    same = outline if contour == "outline" else jawline
    landmarks = np.where(known[:, None], given, same)
    outline_2d, jawline_2d = (
        np.concatenate([(landmarks if convention == contour else there)[:17], landmarks[17:]])
        for convention, there in (("outline", outline), ("jawline", jawline))
    )
    size = float(np.sqrt(np.ptp(outline, axis=0).prod()))
    off = 100 * np.linalg.norm(landmarks - same, axis=1) / size
    error = np.where(known, off, off[known].mean())
    return Face(
        box=fitted.box[0],
        score=1.0,
        landmarks=outline_2d.astype(np.float32),
        landmarks_jawline=jawline_2d.astype(np.float32),
        projection=outline.astype(np.float32),
        landmarks_3d=in_3d.astype(np.float32),
        visibility=1 - fitted.hidden[0].astype(np.float32),
        uncertainty=error.astype(np.float32),
        parameters=Parameters(pose=q[0, POSE], identity=q[0, IDENTITY], expression=q[0, EXPRESSION]),
        model=model,
    )
