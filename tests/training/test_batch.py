"""The labels of a training step and their weights."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from rdrface.datasets.records import OCCLUDED, SELF_OCCLUDED, UNKNOWN, VISIBLE
from rdrface.datasets.synthetic import random_parameters
from rdrface.network.projection import Projection
from rdrface.training.augmentation.crop_batch import CropBatch
from rdrface.training.batch import (
    FITTED_WEIGHT,
    FULL_TRUST_POINTS,
    MAX_LABEL_DISTANCE,
    OCCLUDED_WEIGHT,
    Batch,
    make_batch,
)

CROPS = torch.zeros(1, 3, 32, 32)


@pytest.fixture(scope="module")
def projection() -> Projection:
    return Projection()


def one_face(projection: Projection, state: int = VISIBLE, placed: bool = True) -> CropBatch:
    """A face in the crop frame, annotated exactly on its fit and visible, except for state and position of point 40."""
    q = torch.from_numpy(random_parameters(1, np.random.default_rng(0)))
    q[:, 50:53], q[:, 53:56], q[:, 56] = 0.0, 0.0, 0.006
    outline, jawline = (points[..., :2] for points in projection(q))
    points, states = outline.clone(), torch.full((1, 68), VISIBLE)
    states[0, 40] = state
    if not placed:
        points[0, 40] = torch.nan
    return CropBatch(
        images=torch.zeros(1, 32, 32, 3, dtype=torch.uint8),
        valid=torch.tensor([[-1.0, -1.0, 1.0, 1.0]]),
        points=points,
        state=states,
        jawline_convention=torch.zeros(1, dtype=torch.bool),
        outline=outline,
        jawline=jawline,
        Q=q,
        residual=torch.tensor([1.0]),
        label_weight=torch.ones(1),
        margin=1.4,
    )


@pytest.mark.parametrize(
    ("state", "placed", "weight"),
    [
        (VISIBLE, True, 1.0),
        (UNKNOWN, True, 1.0),
        (OCCLUDED, True, OCCLUDED_WEIGHT),
        (SELF_OCCLUDED, True, FITTED_WEIGHT),  # a dataset with guessed positions of hidden points
        (SELF_OCCLUDED, False, FITTED_WEIGHT),
        (UNKNOWN, False, 0.0),  # a dataset that does not annotate this point, e.g. the brows in FG-NET
    ],
)
def test_weight_of_a_point(projection: Projection, state: int, placed: bool, weight: float) -> None:
    labels = one_face(projection, state, placed)
    batch = make_batch(CROPS, labels, projection)
    assert batch.weight[0, 40] == pytest.approx(weight)
    assert bool(batch.labeled[0, 40]) is placed
    torch.testing.assert_close(batch.points, labels.outline, rtol=0, atol=1e-5)
    others = torch.arange(68) != 40
    assert (batch.weight[0, others] == 1).all()


def test_the_fit_replaces_annotation_mistakes_and_contours_of_the_other_convention(projection: Projection) -> None:
    labels = one_face(projection)
    labels.points[0, 40] += 2 * MAX_LABEL_DISTANCE
    labels.jawline_convention[:] = True
    batch = make_batch(CROPS, labels, projection)
    replaced = [*range(17), 40]
    assert (batch.weight[0, replaced] == FITTED_WEIGHT).all() and not batch.labeled[0, replaced].any()
    torch.testing.assert_close(batch.points, labels.outline, rtol=0, atol=1e-5)
    bad_fit = make_batch(CROPS, replace(labels, residual=torch.tensor([7.0])), projection)
    assert (bad_fit.weight[0, :17] == 0).all()


def test_a_smaller_label_weight_reduces_points_and_expression(projection: Projection) -> None:
    labels = one_face(projection)
    batch = make_batch(CROPS, replace(labels, label_weight=torch.tensor([0.3])), projection)
    assert batch.weight[0].tolist() == pytest.approx([0.3] * 68)
    assert batch.trust.item() == 1.0
    assert batch.expression_trust.item() == pytest.approx(0.3)
    labels.points[0, FULL_TRUST_POINTS // 2 :] = torch.nan
    few = make_batch(CROPS, labels, projection)
    assert few.expression_trust.item() == pytest.approx(0.5)


def test_lightning_fabric_does_not_round_the_labels(projection: Projection) -> None:
    """Fabric converts the tensors of collections and dataclasses to bfloat16, which has only two or three digits."""
    from lightning_fabric.plugins.precision import MixedPrecision

    batch = make_batch(CROPS, one_face(projection), projection)
    converted = MixedPrecision("bf16-mixed", "cpu").convert_input(batch)
    assert isinstance(converted, Batch) and converted.points.dtype == torch.float32
