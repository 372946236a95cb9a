"""Expression warping: new images in which open eyes are closed.

Closed eyes are rare in annotated images, so a network learns little about their coefficients. The fitted face gives the
positions of the closed eyelids, and `rdrface.face_rendering.eyelid_warp` moves the eyelids of the image
there. Pose, background and the rest of the face do not change.
"""

from dataclasses import dataclass, replace

import numpy as np
from tqdm import tqdm

from rdrface.datasets.crops import PackedCrops
from rdrface.datasets.records import OCCLUDED, SELF_OCCLUDED
from rdrface.face_rendering.closed_eyes import (
    BROWS,
    EYELIDS,
    closed_points,
    closing_blink,
    projected_landmarks,
    with_closed_eyes,
)
from rdrface.face_rendering.eyelid_warp import EyelidMotion, darkest_row, warp_eyelids
from rdrface.geometry.rasterize import to_pixels
from rdrface.training.face_selection import near_frontal_fits

SUFFIX = "/closed"
"""Ending of the source names of faces with closed eyes."""

_MIN_STEP = 0.1  # between neighboring points of an eyelid along the eye, in eye widths


@dataclass(frozen=True)
class ExpressionWarpConfig:
    """Selection of the faces, and distribution of the closed eyes. The unit of lengths in an eye is its width."""

    # Selection of the source faces.
    max_yaw_deg: float = 50.0
    max_pitch_deg: float = 25.0  # at larger pitch the skin above the eye is not visible
    max_residual_percent: float = 2.4  # of the face size
    aperture_range: tuple[float, float] = (0.16, 0.55)  # mean distance of the eyelids; smaller is already closed
    min_eye_width: float = 0.06  # packed frame
    min_brow_distance: float = 0.3  # between upper eyelid and brow: the skin that is stretched
    max_label_deviation: float = 0.15  # between the labels of the eye and the fitted face
    closing_blink_range: tuple[float, float] = (0.8, 1.25)  # eyeBlink that closes the fitted eye; else the fit is wrong
    darkest_row_range: tuple[float, float] = (0.25, 1.27)  # see `eyelid_warp.darkest_row`

    # New expressions.
    wink_probability: float = 0.45  # of closing one eye only
    fully_closed_probability: float = 0.6
    closing_range: tuple[float, float] = (0.4, 0.9)  # 0 open, 1 closed; of eyes that are not fully closed
    lash_darkness_range: tuple[float, float] = (0.05, 0.45)  # of the line between closed eyelids, 0 to 1


def choose_open_eyes(faces: PackedCrops, count: int, config: ExpressionWarpConfig, seed: int) -> np.ndarray:
    """Choose faces for `close_eyes` at random.

    Args:
        faces: N packed faces with fits.
        count: number of faces to choose. If fewer are suitable, all of these are returned once.
        config: selection criteria.
        seed: seed of the random choice.

    Returns:
        (M,) int64 indices, M <= count, without repetition.
    """
    good = near_frontal_fits(faces, config.max_yaw_deg, config.max_pitch_deg, config.max_residual_percent)
    with np.errstate(invalid="ignore"):
        for lids, brow in zip(EYELIDS, BROWS, strict=True):
            good &= _suitable(faces, lids, brow, config)
    good = np.flatnonzero(good)
    blink, (low, high) = closing_blink(faces.Q[good]), config.closing_blink_range
    good = good[((blink >= low) & (blink <= high)).all(axis=1)]
    low, high = config.darkest_row_range
    chosen: list[int] = []
    for i in np.random.default_rng(seed).permutation(good).tolist():
        if len(chosen) == count:
            break
        eyes = [to_pixels(faces.points[i, lids], faces.size) for lids in EYELIDS]
        rows = [darkest_row(faces.images[i], eye) for eye in eyes]
        if min(rows) >= low and max(rows) <= high:
            chosen.append(i)
    return np.array(chosen, np.int64)


def close_eyes(
    faces: PackedCrops, index: np.ndarray, config: ExpressionWarpConfig, seed: int, progress: bool | None = None
) -> PackedCrops:
    """Close one or both eyes of faces.

    Args:
        faces: N packed faces with fits.
        index: (M,) int, faces to change, see `choose_open_eyes`.
        config: distribution of the closed eyes.
        seed: seed of the random numbers. The result for a face depends only on `seed` and the index of the face.
        progress: show a progress bar; None shows it on a terminal only.

    Returns:
        M faces. A closed eye has new pixels, `points` and expression coefficients in `Q`; `outline` and `jawline` are
        those of the new Q. The points of a closed eye deviate from the fitted face by as much as the corners of the
        open eye did. States, residual and all other points do not change. Source names get the ending `SUFFIX`.

    Raises:
        ValueError: a face has no fit, or not all points of its eyes and brows.
    """
    index = np.asarray(index, dtype=np.int64)
    source = faces.select(index)
    needed = source.points[:, np.concatenate([*EYELIDS, *BROWS])]
    if not (np.isfinite(source.Q).all() and np.isfinite(needed).all()):
        raise ValueError(
            "closing eyes needs faces with a fit and labels on eyes and brows; select them with choose_open_eyes"
        )
    closing, lash = _draw_closing(index, config, seed)
    Q = with_closed_eyes(source.Q, closing)
    outline, jawline = projected_landmarks(Q)
    result = replace(
        source,
        images=source.images.copy(),
        points=source.points.copy(),
        outline=outline,
        jawline=jawline,
        Q=Q,
        source_names=tuple(name + SUFFIX for name in source.source_names),
    )
    for side, lids in enumerate(EYELIDS):
        moved = closed_points(source, outline, lids, closing[:, side])
        result.points[:, lids] = np.where(closing[:, side, None, None] > 0, moved, source.points[:, lids])
    disable = None if progress is None else not progress
    for i in tqdm(range(len(index)), unit="face", desc="closing eyes", disable=disable):
        for side in np.flatnonzero(closing[i]).tolist():
            parts = (source.points[i, EYELIDS[side]], result.points[i, EYELIDS[side]], source.points[i, BROWS[side]])
            old, new, brow = (to_pixels(points, source.size) for points in parts)
            warp_eyelids(result.images[i], EyelidMotion(old, new, brow, float(closing[i, side])), float(lash[i]))
    return result


def _suitable(faces: PackedCrops, lids: np.ndarray, brow: np.ndarray, config: ExpressionWarpConfig) -> np.ndarray:
    """(N,) bool: the eye is open, visible and well fitted."""
    state = faces.state[:, np.concatenate([lids, brow])]
    eye, above = faces.points[:, lids], faces.points[:, brow]
    width = np.linalg.norm(eye[:, 3] - eye[:, 0], axis=1)
    aperture = np.linalg.norm(eye[:, [1, 2]] - eye[:, [5, 4]], axis=2).mean(axis=1) / width
    deviation = np.linalg.norm(eye - faces.outline[:, lids], axis=2).max(axis=1) / width
    brow_distance = np.linalg.norm(above[:, 1:4].mean(axis=1) - eye[:, [1, 2]].mean(axis=1), axis=1) / width
    along = np.einsum("nkc,nc->nk", eye - eye[:, :1], eye[:, 3] - eye[:, 0]) / width[:, None] ** 2
    # The curves of the eyelids need points in order from one corner to the other.
    steps = np.diff(along[:, [[0, 1, 2, 3], [0, 5, 4, 3]]], axis=2).min(axis=(1, 2))
    inside = np.abs(np.concatenate([eye, above], axis=1)).max(axis=(1, 2)) < 1
    inside &= ((eye > faces.valid[:, None, :2]) & (eye < faces.valid[:, None, 2:])).all(axis=(1, 2))
    suitable: np.ndarray = (
        inside
        & ~np.isin(state, (OCCLUDED, SELF_OCCLUDED)).any(axis=1)
        & (width >= config.min_eye_width)
        & (aperture >= config.aperture_range[0])
        & (aperture <= config.aperture_range[1])
        & (deviation <= config.max_label_deviation)
        & (brow_distance >= config.min_brow_distance)
        & (steps > _MIN_STEP)
    )
    return suitable


def _draw_closing(index: np.ndarray, config: ExpressionWarpConfig, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(M, 2) closing of the eyes of each face, 0 open to 1 closed; (M,) darkness of the line between the eyelids."""
    closing, lash = np.zeros((len(index), 2)), np.zeros(len(index))
    for i, face in enumerate(index):
        rng = np.random.default_rng([seed, int(face)])
        wink, open_side = rng.random() < config.wink_probability, rng.integers(2)
        fully_closed = rng.random() < config.fully_closed_probability
        closing[i] = 1.0 if fully_closed else rng.uniform(*config.closing_range)
        if wink:
            closing[i, open_side] = 0
        lash[i] = rng.uniform(*config.lash_darkness_range)
    return closing, lash
