"""`rdrface.fit`: the 3D face behind the 2D landmarks of one face, from any source."""

from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from rdrface.datasets.records import OCCLUDED, SELF_OCCLUDED, VISIBLE, FaceRecords
from rdrface.errors import FitError
from rdrface.face import Face, Parameters
from rdrface.fitting.fit import fit_records
from rdrface.fitting.observations import MIN_POINTS
from rdrface.geometry.boxes import bounding_boxes, box_size
from rdrface.geometry.camera import transform_pose
from rdrface.landmarks import NUM_CONTOUR, NUM_LANDMARKS
from rdrface.morphable.landmark_model import LandmarkModel
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import EXPRESSION, IDENTITY, POSE

_MAX_ERROR = 12.0
"""Percent of the face's size. Points with a larger mean distance from the fit are not landmarks of a face."""
_MIN_AXIS_RATIO = 0.05
"""Shortest over longest axis of the points. Points with a smaller ratio are on one line."""
_SMALLEST, _LARGEST = 0.1, 1e6
"""Smallest distance of the farthest point from the mean of all, and largest coordinate, image pixels."""
_MIN_FACING = -0.25
"""Smallest z of the direction in which the nose points: 15 degrees beyond profile a face is no longer visible."""


def fit(
    points: npt.ArrayLike,
    *,
    visibility: npt.ArrayLike | None = None,
    contour: Literal["outline", "jawline"] = "outline",
    model: FaceModel | None = None,
) -> Face:
    """Fit the 3D face model to the 68 landmarks of one face.

    Finds pose, 50 identity and 46 expression coefficients together, see `rdrface.fitting.fit_records`. Needs no image
    and no network.

        face = rdrface.fit(points)
        print(face.pose.yaw, face.blendshapes["jawOpen"])
        face.mesh().save("face.obj")

    Args:
        points: (68, 2) image pixels in iBUG's order, x right, y down; NaN for landmarks without a position. At least
            six landmarks need a position.
        visibility: (68,) bool, or probabilities 0..1. Landmarks below 0.5 count as hidden. A hidden landmark with a
            position has a small weight. A hidden landmark without a position is taken as hidden by the head itself,
            which constrains the pose. All landmarks are visible by default.
        contour: convention of points 0-16: the visible outline or the absolute jawline.
        model: the face model; the packaged one by default.

    Returns:
        The fitted face. `projection`, `landmarks_3d`, `pose`, `parameters`, `blendshapes` and `mesh()` come from the
        fit. `landmarks` (with contour="jawline": `landmarks_jawline`) holds the given points, and the fitted landmarks
        where none was given. `visibility` is 0 where the head hides the landmark, else 1. `uncertainty` is each given
        point's distance from the fit in percent of the face's size, and the mean of these for the other landmarks.
        `score` is 1.

    Raises:
        FitError: too few points have a position, or the points do not form a face.
        ValueError: an array has the wrong shape or dtype, a visibility is outside 0..1, or `contour` is unknown.
        TypeError: `model` is not a `FaceModel`.
    """
    positions = _numbers(points, "points", (NUM_LANDMARKS, 2), "image pixels in iBUG's order")
    visible = _visible(visibility)
    if not isinstance(contour, str) or contour not in ("outline", "jawline"):
        raise ValueError(f"contour must be 'outline' or 'jawline'; got {contour!r}")
    if model is not None and not isinstance(model, FaceModel):
        raise TypeError(f"model must be a FaceModel, e.g. FaceModel.load(path); got {type(model).__name__}")
    known: np.ndarray = np.isfinite(positions).all(axis=1)
    if known.sum() < MIN_POINTS:
        raise FitError(f"a fit needs {MIN_POINTS} points with a position; got {known.sum()}")
    positions = np.where(known[:, None], positions, np.nan)
    _check_extent(positions[known])
    # float32 is most exact near the origin.
    origin = np.nanmean(positions, axis=0)
    local = positions - origin
    face_model = FaceModel.load() if model is None else model
    fitted = fit_records(
        FaceRecords(
            image=np.array([""]),
            points=local[None],
            state=np.where(visible, VISIBLE, np.where(known, OCCLUDED, SELF_OCCLUDED))[None],
            contour=np.array([contour]),
            box=bounding_boxes(local[None]),
            source=np.array(["points"]),
            is_test=np.ones(1, bool),
        ),
        face_model,
        progress=False,
    )
    face = replace(_face(_shifted(fitted, origin), local + origin, known, face_model), model=model)
    error = float(face.uncertainty[known].mean())
    if error > _MAX_ERROR or face.pose.rotation[2, 2] < _MIN_FACING:
        raise FitError(
            f"the points do not form a face: their mean distance from the best fit is {error:.0f} % of the face's "
            f"size, at a yaw of {face.pose.yaw:.0f} degrees. Expected the 68 landmarks in iBUG's order, image pixels "
            "with y down, NaN for missing ones"
        )
    return face


def _numbers(values: npt.ArrayLike, name: str, shape: tuple[int, ...], meaning: str) -> np.ndarray:
    try:
        array = values.filled(np.nan) if isinstance(values, np.ma.MaskedArray) else np.asarray(values)
        if array.dtype.kind not in "fiu" and not (name == "visibility" and array.dtype.kind == "b"):
            raise TypeError(f"dtype {array.dtype}")
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be an array of numbers of shape {shape}, {meaning}; got {error}") from error
    if array.shape != shape:
        raise ValueError(f"{name} must have shape {shape}, {meaning}; got {array.shape}")
    return array.astype(np.float64)


def _visible(visibility: npt.ArrayLike | None) -> np.ndarray:
    """(68,) bool."""
    if visibility is None:
        return np.ones(NUM_LANDMARKS, bool)
    probability = _numbers(visibility, "visibility", (NUM_LANDMARKS,), "one value per landmark")
    if not ((probability >= 0) & (probability <= 1)).all():
        raise ValueError(
            "visibility must be bool or probabilities from 0 to 1; "
            f"got values from {probability.min():g} to {probability.max():g}"
        )
    return np.asarray(probability >= 0.5)


def _check_extent(points: np.ndarray) -> None:
    farthest = float(np.abs(points).max())
    if farthest > _LARGEST:
        raise FitError(f"points must be image pixels, at most {_LARGEST:g} from the origin; got {farthest:.3g}")
    centered = points - points.mean(axis=0)
    longest, shortest = np.linalg.svd(centered, compute_uv=False)
    if not shortest > _MIN_AXIS_RATIO * longest:
        raise FitError("the points are all on one line or at one position, so no face can be fitted to them")
    extent = float(np.abs(centered).max())
    if not extent > _SMALLEST:
        raise FitError(
            f"points must be image pixels, with faces larger than {2 * _SMALLEST} pixels; "
            f"got a face of about {2 * extent:.3g} pixels"
        )


def _shifted(fitted: FaceRecords, shift: np.ndarray) -> FaceRecords:
    """The fit after a shift (2,) of the image frame."""
    assert fitted.Q is not None and fitted.outline is not None and fitted.jawline is not None
    q = fitted.Q.astype(np.float64)
    q[:, POSE] = transform_pose(q[:, POSE], np.ones(1), np.zeros(1), shift[None])
    return replace(
        fitted,
        Q=q,
        outline=fitted.outline + shift,
        jawline=fitted.jawline + shift,
        box=fitted.box + np.tile(shift, 2),
    )


def _face(fitted: FaceRecords, points: np.ndarray, known: np.ndarray, model: FaceModel) -> Face:
    """A `Face` from one fitted record and the given points (68, 2), of which known (68,) have a position."""
    assert fitted.Q is not None and fitted.outline is not None and fitted.jawline is not None
    assert fitted.hidden is not None
    q, outline, jawline = fitted.Q, fitted.outline[0], fitted.jawline[0]
    on_outline = not fitted.on_jawline[0]
    fitted_points = outline if on_outline else jawline
    points = np.where(known[:, None], points, fitted_points)
    inner = points[NUM_CONTOUR:]
    size = float(box_size(bounding_boxes(fitted.outline))[0])
    distance = 100 * np.linalg.norm(points - fitted_points, axis=1) / size
    uncertainty = np.where(known, distance, distance[known].mean())
    return Face(
        box=fitted.box[0],
        score=1.0,
        landmarks=(points if on_outline else np.concatenate([outline[:NUM_CONTOUR], inner])).astype(np.float32),
        landmarks_jawline=(np.concatenate([jawline[:NUM_CONTOUR], inner]) if on_outline else points).astype(np.float32),
        projection=outline.astype(np.float32),
        landmarks_3d=LandmarkModel.from_face_model(model).outline68(q)[1][0].astype(np.float32),
        visibility=1 - fitted.hidden[0].astype(np.float32),
        uncertainty=uncertainty.astype(np.float32),
        parameters=Parameters(pose=q[0, POSE], identity=q[0, IDENTITY], expression=q[0, EXPRESSION]),
    )
