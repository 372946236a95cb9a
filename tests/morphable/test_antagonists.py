"""Antagonistic pairs of expression coefficients."""

import numpy as np
import pytest

from rdrface.morphable.antagonists import ANTAGONISTS, SIDEWAYS, pair_indices
from rdrface.morphable.model import FaceModel


def test_all_pairs_are_in_the_face_model_and_disjoint() -> None:
    model = FaceModel.load()
    index = pair_indices(model.expression_names)
    assert index.shape == (len(ANTAGONISTS), 2)
    assert len(set(index.ravel().tolist())) == 2 * len(ANTAGONISTS)
    assert model.expression_names[index[0, 0]] == "jawLeft" and model.expression_names[index[0, 1]] == "jawRight"


def test_antagonists_move_the_face_in_opposite_directions() -> None:
    model = FaceModel.load()
    basis = model.reduced(model.points["ibug68"]).expression_basis.astype(np.float64)
    for first, second in pair_indices(model.expression_names):
        a, b = basis[first].ravel(), basis[second].ravel()
        cosine = a @ b / np.sqrt((a @ a) * (b @ b))
        assert cosine < 0, (model.expression_names[first], model.expression_names[second], cosine)


def test_the_mirrored_face_has_the_same_pairs() -> None:
    model = FaceModel.load()
    mirror = model.expression_mirror
    pairs = {frozenset(pair.tolist()) for pair in pair_indices(model.expression_names)}
    assert {frozenset(mirror[list(pair)].tolist()) for pair in pairs} == pairs


def test_unknown_names_are_reported() -> None:
    with pytest.raises(ValueError, match="tongueOut"):
        pair_indices(("jawOpen",), (("jawOpen", "tongueOut"),))
    assert len(pair_indices(("jawLeft", "jawRight", "mouthLeft", "mouthRight"), SIDEWAYS)) == 2
