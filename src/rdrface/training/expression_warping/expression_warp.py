"""Closed eyes made from open ones: rare in annotated photos, so their coefficients would learn next to nothing.

The fitted face says where the lids of an eye lie when it is shut; `rdrface.training.expression_warping.eyelid_warp` moves the photo's lids there.
Pose, surroundings and the rest of the face stay as they are.
"""

from dataclasses import dataclass, replace

import numpy as np
from tqdm import tqdm

from rdrface.datasets.crops import PackedCrops
from rdrface.datasets.records import OCCLUDED, SELF_OCCLUDED
from rdrface.geometry.rasterize import to_pixels
from rdrface.morphable.landmark_model import LandmarkModel
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import EXPRESSION, POSE
from rdrface.training.expression_warping.eyelid_warp import LidMove, darkest_row, move_lids

SUFFIX = "/closed"

EYES = ("Right", "Left")
"""The subject's eyes: the one at the picture's left (points 36-41) first."""

_LIDS = (np.arange(36, 42), np.arange(42, 48))
_BROWS = (np.arange(17, 22), np.arange(22, 27))
_NO_LONGER = ("eyeWide", "eyeSquint", "eyeLookUp", "eyeLookDown")
_STEP = 0.1  # least distance of neighboring points of a lid along the eye, in units of its width
_CHUNK = 256  # faces whose landmarks are computed at once


@dataclass(frozen=True)
class ExpressionWarpConfig:
    """Which faces get closed eyes, and how far they are closed.

    Sizes of an eye are in units of its width.
    """

    yaw_limit: float = 50.0  # degrees
    pitch_limit: float = 25.0  # degrees: seen from below, the lid's skin is not in the photo
    residual_limit: float = 2.4  # percent of the face's side
    aperture: tuple[float, float] = (0.16, 0.55)  # mean distance of the lids; less is shut already
    width: float = 0.06  # smallest width of an eye, window frame
    brow: float = 0.3  # smallest distance between upper lid and brow: the skin that is stretched
    deviation: float = 0.15  # largest distance between a label of the eye and the fitted face
    blink: tuple[float, float] = (0.8, 1.25)  # eyeBlink at which the fitted face's lids meet; others fit badly

    darkest: tuple[float, float] = (
        0.25,
        1.27,
    )  # where the eye is darkest, see `rdrface.training.expression_warping.eyelid_warp.darkest_row`

    wink: float = 0.45  # probability of closing one eye only
    shut: float = 0.6  # probability of closing fully
    closing: tuple[float, float] = (0.4, 0.9)  # share of the way, of eyes that are not fully closed
    lash: tuple[float, float] = (0.05, 0.45)  # how dark the line between shut lids becomes


def choose_open_eyes(faces: PackedCrops, count: int, config: ExpressionWarpConfig, seed: int) -> np.ndarray:
    """Faces whose eyes can be closed, at random.

    Args:
        faces: N packed faces with fits.
        count: how many are wanted. Fewer come back where fewer are suitable.
        config: what is suitable.
        seed: of the choice.

    Returns:
        (M,) int64 indices, M <= count, all different.
    """
    angles = np.abs(np.rad2deg(faces.Q[:, POSE][:, :2]))
    with np.errstate(invalid="ignore"):
        good = (angles[:, 1] <= config.yaw_limit) & (angles[:, 0] <= config.pitch_limit)
        good &= faces.residual <= config.residual_limit
        for lids, brow in zip(_LIDS, _BROWS, strict=True):
            good &= _suitable(faces, lids, brow, config)
    good = np.flatnonzero(good)
    meets = _meeting(faces.Q[good])
    good = good[((meets >= config.blink[0]) & (meets <= config.blink[1])).all(axis=1)]
    chosen: list[int] = []
    for i in np.random.default_rng(seed).permutation(good).tolist():
        if len(chosen) == count:
            break
        eyes = [to_pixels(faces.points[i, lids], faces.size) for lids in _LIDS]
        rows = [darkest_row(faces.images[i], eye) for eye in eyes]
        if min(rows) >= config.darkest[0] and max(rows) <= config.darkest[1]:
            chosen.append(i)
    return np.array(chosen, np.int64)


def close_eyes(
    faces: PackedCrops, index: np.ndarray, config: ExpressionWarpConfig, seed: int, progress: bool | None = None
) -> PackedCrops:
    """Close one eye or both.

    Args:
        faces: N packed faces with fits.
        index: (M,) int, faces to change, see `choose_open_eyes`; what becomes of a face depends on `seed` and its index
            only.
        config: how far eyes are closed.
        seed: of all chance.
        progress: show a progress bar; None shows it on a terminal only.

    Returns:
        M faces. Of a closed eye, the pixels, `points` and the expression coefficients in `Q` are new, and `outline` and
        `jawline` are those of the new Q. A closed eye's points deviate from the fitted face as the corners of the open
        eye did. States, residual and all other points stay. Sources are "<old>/closed".

    Raises:
        ValueError: a face without a fit, or without all points of its eyes and brows.
    """
    index = np.asarray(index, dtype=np.int64)
    source = faces.select(index)
    needed = source.points[:, np.concatenate([*_LIDS, *_BROWS])]
    if not (np.isfinite(source.Q).all() and np.isfinite(needed).all()):
        raise ValueError(
            "eyes can be closed only in faces with a fit and labels on eyes and brows; choose_open_eyes finds them"
        )
    shares, lash = _chances(index, config, seed)
    Q = _closed(source.Q, shares)
    landmarks = LandmarkModel.from_face_model(FaceModel.load())
    outline, jawline = _projected(landmarks, Q)
    result = replace(
        source,
        images=source.images.copy(),
        points=source.points.copy(),
        outline=outline,
        jawline=jawline,
        Q=Q,
        source_names=tuple(name + SUFFIX for name in source.source_names),
    )
    for side, lids in enumerate(_LIDS):
        moved = _moved_points(source, outline, lids, shares[:, side])
        result.points[:, lids] = np.where(shares[:, side, None, None] > 0, moved, source.points[:, lids])
    for i in tqdm(
        range(len(index)), unit="face", desc="closing eyes", disable=None if progress is None else not progress
    ):
        for side in np.flatnonzero(shares[i]).tolist():
            lids, brow = _LIDS[side], _BROWS[side]
            old, new, above = (
                to_pixels(p, source.size)
                for p in (source.points[i, lids], result.points[i, lids], source.points[i, brow])
            )
            move_lids(result.images[i], LidMove(old, new, above, float(shares[i, side])), float(lash[i]))
    return result


def _suitable(faces: PackedCrops, lids: np.ndarray, brow: np.ndarray, config: ExpressionWarpConfig) -> np.ndarray:
    """(N,) bool: one eye is open, shown and well fitted."""
    state = faces.state[:, np.concatenate([lids, brow])]
    eye, above = faces.points[:, lids], faces.points[:, brow]
    width = np.linalg.norm(eye[:, 3] - eye[:, 0], axis=1)
    aperture = np.linalg.norm(eye[:, [1, 2]] - eye[:, [5, 4]], axis=2).mean(axis=1) / width
    deviation = np.linalg.norm(eye - faces.outline[:, lids], axis=2).max(axis=1) / width
    skin = np.linalg.norm(above[:, 1:4].mean(axis=1) - eye[:, [1, 2]].mean(axis=1), axis=1) / width
    along = np.einsum("nkc,nc->nk", eye - eye[:, :1], eye[:, 3] - eye[:, 0]) / width[:, None] ** 2
    # From one corner to the other in order, as curves through the points want them.
    steps = np.diff(along[:, [[0, 1, 2, 3], [0, 5, 4, 3]]], axis=2).min(axis=(1, 2))
    inside = np.abs(np.concatenate([eye, above], axis=1)).max(axis=(1, 2)) < 1
    inside &= ((eye > faces.valid[:, None, :2]) & (eye < faces.valid[:, None, 2:])).all(axis=(1, 2))
    return (
        inside
        & ~np.isin(state, (OCCLUDED, SELF_OCCLUDED)).any(axis=1)
        & (width >= config.width)
        & (aperture >= config.aperture[0])
        & (aperture <= config.aperture[1])
        & (deviation <= config.deviation)
        & (skin >= config.brow)
        & (steps > _STEP)
    )


def _chances(index: np.ndarray, config: ExpressionWarpConfig, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(M, 2) how far the eyes of `EYES` are closed, 0 for an eye that stays open; (M,) darkness of the lashes."""
    shares, lash = np.zeros((len(index), 2)), np.zeros(len(index))
    for i, face in enumerate(index):
        rng = np.random.default_rng([seed, int(face)])
        winks, side, fully = rng.random(), rng.integers(2), rng.random() < config.shut
        share = 1.0 if fully else rng.uniform(*config.closing)
        shares[i] = share
        if winks < config.wink:
            shares[i, side] = 0
        lash[i] = rng.uniform(*config.lash)
    return shares, lash


def _names(unit: str) -> list[int]:
    names = FaceModel.load().expression_names
    return [EXPRESSION.start + names.index(unit + side) for side in EYES]


def _closed(q: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """(M, 103) float32 Q with eyes closed by (M, 2) shares of the way."""
    result, blink = q.copy(), _names("eyeBlink")
    for unit in _NO_LONGER:
        result[:, _names(unit)] = np.where(shares > 0, 0, q[:, _names(unit)])
    closed = shares * _meeting(q).clip(0.9, 1.0)
    result[:, blink] = np.where(shares > 0, np.maximum(closed, q[:, blink]), q[:, blink])
    return result


def _meeting(q: np.ndarray) -> np.ndarray:
    """(M, 2) eyeBlink of the eyes of `EYES` at which the fitted face's lids meet."""
    landmarks = LandmarkModel.from_face_model(FaceModel.load())
    plain = q.copy()
    for unit in _NO_LONGER:
        plain[:, _names(unit)] = 0
    distances = []
    for value in (0.0, 1.0):
        plain[:, _names("eyeBlink")] = value
        points = _projected(landmarks, plain)[0]
        distances.append(np.stack([_aperture(points[:, lids]) for lids in _LIDS], axis=1))
    return distances[0] / (distances[0] - distances[1])


def _aperture(eye: np.ndarray) -> np.ndarray:
    """(M,) mean distance of upper from lower lid, negative where they cross; eye (M, 6, 2), y down."""
    across = eye[:, 3] - eye[:, 0]
    up = np.stack([across[:, 1], -across[:, 0]], axis=1) / np.linalg.norm(across, axis=1, keepdims=True)
    return np.einsum("nkc,nc->n", eye[:, [1, 2]] - eye[:, [5, 4]], up) / 2


def _projected(landmarks: LandmarkModel, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """outline and jawline (M, 68, 2) float32."""
    parts = [landmarks.outline68(q[k : k + _CHUNK]) for k in range(0, len(q), _CHUNK)]
    if not parts:
        return np.zeros((0, 68, 2), np.float32), np.zeros((0, 68, 2), np.float32)
    outline, jawline = (np.concatenate([part[i][..., :2] for part in parts]).astype(np.float32) for i in range(2))
    return outline, jawline


def _moved_points(source: PackedCrops, outline: np.ndarray, lids: np.ndarray, share: np.ndarray) -> np.ndarray:
    """(M, 6, 2) labels of an eye closed by `share` of the way, upper lids never below lower ones."""
    deviation = source.points[:, lids] - source.outline[:, lids]
    # Between the corners' deviations at a third and two thirds, as lid points lie.
    ramp = np.array([0, 1, 2, 3, 2, 1], np.float32)[:, None] / 3
    corners = deviation[:, :1] * (1 - ramp) + deviation[:, 3:4] * ramp
    part = share[:, None, None].astype(np.float32)
    eye = outline[:, lids] + deviation * (1 - part) + corners * part
    across = eye[:, 3] - eye[:, 0]
    up = np.stack([across[:, 1], -across[:, 0]], axis=1) / np.linalg.norm(across, axis=1, keepdims=True)
    for upper, lower in ((1, 5), (2, 4)):
        gap = ((eye[:, upper] - eye[:, lower]) * up).sum(axis=1, keepdims=True)
        # Fully shut lids meet in the middle, whatever the fitted face leaves between them.
        excess = np.where(share[:, None] >= 1, gap, np.minimum(gap, 0)) / 2
        eye[:, upper] -= excess * up
        eye[:, lower] += excess * up
    return eye
