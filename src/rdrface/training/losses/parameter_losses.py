"""What a wrong Q costs: plain, weighted as in 3DDFA, or as the distance of the surface it moves. All want fitted faces.

`parameter_distance` is the default. The two others are there to be compared with it (docs/ablation.md) and cost time:
they are computed only where they count.
"""

from functools import cache

import torch
from torch import Tensor

from rdrface.geometry.camera import project
from rdrface.geometry.rotation import rotation_matrix
from rdrface.landmarks import NUM_LANDMARKS
from rdrface.morphable.blend import blend
from rdrface.morphable.landmark_model import LandmarkModel, shapes68
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import EXPRESSION, IDENTITY, NUM_POSE, POSE, ROTATION, SCALE

_ANGLES = slice(POSE.start + ROTATION.start, POSE.start + ROTATION.stop)
_TINY = 1e-12


def parameter_distance(q: Tensor, truth: Tensor, spread: Tensor, trust: Tensor) -> Tensor:
    """Mean square error of the coefficients in units of their spread (3DDFA's PDC without P).

    Coefficients only: angles and translation are judged by where they put the points, which knows no gimbal lock.

    Args:
        q: (B, 103) predicted.
        truth: (B, 103) fitted.
        spread: (103,) of `ParameterScale`.
        trust: (B,) in the fit, 0..1.
    """
    keep = torch.ones_like(spread, dtype=torch.bool)
    keep[POSE] = False
    off = ((q - truth) / spread)[:, keep].square().mean(1)
    return (off * trust).mean()


def weighted_parameter_distance(q: Tensor, truth: Tensor, spread: Tensor, trust: Tensor) -> Tensor:
    """3DDFA's weighted parameter distance cost (Zhu et al., CVPR 2016, equations 10 and 11), P included.

    Every parameter's square error counts by what it does to the picture of the face. The errors are in units of the
    parameters' spread, since that is what the network predicts. Arguments as in `parameter_distance`.
    """
    off = parameter_errors(q, truth)
    weight = displacements(off.detach(), truth)
    weight = weight / weight.amax(1, keepdim=True).clamp(min=_TINY)
    return ((off / spread).square() * weight).mean(1).mul(trust).mean()


def vertex_distance(q: Tensor, truth: Tensor, trust: Tensor) -> Tensor:
    """Mean distance of the posed 3D faces, crop frame (3DDFA's VDC, not squared, so that no single bad fit rules).

    Measured at 476 points: the 68 of the jawline convention and all samples of the 17 parallel lines. These lie on
    features, jaw and cheeks, that is where landmarks can ever be, and the network computes them anyway; the rest of the
    mesh (scalp, neck, inside of the mouth) would cost ten times as much and is seen by no label.

    Args:
        q: (B, 103) predicted.
        truth: (B, 103) fitted.
        trust: (B,) in the fit, 0..1.
    """
    with torch.no_grad():
        there = surface(truth)
    distance = ((surface(q) - there).square().sum(-1) + _TINY).sqrt()
    return (distance.mean(1) * trust).mean()


def parameter_errors(q: Tensor, truth: Tensor) -> Tensor:
    """(B, 103), (B, 103) -> q - truth, with the differences of angles in -pi..pi: a whole turn is no error."""
    off = q - truth
    angles = torch.remainder(off[:, _ANGLES] + torch.pi, 2 * torch.pi) - torch.pi
    return torch.cat([off[:, : _ANGLES.start], angles, off[:, _ANGLES.stop :]], dim=1)


@torch.no_grad()
def displacements(off: Tensor, truth: Tensor) -> Tensor:
    """How far the 68 points of the true face go in the picture when one parameter alone is wrong (equation 11's norm).

    Args:
        off: (B, 103) errors of the parameters.
        truth: (B, 103) Q.

    Returns:
        (B, 103) crop frame: the norm over the 68 points' x and y.
    """
    model = _landmark_model(off.device)
    identity, expression = model["identity_basis"][:, :NUM_LANDMARKS], model["expression_basis"][:, :NUM_LANDMARKS]
    pose = truth[:, POSE]

    # The picture is linear in the coefficients: |f Pr R b a| for every basis shape b follows from its 3x3 moments.
    moments = torch.cat([torch.einsum("ipc,ipd->icd", basis, basis) for basis in (identity, expression)])
    across = rotation_matrix(pose[:, ROTATION])[:, :2]
    square = torch.einsum("brc,icd,brd->bi", across, moments, across).clamp(min=0)
    unit = pose[:, SCALE, None].abs() * square.sqrt()
    first, second = unit.split([len(identity), len(expression)], dim=1)

    points = blend(model["mean"][:NUM_LANDMARKS], identity, expression, truth[:, IDENTITY], truth[:, EXPRESSION])
    moved = pose.unsqueeze(1) + torch.diag_embed(off[:, POSE])  # (B, 7, 7): the i-th has only its i-th number wrong
    there = project(points.repeat_interleave(NUM_POSE, 0), moved.flatten(0, 1)).unflatten(0, (-1, NUM_POSE))
    here = project(points, pose).unsqueeze(1)
    by_pose = (there - here)[..., :2].square().sum((-2, -1)).sqrt()
    return torch.cat([first * off[:, IDENTITY].abs(), by_pose, second * off[:, EXPRESSION].abs()], dim=1)


def surface(q: Tensor) -> Tensor:
    """(B, 103) Q -> (B, 476, 3) the 68 points and the samples of the parallel lines, frame of P."""
    points, lines, _ = shapes68(_landmark_model(q.device), q)
    return project(torch.cat([points, lines.flatten(1, 2)], dim=1), q[:, POSE])


@cache
def _landmark_model(device: torch.device) -> dict[str, Tensor]:
    arrays = LandmarkModel.from_face_model(FaceModel.load()).buffers()
    return {name: torch.from_numpy(array).to(device) for name, array in arrays.items()}
