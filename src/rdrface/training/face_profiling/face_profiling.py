"""Face profiling: new images of near-frontal faces at larger yaw angles.

Large poses are rare in annotated images. As in "face profiling" for 300W-LP (Zhu et al., Face Alignment Across Large
Poses, CVPR 2016), the fitted 3D face of an image is textured, rotated and rendered. The background moves with the head,
by less and less towards the edge of the image. Before that, the image is warped by a few pixels so that its annotated
points are exactly on the fitted face. The labels of the new image are therefore the projected points of its Q, without
the error of the fit.
"""

from dataclasses import dataclass, replace

import numpy as np
from tqdm import tqdm

from rdrface.crop import CropFrame
from rdrface.datasets.crops import PackedCrops
from rdrface.datasets.packing import black_outside
from rdrface.datasets.records import OCCLUDED, SELF_OCCLUDED, UNKNOWN
from rdrface.face_rendering.head import Head
from rdrface.face_rendering.pose import with_angles
from rdrface.face_rendering.rendering import render_profiled
from rdrface.face_rendering.self_occlusion import self_occluded_landmarks
from rdrface.geometry.boxes import bounding_boxes, box_size
from rdrface.geometry.camera import project, transform_pose
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import EXPRESSION, IDENTITY, POSE
from rdrface.training.face_selection import near_frontal_fits

SUFFIX = "/turned"
"""Ending of the source names of profiled faces. Packed files and training configurations contain it."""

_UPPER_INNER_LIP, _LOWER_INNER_LIP = [61, 62, 63], [67, 66, 65]


@dataclass(frozen=True)
class FaceProfilingConfig:
    """Selection of the faces, and distribution of their new poses and expressions."""

    # Selection of the source faces.
    max_source_yaw_deg: float = 32.0  # beyond it too much of one side is hidden
    max_source_pitch_deg: float = 25.0
    max_residual_percent: float = 2.4  # of the face size; with larger residuals of the fit the shape is wrong
    max_occluded_share: float = 0.1  # of the landmarks; an occluder would rotate with the head like paint on the skin
    min_edge_distance: float = 0.04  # from every landmark to the edge of the image, packed frame
    min_resolution: float = 0.4  # image pixels per pixel of the packed crop: profiled faces are enlarged

    # New poses. |yaw| is uniform in the range, but never smaller than that of the source.
    yaw_range_deg: tuple[float, float] = (30.0, 90.0)
    frontal_yaw_deg: float = 8.0  # below it the head rotates to a random side, above it to the side of the source
    pitch_change_std_deg: float = 8.0
    max_pitch_change_deg: float = 20.0

    # New expressions.
    open_mouth_probability: float = 0.15  # of faces whose mouth is closed
    jaw_open_range: tuple[float, float] = (0.15, 0.7)  # coefficient jawOpen of an opened mouth
    closed_mouth_gap: float = 0.03  # of the face size; the mouth is closed if the inner lips are closer than this
    close_eyes_probability: float = 0.1
    eye_blink_range: tuple[float, float] = (0.6, 1.0)  # coefficients eyeBlinkLeft and eyeBlinkRight of closed eyes


def choose_near_frontal_faces(faces: PackedCrops, count: int, config: FaceProfilingConfig, seed: int) -> np.ndarray:
    """Choose faces for `profile_faces` at random.

    Args:
        faces: N packed faces with fits.
        count: number of faces to choose. If fewer are suitable, all of these are returned once.
        config: selection criteria.
        seed: seed of the random choice.

    Returns:
        (M,) int64 indices, M <= count, without repetition.
    """
    good = near_frontal_fits(faces, config.max_source_yaw_deg, config.max_source_pitch_deg, config.max_residual_percent)
    with np.errstate(invalid="ignore"):
        low, high, distance = faces.outline.min(axis=1), faces.outline.max(axis=1), config.min_edge_distance
        good &= ((low >= faces.valid[:, :2] + distance) & (high <= faces.valid[:, 2:] - distance)).all(axis=1)
    good &= (faces.state == OCCLUDED).mean(axis=1) <= config.max_occluded_share
    good &= faces.resolution >= config.min_resolution
    suitable = np.flatnonzero(good)
    return np.random.default_rng(seed).permutation(suitable)[:count].astype(np.int64)


def profile_faces(
    faces: PackedCrops, index: np.ndarray, config: FaceProfilingConfig, seed: int, progress: bool | None = None
) -> PackedCrops:
    """Render faces at larger yaw angles.

    Args:
        faces: N packed faces with fits.
        index: (M,) int, faces to render, see `choose_near_frontal_faces`.
        config: distribution of the new poses and expressions.
        seed: seed of the random numbers. The result for a face depends only on `seed` and the index of the face.
        progress: show a progress bar; None shows it on a terminal only.

    Returns:
        M packed faces as from `pack`: packed crops around the new landmarks, with labels and Q of the new face in the
        new packed frame. Points are the projected points of the new Q. Points that the head hides in the new pose are
        NaN and `SELF_OCCLUDED`; points without a position in the source stay NaN, and become `UNKNOWN` if they come
        into view. `residual` is that of the fit to the source. Source names get the ending `SUFFIX`.

    Raises:
        ValueError: a face has no fit.
    """
    index = np.asarray(index, dtype=np.int64)
    if not np.isfinite(faces.Q[index]).all():
        raise ValueError(
            "face profiling needs fitted faces, but Q is NaN; run rdrface.fitting.fit_records before packing"
        )
    source = faces.select(index)
    result = replace(
        source,
        images=np.zeros_like(source.images),
        valid=source.valid.copy(),
        points=np.full_like(source.points, np.nan),
        state=source.state.copy(),
        outline=source.outline.copy(),
        jawline=source.jawline.copy(),
        Q=source.Q.copy(),
        resolution=source.resolution.copy(),
        source_names=tuple(name + SUFFIX for name in source.source_names),
    )
    head = Head.of(FaceModel.load())
    disable = None if progress is None else not progress
    for i in tqdm(range(len(index)), unit="face", desc="face profiling", disable=disable):
        rng = np.random.default_rng([seed, int(index[i])])
        q = profiled_parameters(source, i, head.model.expression_names, config, rng)
        _profile_face(source, result, i, q, head)
    return result


def profiled_parameters(
    faces: PackedCrops, i: int, names: tuple[str, ...], config: FaceProfilingConfig, rng: np.random.Generator
) -> np.ndarray:
    """Draw a new pose and expression for a face.

    Args:
        faces: packed faces with fits.
        i: index of the face.
        names: names of the expression coefficients.
        config: distribution of the new poses and expressions.
        rng: random number generator.

    Returns:
        (103,) float32 Q in the old packed frame; the origin of the model keeps its position in the image.
    """
    q = faces.Q[i].copy()
    pitch, yaw = np.rad2deg(q[POSE][:2])
    side = np.sign(yaw) if abs(yaw) > config.frontal_yaw_deg else rng.choice([-1.0, 1.0])
    new_yaw = side * max(rng.uniform(*config.yaw_range_deg), abs(yaw))
    limit = config.max_pitch_change_deg
    pitch_change = np.clip(rng.normal(0, config.pitch_change_std_deg), -limit, limit)
    # Numbers are drawn even if they are not used, so that later ones do not depend on the probabilities.
    opens_mouth, jaw_open = rng.random() < config.open_mouth_probability, rng.uniform(*config.jaw_open_range)
    closes_eyes, eye_blink = rng.random() < config.close_eyes_probability, rng.uniform(*config.eye_blink_range)
    expression = q[EXPRESSION]
    if opens_mouth and _mouth_is_closed(faces.outline[i], config):
        jaw = names.index("jawOpen")
        expression[jaw] = max(expression[jaw], jaw_open)
    if closes_eyes:
        for name in ("eyeBlinkLeft", "eyeBlinkRight"):
            expression[names.index(name)] = max(expression[names.index(name)], eye_blink)
    return with_angles(q, np.deg2rad([pitch + pitch_change, new_yaw, np.rad2deg(q[POSE][2])]))


def _mouth_is_closed(outline: np.ndarray, config: FaceProfilingConfig) -> bool:
    gap = np.linalg.norm(outline[_UPPER_INNER_LIP] - outline[_LOWER_INNER_LIP], axis=1).mean()
    return bool(gap < config.closed_mouth_gap * float(box_size(bounding_boxes(outline[None]))[0]))


def _profile_face(source: PackedCrops, result: PackedCrops, i: int, q: np.ndarray, head: Head) -> None:
    """Write face `i` of the source with the new parameters `q` (103,), old packed frame, to the result."""
    landmarks, model = head.landmarks, head.model
    outline, _ = landmarks.outline68(q[None])
    box = bounding_boxes(outline[..., :2])
    frame = CropFrame.from_boxes(box)
    frame = CropFrame(frame.center, frame.half * source.margin)
    # The edges of the image keep their distances from the landmark box.
    margins = source.valid[i] - bounding_boxes(source.outline[i : i + 1])[0]
    valid = frame.to_crop((box + margins).reshape(1, 2, 2)).reshape(4)

    old, new = source.Q[i], q.copy()
    pose = q[None, POSE].astype(np.float64)
    new[POSE] = transform_pose(pose, 1 / frame.half, np.zeros(1), -frame.center / frame.half[:, None])[0]
    outline, jawline = (points[0, :, :2] for points in landmarks.outline68(new[None]))
    shapes = model.shape(np.stack([old, new])[:, IDENTITY], np.stack([old, new])[:, EXPRESSION])
    closed = np.stack([head.with_membrane(shape) for shape in shapes])
    before, after = project(closed[:1], old[None, POSE])[0], project(closed[1:], new[None, POSE])[0]

    jaw = EXPRESSION.start + model.expression_names.index("jawOpen")
    image = render_profiled(source, i, before, after, valid, bool(new[jaw] > old[jaw]), head)
    clipped = valid.clip(-1, 1)
    result.images[i] = black_outside(image, clipped)
    result.valid[i] = clipped
    result.outline[i], result.jawline[i], result.Q[i] = outline, jawline, new
    result.resolution[i] = source.resolution[i] * frame.half[0]
    labeled = np.isfinite(source.points[i]).all(axis=1)
    hidden = self_occluded_landmarks(head, new, shapes[1])
    state = np.where(source.state[i] == SELF_OCCLUDED, UNKNOWN, source.state[i])
    result.state[i] = np.where(hidden, SELF_OCCLUDED, state)
    points = jawline if source.jawline_convention[i] else outline
    result.points[i] = np.where((labeled & ~hidden)[:, None], points, np.nan)
