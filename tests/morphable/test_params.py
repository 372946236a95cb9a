"""The layout of Q and P."""

from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import (
    EXPRESSION,
    IDENTITY,
    NUM_EXPRESSION,
    NUM_IDENTITY,
    NUM_PARAMETERS,
    NUM_POSE,
    PITCH,
    POSE,
    ROLL,
    ROTATION,
    SCALE,
    TRANSLATION,
    YAW,
    expression_index,
)


def test_the_parts_of_q_follow_each_other() -> None:
    indices = list(range(NUM_PARAMETERS))
    assert indices == [*indices[IDENTITY], *indices[POSE], *indices[EXPRESSION]]
    assert [len(indices[part]) for part in (IDENTITY, POSE, EXPRESSION)] == [NUM_IDENTITY, NUM_POSE, NUM_EXPRESSION]


def test_the_parts_of_p_follow_each_other() -> None:
    indices = list(range(NUM_POSE))
    assert indices == [*indices[ROTATION], *indices[TRANSLATION], SCALE]
    assert indices[ROTATION] == [PITCH, YAW, ROLL]


def test_sizes_are_those_of_the_face_model() -> None:
    model = FaceModel.load()
    assert (len(model.identity_basis), len(model.expression_basis)) == (NUM_IDENTITY, NUM_EXPRESSION)
    assert expression_index(model.expression_names[3], model.expression_names) == EXPRESSION.start + 3
