"""What the labels of a batch are worth."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from annotated import records_of
from rdrface.datasets.records import OCCLUDED, SELF_OCCLUDED, UNKNOWN, VISIBLE
from rdrface.datasets.synthetic import random_parameters
from rdrface.network.projection import Projection
from rdrface.training.augmentation.augment import TrainingBatch
from rdrface.training.batches import DOUBTFUL, ENOUGH, FITTED, GUESSED, person_keys, targets


@pytest.fixture(scope="module")
def projection() -> Projection:
    return Projection()


def one_face(projection: Projection, state: int, placed: bool) -> TrainingBatch:
    """A face in the crop frame, annotated exactly on its fit and visible but for point 40, as the arguments have it."""
    q = torch.from_numpy(random_parameters(1, np.random.default_rng(0)))
    q[:, 50:53], q[:, 53:56], q[:, 56] = 0.0, 0.0, 0.006
    outline, jawline = (points[..., :2] for points in projection(q))
    weight, states = torch.ones(1, 68), torch.full((1, 68), VISIBLE)
    weight[0, 40], states[0, 40] = float(placed), state
    return TrainingBatch(
        crops=torch.zeros(1, 3, 32, 32),
        points=outline * weight.unsqueeze(-1),
        weight=weight,
        state=states,
        outline=outline,
        jawline=jawline,
        Q=q,
        jawline_convention=torch.zeros(1, dtype=torch.bool),
    )


@pytest.mark.parametrize(
    ("state", "placed", "weight"),
    [
        (VISIBLE, True, 1.0),
        (UNKNOWN, True, 1.0),
        (OCCLUDED, True, GUESSED),
        (SELF_OCCLUDED, True, FITTED),  # a set that guesses what the head hides
        (SELF_OCCLUDED, False, FITTED),
        (UNKNOWN, False, 0.0),  # a set that does not annotate this point, e.g. FG-NET's brows
    ],
)
def test_weight_of_a_point(projection: Projection, state: int, placed: bool, weight: float) -> None:
    batch = one_face(projection, state, placed)
    labels = targets(batch, torch.tensor([1.0]), torch.ones(1), projection)
    assert labels.weight[0, 40] == pytest.approx(weight)
    assert bool(labels.labeled[0, 40]) is placed
    torch.testing.assert_close(labels.points, batch.outline, rtol=0, atol=1e-5)
    others = torch.arange(68) != 40
    assert (labels.weight[0, others] == 1).all()


def test_a_slip_and_a_contour_of_the_other_convention_give_way_to_the_fit(projection: Projection) -> None:
    batch = one_face(projection, VISIBLE, True)
    batch.points[0, 40] += 2 * DOUBTFUL
    batch.jawline_convention[:] = True
    labels = targets(batch, torch.tensor([1.0]), torch.ones(1), projection)
    assert (labels.weight[0, [*range(17), 40]] == FITTED).all() and not labels.labeled[0, [*range(17), 40]].any()
    torch.testing.assert_close(labels.points, batch.outline, rtol=0, atol=1e-5)
    assert (targets(batch, torch.tensor([7.0]), torch.ones(1), projection).weight[0, :17] == 0).all()


def test_labels_of_less_worth_weigh_less_and_teach_less_expression(projection: Projection) -> None:
    batch = one_face(projection, VISIBLE, True)
    labels = targets(batch, torch.tensor([1.0]), torch.tensor([0.3]), projection)
    assert labels.weight[0].tolist() == pytest.approx([0.3] * 68)
    assert labels.trust.item() == 1.0
    assert labels.expression_trust.item() == pytest.approx(0.3)
    batch.weight[0, ENOUGH // 2 :] = 0
    few = targets(batch, torch.tensor([1.0]), torch.ones(1), projection)
    assert few.expression_trust.item() == pytest.approx(0.5)


def test_photos_of_one_face_are_held_out_together(tmp_path: Path) -> None:
    records = records_of(tmp_path, 5, fitted=False)
    images = ["300w/afw/1051_1.jpg", "AFW/AFW_1051_1_0.jpg", "AFW/AFW_1051_1_10.jpg", "001a02.JPG", "001a40.JPG"]
    sources = ["300w/afw", "300w_lp/AFW", "300w_lp/AFW", "fgnet", "fgnet"]
    keys = person_keys(replace(records, image=np.array(images), source=np.array(sources)))
    assert keys.tolist() == ["1051_1"] * 3 + ["001"] * 2
