"""Faces turned out of the picture's plane: the fitted 3D face of a near-frontal photo, textured and seen from its side.

Large poses are rare in annotated photos. As Zhu et al. (Face Alignment Across Large Poses, CVPR 2016, "face profiling")
did for 300W-LP, the head of a photo is turned as a textured mesh, its surroundings with it, less and less outwards.
The photo is first bent by a few pixels, so that its annotated points lie on the fitted face exactly: the labels of a
turned face are then the projected points of its Q, without an error of the fit.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from tqdm import tqdm

from rdrface.crop import CropFrame
from rdrface.datasets.crops import PackedCrops
from rdrface.datasets.records import OCCLUDED, SELF_OCCLUDED, UNKNOWN
from rdrface.geometry.boxes import bounding_boxes
from rdrface.geometry.camera import project, transform_pose
from rdrface.geometry.rasterize import rasterize, to_pixels
from rdrface.geometry.rotation import rotation_matrix
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import EXPRESSION, IDENTITY, POSE
from rdrface.training.face_profiling.background_mesh import background_mesh
from rdrface.training.face_profiling.head_texture import Head, corrections, texture_of
from rdrface.training.face_profiling.self_occlusion import hidden_points

SUFFIX = "/turned"
_SLIP = 0.1  # of the face's size: labels farther from the fit are not believed, see rdrface.training.labels.MAX_LABEL_DISTANCE
_DARK = np.array([38.0, 14.0, 14.0], np.float32)  # RGB inside of an opened mouth


@dataclass(frozen=True)
class ProfilingConfig:
    """Which faces are turned, and how far. Angles in degrees."""

    yaw_limit: float = 32.0  # faces turned more hide too much of one side
    pitch_limit: float = 25.0
    residual_limit: float = 2.4  # percent of the face's side: worse fits give a wrong shape
    occluded_limit: float = 0.1  # share of points hidden by something, which would turn with the head as a paint
    border: float = 0.04  # distance that all points must keep from the photo's edge, in units of the window's half
    resolution: float = 0.4  # smallest size of the face in photo pixels per window pixel: turned faces are enlarged

    yaw: tuple[float, float] = (30.0, 90.0)  # |yaw| of the result, uniform, but never less than the source's
    clear_yaw: float = 8.0  # beyond it the head turns on to the side it is turned to; below it to either
    pitch: float = 8.0  # standard deviation of the change
    pitch_change: float = 20.0  # its largest size
    open_mouth: float = 0.15  # probability of opening a mouth that is shut
    opening: tuple[float, float] = (0.15, 0.7)  # of jawOpen
    shut: float = 0.03  # a mouth is shut when its inner lips are closer than this share of the face's size
    close_eyes: float = 0.1  # probability
    closing: tuple[float, float] = (0.6, 1.0)  # of eyeBlinkLeft and eyeBlinkRight


def choose_faces(faces: PackedCrops, count: int, config: ProfilingConfig, seed: int) -> np.ndarray:
    """Faces that can be turned, at random.

    Args:
        faces: N packed faces with fits.
        count: how many are wanted. More than there are suitable ones repeats none: fewer come back.
        config: what is suitable.
        seed: of the choice.

    Returns:
        (M,) int64 indices, M <= count, all different.
    """
    angles = np.abs(np.rad2deg(faces.Q[:, POSE][:, :2]))
    with np.errstate(invalid="ignore"):
        good = (angles[:, 1] <= config.yaw_limit) & (angles[:, 0] <= config.pitch_limit)
        good &= faces.residual <= config.residual_limit
        low, high = faces.outline.min(axis=1), faces.outline.max(axis=1)
        good &= ((low >= faces.valid[:, :2] + config.border) & (high <= faces.valid[:, 2:] - config.border)).all(axis=1)
    good &= (faces.state == OCCLUDED).mean(axis=1) <= config.occluded_limit
    good &= faces.resolution >= config.resolution
    suitable = np.flatnonzero(good)
    return np.random.default_rng(seed).permutation(suitable)[:count].astype(np.int64)


def profile_faces(
    faces: PackedCrops, index: np.ndarray, config: ProfilingConfig, seed: int, progress: bool | None = None
) -> PackedCrops:
    """Turn faces out of the picture's plane.

    Args:
        faces: N packed faces with fits.
        index: (M,) int, faces to turn, see `choose_faces`; what becomes of a face depends on `seed` and its index only.
        config: how far they are turned.
        seed: of all chance.
        progress: show a progress bar; None shows it on a terminal only.

    Returns:
        M faces, as `pack` makes them: windows around the new landmarks, labels in them, Q of the turned face. Points
        are those of the turned Q; points that the head now hides are NaN and `SELF_OCCLUDED`, points that had no
        position in the photo stay `UNKNOWN`. `residual` is that of the fit to the photo. Sources are "<old>/turned".

    Raises:
        ValueError: a face without a fit.
    """
    index = np.asarray(index, dtype=np.int64)
    if not np.isfinite(faces.Q[index]).all():
        raise ValueError("only fitted faces can be turned: Q is NaN; run rdrface.fitting.fit_records before packing")
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
    for i in tqdm(range(len(index)), unit="face", desc="turning", disable=None if progress is None else not progress):
        rng = np.random.default_rng([seed, int(index[i])])
        _turn_one(source, result, i, turned_parameters(source, i, head.model.expression_names, config, rng), head)
    return result


def turned_parameters(
    faces: PackedCrops, i: int, names: tuple[str, ...], config: ProfilingConfig, rng: np.random.Generator
) -> np.ndarray:
    """(103,) float32 Q of face `i` with a new pose and expression; the model's origin stays where it is."""
    q = faces.Q[i].copy()
    pitch, yaw = np.rad2deg(q[POSE][:2])
    side = np.sign(yaw) if abs(yaw) > config.clear_yaw else rng.choice([-1.0, 1.0])
    new_yaw = side * max(rng.uniform(*config.yaw), abs(yaw))
    change = np.clip(rng.normal(0, config.pitch), -config.pitch_change, config.pitch_change)
    opens, opening = rng.random(), rng.uniform(*config.opening)
    closes, closing = rng.random(), rng.uniform(*config.closing)
    expression = q[EXPRESSION]
    lips = faces.outline[i, [61, 62, 63]] - faces.outline[i, [67, 66, 65]]
    if opens < config.open_mouth and np.linalg.norm(lips, axis=1).mean() < config.shut * _side(faces.outline[i]):
        jaw = names.index("jawOpen")
        expression[jaw] = max(expression[jaw], opening)
    if closes < config.close_eyes:
        for name in ("eyeBlinkLeft", "eyeBlinkRight"):
            expression[names.index(name)] = max(expression[names.index(name)], closing)
    return with_angles(q, np.deg2rad([pitch + change, new_yaw, np.rad2deg(q[POSE][2])]))


def with_angles(q: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """(103,) Q with other (3,) angles, radians; the model's origin stays where it is in the picture."""
    pose = q[POSE].astype(np.float64)
    place = rotation_matrix(pose[:3]) @ pose[3:6]
    # Of all t that give the same picture the shortest, as the fit has it.
    t = rotation_matrix(np.asarray(angles, np.float64)).T @ (place * (1, 1, 0))
    return np.concatenate([q[IDENTITY], angles, t, pose[6:], q[EXPRESSION]]).astype(np.float32)


def _turn_one(source: PackedCrops, result: PackedCrops, i: int, q: np.ndarray, head: Head) -> None:
    old, landmarks, model = source.Q[i], head.landmarks, head.model
    outline, _ = landmarks.outline68(q[None])
    box = bounding_boxes(outline[..., :2])
    frame = CropFrame.from_boxes(box)
    frame = CropFrame(frame.center, frame.half * source.margin)
    # The photo keeps its distances from the landmark box.
    margins = source.valid[i] - bounding_boxes(source.outline[i : i + 1])[0]
    valid = frame.to_crop((box + margins).reshape(1, 2, 2)).reshape(4)

    new = q.copy()
    pose = q[None, POSE].astype(np.float64)
    new[POSE] = transform_pose(pose, 1 / frame.half, np.zeros(1), -frame.center / frame.half[:, None])[0]
    outline, jawline = (points[0, :, :2] for points in landmarks.outline68(new[None]))
    shape = model.shape(np.stack([old, new])[:, IDENTITY], np.stack([old, new])[:, EXPRESSION])
    flat = np.stack([head.with_membrane(one) for one in shape])
    before, after = project(flat[:1], old[None, POSE])[0], project(flat[1:], new[None, POSE])[0]

    opened = bool(new[_jaw(head)] > old[_jaw(head)])
    window = _render(source, i, before, after, valid, opened, head)
    clipped = valid.clip(-1, 1)
    result.images[i] = _outside_black(window, clipped)
    result.valid[i] = clipped
    result.outline[i], result.jawline[i], result.Q[i] = outline, jawline, new
    result.resolution[i] = source.resolution[i] * frame.half[0]
    had = np.isfinite(source.points[i]).all(axis=1)
    hidden = hidden_points(head, new, shape[1])
    state = source.state[i]
    state = np.where(state == SELF_OCCLUDED, UNKNOWN, state)
    result.state[i] = np.where(hidden, SELF_OCCLUDED, state)
    labels = jawline if source.jawline_convention[i] else outline
    result.points[i] = np.where((had & ~hidden)[:, None], labels, np.nan)


def _render(
    source: PackedCrops,
    i: int,
    before: np.ndarray,
    after: np.ndarray,
    valid: np.ndarray,
    opened: bool,
    head: Head,
) -> np.ndarray:
    """(S, S, 3) uint8: face i with its vertices moved from `before` to `after`, its frame becoming `valid`."""
    size, triangles = source.size, head.model.triangles
    deviation = source.points[i] - (source.jawline if source.jawline_convention[i] else source.outline)[i]
    deviation[np.linalg.norm(deviation, axis=1) > _SLIP * _side(source.outline[i])] = np.nan
    places = before[:, :2] + corrections(head, source.Q[i], deviation)
    photo = source.valid[i]
    texture = texture_of(head, before, places, photo, source.Q[i, POSE])
    roll = float(source.Q[i, POSE][2])
    around, around_places = background_mesh(head.rim, texture.rim, after, roll, photo, valid)

    corners = after[triangles]
    front = np.cross(corners[:, 2] - corners[:, 0], corners[:, 1] - corners[:, 0])[:, 2] > 0
    drawn = to_pixels(np.concatenate([corners[front], around]), size)
    raster = rasterize(drawn, size)
    # Half a pixel inside the photo's edge: what lies beyond is black.
    edge = 1.0 / size
    where = np.concatenate([texture.places[front], around_places]).clip(photo[:2] + edge, photo[2:] - edge)
    map_xy = to_pixels(raster.interpolate(where), size).reshape(size, size, 2)
    x, y = np.ascontiguousarray(map_xy.transpose(2, 0, 1))
    picture = np.asarray(cv2.remap(source.images[i], x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
    dark = np.zeros((len(drawn), 3, 1), np.float32)
    if opened:
        dark[: front.sum(), :, 0] = head.sack[triangles[front]]
    return _finish(picture, map_xy, raster.interpolate(dark).reshape(size, size, 1))


def _finish(picture: np.ndarray, map_xy: np.ndarray, dark: np.ndarray) -> np.ndarray:
    blended = picture * (1 - dark) + _DARK * dark
    # Where neighboring pixels come from different places, an outline runs: a camera would not draw it in steps.
    jump = np.zeros(picture.shape[:2], np.float32)
    for axis in (0, 1):
        step = np.abs(np.diff(map_xy, axis=axis)).max(axis=-1) > 4
        pads = [(0, 0), (0, 0)]
        for side in ((1, 0), (0, 1)):
            pads[axis] = side
            jump = np.maximum(jump, np.pad(step, pads))
    soft = cv2.GaussianBlur(blended, (3, 3), 0.8)
    return np.rint(np.where(jump[..., None] > 0, soft, blended)).clip(0, 255).astype(np.uint8)


def _outside_black(window: np.ndarray, valid: np.ndarray) -> np.ndarray:
    size = len(window)
    center = (2 * np.arange(size) + 1) / size - 1
    across = (center > valid[0]) & (center < valid[2])
    down = (center > valid[1]) & (center < valid[3])
    return window * (down[:, None] & across)[..., None]


def _jaw(head: Head) -> int:
    return EXPRESSION.start + head.model.expression_names.index("jawOpen")


def _side(outline: np.ndarray) -> float:
    """sqrt(w h) of the box around the points (68, 2)."""
    return float(np.sqrt(np.ptp(outline, axis=0).prod()))
