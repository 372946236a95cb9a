"""The pixels of one eye with its lids moved: skin above the eye is stretched down over the eyeball.

All curves are functions of u in the eye's own frame: u runs from the corner at the picture's left (0) to the other
(1), v upwards, both in units of the eye's width. The upper lid's edge moves from curve `old_upper` to `new_upper` and
takes its lashes with it; the skin between it and the brow is stretched; the lower lid follows its own small move. What
lies between the two edges afterwards is the eyeball as the photo shows it.
"""

from dataclasses import dataclass

import cv2
import numpy as np

_LASHES = 0.07  # above the lid's edge: lashes and edge keep their shape
_BELOW = 0.03  # below the lid's edge: its thickness, which covers the eyeball
_SKIN = np.linspace(0.2, 0.65, 10)  # shares of the distance between lid and brow up to which skin can be stretched
_DARKER = 0.85  # a row so much darker than those below it belongs to the brow or to glasses and stays where it is
_LEAST_SKIN = 0.16  # the stretched strip is at least so high
_AROUND = 0.3  # beyond the corners and below the lower lid, moves fade out over this distance
_SCLERA = 0.04  # the lower lid's edge as labeled still mixes with the white of the eye


@dataclass(frozen=True)
class LidMove:
    """One eye's lids before and after.

    Attributes:
        old, new: (6, 2) float pixels: corner at the picture's left, two points of the upper lid, the other corner, two
            points of the lower lid (iBUG's order).
        brow: (5, 2) float pixels, picture's left to right.
        shut: 0 when nothing moves, 1 when the eye is shut.
    """

    old: np.ndarray
    new: np.ndarray
    brow: np.ndarray
    shut: float


def move_lids(window: np.ndarray, move: LidMove, lash: float) -> None:
    """Change the pixels of one eye in place.

    Args:
        window: (S, S, 3) uint8.
        move: the lids before and after.
        lash: how much darker the shut lids' line becomes, 0 to 1.
    """
    frame = _Frame(move.old)
    x0, y0, x1, y1 = frame.box(len(window), move.brow)
    columns, rows = np.meshgrid(np.arange(x0, x1, dtype=np.float32), np.arange(y0, y1, dtype=np.float32))
    u, v = frame.local(np.stack([columns, rows], axis=-1))
    old, new = np.stack(frame.local(move.old), -1), np.stack(frame.local(move.new), -1)
    upper, lower = _curve(old[:4], u), _curve(old[[0, 5, 4, 3]], u)
    to_upper, to_lower = _curve(new[:4], u), _curve(new[[0, 5, 4, 3]], u)
    to_upper = np.maximum(to_upper, to_lower)
    beyond = np.maximum(np.maximum(-u, u - 1), 0)
    fade = _smooth(1 - beyond / _AROUND)

    drop = (to_upper - upper) * fade
    at_upper = upper + drop
    brow = np.stack(frame.local(move.brow), -1)
    share = _skin_share(window, frame, old[:4], brow)
    height = np.maximum(share * (np.interp(u, brow[:, 0], brow[:, 1]) - upper), _LEAST_SKIN)
    above = v - at_upper
    stretched = upper + _LASHES + (above - _LASHES) * (height - _LASHES) / (height - drop - _LASHES)
    skin = np.where(above < _LASHES, upper + np.maximum(above, 0), np.where(above < height - drop, stretched, v))

    rise = (to_lower - lower) * fade
    at_lower = lower + rise
    weight = np.clip(1 - np.abs(v - at_lower) / _AROUND, 0, 1)
    below = v - (rise + _SCLERA * move.shut * fade * (v > at_lower - _AROUND)) * weight
    if move.shut >= 1:
        below = np.where(beyond > 0, below, np.minimum(below, lower - _SCLERA))

    covered = _smooth((above + _BELOW) * frame.width / 1.4 + 0.5)[..., None]
    patch = covered * _sample(window, frame, u, skin) + (1 - covered) * _sample(window, frame, u, below)
    inside = _smooth(np.minimum(u, 1 - u) / 0.15 + 0.5)
    sigma = max(0.035, 0.8 / frame.width)
    line = lash * move.shut * inside * np.exp(-(((v - at_upper) / sigma) ** 2) / 2)
    patch *= 1 - line[..., None]
    changed = (np.abs(drop) + np.abs(rise) + line > 1e-4) & (v < upper + height) & (v > lower - _AROUND - 0.1)
    part = window[y0:y1, x0:x1]
    part[changed] = np.rint(patch[changed]).clip(0, 255).astype(np.uint8)


def darkest_row(window: np.ndarray, eye: np.ndarray) -> float:
    """Where an eye is darkest from top to bottom: 0 on the lower lid's edge, 1 on the upper's.

    Lashes and iris are darker than skin. Where brow, glasses or skin are darkest, the lids cannot be separated from
    them, or the labels are not on the eye.

    Args:
        window: (S, S, 3) uint8.
        eye: (6, 2) float pixels, as in `LidMove`.
    """
    frame = _Frame(eye)
    local = np.stack(frame.local(eye), -1)
    u, rows = np.linspace(0.2, 0.8, 9), np.linspace(-0.75, 1.75, 26)
    upper, lower = _curve(local[:4], u), _curve(local[[0, 5, 4, 3]], u)
    v = lower + rows[:, None] * (upper - lower)
    light = _sample(window, frame, np.broadcast_to(u, v.shape), v).mean(axis=(1, 2))
    return float(rows[light.argmin()])


class _Frame:
    """The frame of an eye: u along its corners, v upwards, in units of its width."""

    def __init__(self, eye: np.ndarray) -> None:
        across = np.asarray(eye[3] - eye[0], np.float64)
        self.width = float(np.linalg.norm(across))
        self.origin, self.along = eye[0], across / self.width
        self.up = np.array([self.along[1], -self.along[0]])

    def local(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        away = (points - self.origin) / self.width
        return away @ self.along, away @ self.up

    def box(self, size: int, brow: np.ndarray) -> tuple[int, int, int, int]:
        corners = np.array([[u, v] for u in (-0.4, 1.4) for v in (-0.7, 0.2)])
        at = np.concatenate([self.origin + self.width * (corners @ np.stack([self.along, self.up])), brow])
        x0, y0 = np.floor(at.min(0)).clip(0, size).astype(int)
        x1, y1 = np.ceil(at.max(0) + 1).clip(0, size).astype(int)
        return int(x0), int(y0), int(x1), int(y1)


def _skin_share(window: np.ndarray, frame: _Frame, lid: np.ndarray, brow: np.ndarray) -> float:
    """Share of the distance from the lid (4, 2) to the brow (5, 2), local, below which there is only skin."""
    u = np.linspace(0.2, 0.8, 7)
    upper = _curve(lid, u)
    v = upper + _SKIN[:, None] * (np.interp(u, brow[:, 0], brow[:, 1]) - upper)
    light = _sample(window, frame, np.broadcast_to(u, v.shape), v).mean(axis=(1, 2))
    dark = light < _DARKER * np.maximum.accumulate(light)
    return float(_SKIN[max(int(dark.argmax()) - 1, 0)] if dark.any() else _SKIN[-1])


def _sample(window: np.ndarray, frame: _Frame, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    x, y = (frame.origin[i] + frame.width * (u * frame.along[i] + v * frame.up[i]) for i in range(2))
    sampled = cv2.remap(
        window, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(sampled, np.float32)


def _curve(knots: np.ndarray, u: np.ndarray) -> np.ndarray:
    """The cubic through (4, 2) knots at u; constant beyond the outer ones."""
    at = np.clip(u, knots[0, 0], knots[3, 0])
    result = np.zeros_like(at)
    for i in range(4):
        term = np.full_like(at, knots[i, 1])
        for j in range(4):
            if j != i:
                term *= (at - knots[j, 0]) / (knots[i, 0] - knots[j, 0])
        result += term
    return result


def _smooth(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)
