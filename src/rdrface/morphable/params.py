"""The layout of Q = [alpha_id, P, alpha_exp], the parameters of the 3D face (supplement, section 1).

The layout of P itself belongs to the camera that reads it, `rdrface.geometry.camera`; its names are repeated here.
"""

from collections.abc import Sequence

from rdrface.geometry.camera import NUM_POSE, PITCH, ROLL, ROTATION, SCALE, TRANSLATION, YAW

__all__ = [
    "EXPRESSION",
    "IDENTITY",
    "NUM_EXPRESSION",
    "NUM_IDENTITY",
    "NUM_PARAMETERS",
    "NUM_POSE",
    "PITCH",
    "POSE",
    "ROLL",
    "ROTATION",
    "SCALE",
    "TRANSLATION",
    "YAW",
    "expression_index",
]

NUM_IDENTITY = 50
"""Length of alpha_id, the identity coefficients."""

NUM_EXPRESSION = 46
"""Length of alpha_exp, the expression coefficients."""

NUM_PARAMETERS = NUM_IDENTITY + NUM_POSE + NUM_EXPRESSION
"""Length of Q."""

IDENTITY = slice(0, NUM_IDENTITY)
POSE = slice(IDENTITY.stop, IDENTITY.stop + NUM_POSE)
EXPRESSION = slice(POSE.stop, NUM_PARAMETERS)
"""Slice of each part in the last axis of Q."""


def expression_index(name: str, names: Sequence[str]) -> int:
    """Index in Q of the expression coefficient `name`; `names` are `FaceModel.expression_names`."""
    return EXPRESSION.start + names.index(name)
