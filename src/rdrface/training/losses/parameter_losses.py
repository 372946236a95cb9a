"""Losses on Q: unweighted, weighted as in 3DDFA, or as distance of the 3D surface. All need fitted faces.

`parameter_distance` is the default. The other two are alternatives (docs/ablation.md); they are slow, and are computed
only if their weight is not 0.
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


def parameter_distance(q: Tensor, truth: Tensor, std: Tensor, trust: Tensor) -> Tensor:
    """Mean square error of the standardized coefficients (3DDFA's PDC without P).

    P is left out: the losses on points measure rotation and translation without the singularity of gimbal lock.

    Args:
        q: (B, 103) predicted Q.
        truth: (B, 103) Q of the fit.
        std: (103,) standard deviations of `ParameterScale`.
        trust: (B,) trust in the fit, 0..1.
    """
    coefficients = torch.ones_like(std, dtype=torch.bool)
    coefficients[POSE] = False
    error = ((q - truth) / std)[:, coefficients].square().mean(1)
    return (error * trust).mean()


def weighted_parameter_distance(q: Tensor, truth: Tensor, std: Tensor, trust: Tensor) -> Tensor:
    """3DDFA's weighted parameter distance cost (Zhu et al., CVPR 2016, equations 10 and 11), P included.

    The weight of a parameter's squared error is the displacement of the projected points that the error causes. The
    errors are standardized, like the predictions of the network. Arguments are as in `parameter_distance`.
    """
    error = parameter_errors(q, truth)
    weight = displacements(error.detach(), truth)
    weight = weight / weight.amax(1, keepdim=True).clamp(min=_TINY)
    return ((error / std).square() * weight).mean(1).mul(trust).mean()


def vertex_distance(q: Tensor, truth: Tensor, trust: Tensor) -> Tensor:
    """Mean distance of the posed 3D faces, crop frame (3DDFA's VDC, not squared, so that no single bad fit dominates).

    The distance is measured at 476 points: the 68 of the jawline convention and all samples of the 17 parallel lines.
    They cover all parts of the face where landmarks can be, and the network computes them anyway. The whole mesh would
    take ten times as long, and its other parts (scalp, neck, inside of the mouth) have no labels.

    Args:
        q: (B, 103) predicted Q.
        truth: (B, 103) Q of the fit.
        trust: (B,) trust in the fit, 0..1.
    """
    with torch.no_grad():
        target = surface(truth)
    distance = ((surface(q) - target).square().sum(-1) + _TINY).sqrt()
    return (distance.mean(1) * trust).mean()


def parameter_errors(q: Tensor, truth: Tensor) -> Tensor:
    """(B, 103) q - truth, with angle differences in -pi..pi, so a full rotation is not an error."""
    error = q - truth
    angles = torch.remainder(error[:, _ANGLES] + torch.pi, 2 * torch.pi) - torch.pi
    return torch.cat([error[:, : _ANGLES.start], angles, error[:, _ANGLES.stop :]], dim=1)


@torch.no_grad()
def displacements(error: Tensor, truth: Tensor) -> Tensor:
    """Displacement of the 68 projected points caused by the error of each single parameter (norm of equation 11).

    Args:
        error: (B, 103) errors of the parameters.
        truth: (B, 103) Q.

    Returns:
        (B, 103) crop frame: the norm over x and y of the 68 points.
    """
    model = _landmark_model(error.device)
    identity, expression = model["identity_basis"][:, :NUM_LANDMARKS], model["expression_basis"][:, :NUM_LANDMARKS]
    pose = truth[:, POSE]

    # The projection is linear in the coefficients: |f Pr R b a| of a basis shape b follows from its 3x3 moments.
    moments = torch.cat([torch.einsum("ipc,ipd->icd", basis, basis) for basis in (identity, expression)])
    across = rotation_matrix(pose[:, ROTATION])[:, :2]
    square = torch.einsum("brc,icd,brd->bi", across, moments, across).clamp(min=0)
    unit = pose[:, SCALE, None].abs() * square.sqrt()
    first, second = torch.split(unit, [len(identity), len(expression)], dim=1)

    points = blend(model["mean"][:NUM_LANDMARKS], identity, expression, truth[:, IDENTITY], truth[:, EXPRESSION])
    wrong = pose.unsqueeze(1) + torch.diag_embed(error[:, POSE])  # (B, 7, 7): in pose i only parameter i is wrong
    moved = project(points.repeat_interleave(NUM_POSE, 0), wrong.flatten(0, 1)).unflatten(0, (-1, NUM_POSE))
    true = project(points, pose).unsqueeze(1)
    by_pose = (moved - true)[..., :2].square().sum((-2, -1)).sqrt()
    return torch.cat([first * error[:, IDENTITY].abs(), by_pose, second * error[:, EXPRESSION].abs()], dim=1)


def surface(q: Tensor) -> Tensor:
    """(B, 103) Q -> (B, 476, 3): the 68 points and the samples of the parallel lines, frame of P."""
    points, lines, _ = shapes68(_landmark_model(q.device), q)
    projected: Tensor = project(torch.cat([points, lines.flatten(1, 2)], dim=1), q[:, POSE])
    return projected


@cache
def _landmark_model(device: torch.device) -> dict[str, Tensor]:
    arrays = LandmarkModel.from_face_model(FaceModel.load()).buffers()
    return {name: torch.from_numpy(array).to(device) for name, array in arrays.items()}
