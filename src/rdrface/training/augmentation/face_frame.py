"""Axes of faces in their crops, used to place glasses, masks and covers."""

from dataclasses import dataclass

import torch
from torch import Tensor

from rdrface.landmarks import GROUPS

_LEFT_EYE, _RIGHT_EYE = GROUPS["left_eye"], GROUPS["right_eye"]
_OUTER_LIP, _INNER_LIP = GROUPS["outer_lip"], GROUPS["inner_lip"]


@dataclass(frozen=True)
class FaceFrame:
    """Axes of b faces in the crop frame; they rotate with the roll.

    The vertical axis is defined by the eyes and the mouth, because the distance between the eyes is 0 in a profile.

    Attributes:
        center: (b, 2) midpoint of the eyes and the mouth.
        right: (b, 2) unit vector, to the right of the image for an upright face.
        down: (b, 2) unit vector from the eyes to the mouth.
        unit: (b,) distance from the eyes to the mouth, about 70 mm of an adult seen from the front.
    """

    center: Tensor
    right: Tensor
    down: Tensor
    unit: Tensor

    @classmethod
    def of(cls, points: Tensor) -> "FaceFrame":
        """The axes of landmarks (b, 68, 2), all finite."""
        eyes = points[:, _LEFT_EYE.start : _RIGHT_EYE.stop].mean(1)
        mouth = points[:, _OUTER_LIP.start : _INNER_LIP.stop].mean(1)
        unit = (mouth - eyes).norm(dim=-1).clamp(min=1e-3)
        down = (mouth - eyes) / unit[:, None]
        return cls((eyes + mouth) / 2, torch.stack([down[:, 1], -down[:, 0]], -1), down, unit)


def pixel_centers(size: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """x (1, 1, N) and y (1, N, 1) of the pixels of a crop of N x N pixels, crop frame; they broadcast to (1, N, N)."""
    axis = (2 * torch.arange(size, device=device) + 1) / size - 1
    return axis.reshape(1, 1, -1), axis.reshape(1, -1, 1)


def point_columns(points: Tensor) -> tuple[Tensor, Tensor]:
    """x and y (b, P, 1) of points (b, P, 2), in the layout of `pixel_centers`: one function can test both."""
    return points[..., :1], points[..., 1:]


def along(direction: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """(b, n, m) component along `direction` (b, 2) of the positions x, y, see `pixel_centers`."""
    return direction[:, 0, None, None] * x + direction[:, 1, None, None] * y
