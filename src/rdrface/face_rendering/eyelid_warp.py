"""Warp of the pixels of one eye when its eyelids move: the skin above the eye is stretched over the eyeball.

All curves are functions of u in the coordinates of the eye: u is 0 at the corner on the left of the image and 1 at the
other corner, v points up, and the unit of both is the width of the eye. The edge of the upper eyelid moves with its
lashes from its old to its new curve. The skin between it and the brow is stretched. The lower eyelid moves as well, by
less. Between the new edges, the eyeball of the image does not change.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from rdrface.geometry.smoothstep import smoothstep

_LASHES_HEIGHT = 0.07  # above the edge of the upper eyelid; lashes and edge are moved, not stretched
_LID_THICKNESS = 0.03  # below the edge of the upper eyelid; covers the eyeball
_SKIN_SHARES = np.linspace(0.2, 0.65, 10)  # of the distance between eyelid and brow: candidates for the stretched strip
_DARKER = 0.85  # a row darker than this share of the brightest row below belongs to the brow or to glasses
_MIN_SKIN_HEIGHT = 0.16  # of the stretched strip
_FADE_DISTANCE = 0.3  # beyond the corners and below the lower eyelid, over which the motion decreases to 0
_SCLERA = 0.04  # the labeled edge of the lower eyelid still contains some of the white of the eye


@dataclass(frozen=True)
class EyelidMotion:
    """Eyelids of one eye before and after the motion.

    Attributes:
        old, new: (6, 2) float pixels, in iBUG's order: corner on the left of the image, two points of the upper eyelid,
            the other corner, two points of the lower eyelid.
        brow: (5, 2) float pixels, from left to right in the image.
        closing: 0 does not change the eye, 1 closes it.
    """

    old: np.ndarray
    new: np.ndarray
    brow: np.ndarray
    closing: float


def warp_eyelids(image: np.ndarray, motion: EyelidMotion, lash_darkness: float) -> None:
    """Change the pixels of one eye in place.

    Args:
        image: (S, S, 3) uint8 packed crop.
        motion: the eyelids before and after.
        lash_darkness: how much darker the line between closed eyelids becomes, 0 to 1.
    """
    frame = _EyeFrame(motion.old)
    x0, y0, x1, y1 = frame.box(len(image), motion.brow)
    columns, rows = np.meshgrid(np.arange(x0, x1, dtype=np.float32), np.arange(y0, y1, dtype=np.float32))
    u, v = frame.local(np.stack([columns, rows], axis=-1))
    old, new, brow = (np.stack(frame.local(points), -1) for points in (motion.old, motion.new, motion.brow))
    upper, lower = _upper_curve(old, u), _lower_curve(old, u)
    new_upper, new_lower = _upper_curve(new, u), _lower_curve(new, u)
    new_upper = np.maximum(new_upper, new_lower)
    beyond_corners = np.maximum(np.maximum(-u, u - 1), 0)
    fade = smoothstep(1 - beyond_corners / _FADE_DISTANCE)

    # Row of the old image for every pixel of the upper eyelid and the skin above it.
    upper_motion = (new_upper - upper) * fade
    height = _skin_share(image, frame, old, brow) * (np.interp(u, brow[:, 0], brow[:, 1]) - upper)
    height = np.maximum(height, _MIN_SKIN_HEIGHT)
    above = v - (upper + upper_motion)
    old_strip, new_strip = height - _LASHES_HEIGHT, height - upper_motion - _LASHES_HEIGHT
    stretched = upper + _LASHES_HEIGHT + (above - _LASHES_HEIGHT) * old_strip / new_strip
    edge = upper + np.maximum(above, 0)
    skin = np.where(above < _LASHES_HEIGHT, edge, np.where(above < height - upper_motion, stretched, v))

    # Row of the old image for every pixel of the eyeball and the lower eyelid.
    lower_motion = (new_lower - lower) * fade
    at_lower = lower + lower_motion
    weight = np.clip(1 - np.abs(v - at_lower) / _FADE_DISTANCE, 0, 1)
    sclera = _SCLERA * motion.closing * fade * (v > at_lower - _FADE_DISTANCE)
    eyeball = v - (lower_motion + sclera) * weight
    if motion.closing >= 1:
        eyeball = np.where(beyond_corners > 0, eyeball, np.minimum(eyeball, lower - _SCLERA))

    covered = smoothstep((above + _LID_THICKNESS) * frame.width / 1.4 + 0.5)[..., None]
    patch = covered * _sample(image, frame, u, skin) + (1 - covered) * _sample(image, frame, u, eyeball)
    lash = _lash_line(frame, u, above, lash_darkness * motion.closing)
    patch *= 1 - lash[..., None]
    changed = np.abs(upper_motion) + np.abs(lower_motion) + lash > 1e-4
    changed &= (v < upper + height) & (v > lower - _FADE_DISTANCE - 0.1)
    part = image[y0:y1, x0:x1]
    part[changed] = np.rint(patch[changed]).clip(0, 255).astype(np.uint8)


def darkest_row(image: np.ndarray, eye: np.ndarray) -> float:
    """Darkest row of an eye: 0 is the edge of the lower eyelid, 1 the edge of the upper eyelid.

    Lashes and iris are darker than skin. If the brow, glasses or the skin are darkest, they cannot be separated from
    the eyelids, or the labels are not on the eye.

    Args:
        image: (S, S, 3) uint8 packed crop.
        eye: (6, 2) float pixels, as in `EyelidMotion`.

    Returns:
        Position relative to the eyelids, from -0.75 to 1.75.
    """
    frame = _EyeFrame(eye)
    local = np.stack(frame.local(eye), -1)
    u, rows = np.linspace(0.2, 0.8, 9), np.linspace(-0.75, 1.75, 26)
    upper, lower = _upper_curve(local, u), _lower_curve(local, u)
    v = lower + rows[:, None] * (upper - lower)
    light = _sample(image, frame, np.broadcast_to(u, v.shape), v).mean(axis=(1, 2))
    return float(rows[light.argmin()])


class _EyeFrame:
    """Coordinates of an eye: u from corner to corner, v up, in eye widths."""

    def __init__(self, eye: np.ndarray) -> None:
        across = np.asarray(eye[3] - eye[0], np.float64)
        self.width = float(np.linalg.norm(across))
        self.origin, self.along = eye[0], across / self.width
        self.up = np.array([self.along[1], -self.along[0]])

    def local(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """u and v (...) of pixels (..., 2)."""
        away = (points - self.origin) / self.width
        return away @ self.along, away @ self.up

    def box(self, size: int, brow: np.ndarray) -> tuple[int, int, int, int]:
        """xyxy of the pixels that may change, in an image of `size` pixels."""
        corners = np.array([[u, v] for u in (-0.4, 1.4) for v in (-0.7, 0.2)])
        at = np.concatenate([self.origin + self.width * (corners @ np.stack([self.along, self.up])), brow])
        x0, y0 = np.floor(at.min(0)).clip(0, size).astype(int)
        x1, y1 = np.ceil(at.max(0) + 1).clip(0, size).astype(int)
        return int(x0), int(y0), int(x1), int(y1)


def _lash_line(frame: _EyeFrame, u: np.ndarray, above: np.ndarray, darkness: float) -> np.ndarray:
    """Darkness of the line between closed eyelids at distances `above` (n, m) from the edge of the upper eyelid."""
    between_corners = smoothstep(np.minimum(u, 1 - u) / 0.15 + 0.5)
    sigma = max(0.035, 0.8 / frame.width)
    return darkness * between_corners * np.exp(-((above / sigma) ** 2) / 2)


def _skin_share(image: np.ndarray, frame: _EyeFrame, eye: np.ndarray, brow: np.ndarray) -> float:
    """Share of the distance from the upper eyelid to the brow up to which there is only skin.

    Eye (6, 2) and brow (5, 2) are in the coordinates of the eye.
    """
    u = np.linspace(0.2, 0.8, 7)
    upper = _upper_curve(eye, u)
    v = upper + _SKIN_SHARES[:, None] * (np.interp(u, brow[:, 0], brow[:, 1]) - upper)
    light = _sample(image, frame, np.broadcast_to(u, v.shape), v).mean(axis=(1, 2))
    dark = light < _DARKER * np.maximum.accumulate(light)
    return float(_SKIN_SHARES[max(int(dark.argmax()) - 1, 0)] if dark.any() else _SKIN_SHARES[-1])


def _sample(image: np.ndarray, frame: _EyeFrame, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """(n, m, 3) float32 pixels of the image at u, v (n, m)."""
    x, y = (frame.origin[i] + frame.width * (u * frame.along[i] + v * frame.up[i]) for i in range(2))
    sampled = cv2.remap(
        image, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(sampled, np.float32)


def _upper_curve(eye: np.ndarray, u: np.ndarray) -> np.ndarray:
    """v of the upper eyelid of an eye (6, 2) at u."""
    return _cubic(eye[:4], u)


def _lower_curve(eye: np.ndarray, u: np.ndarray) -> np.ndarray:
    """v of the lower eyelid of an eye (6, 2) at u."""
    return _cubic(eye[[0, 5, 4, 3]], u)


def _cubic(knots: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Cubic through (4, 2) knots, evaluated at u; constant beyond the outer knots."""
    at = np.clip(u, knots[0, 0], knots[3, 0])
    result: np.ndarray = np.zeros_like(at)
    for i in range(4):
        term = np.full_like(at, knots[i, 1])
        for j in range(4):
            if j != i:
                term *= (at - knots[j, 0]) / (knots[i, 0] - knots[j, 0])
        result += term
    return result
