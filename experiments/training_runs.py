"""Trains networks by the loop of the package and scores them on held-out faces."""

import math
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from lightning_fabric import Fabric

from rdrface.datasets.crops import PackedCrops
from rdrface.datasets.records import OCCLUDED, VISIBLE
from rdrface.evaluation.metrics.uncertainty import roc_curve
from rdrface.morphable.params import EXPRESSION
from rdrface.network.rdr import RDR
from rdrface.training import loop, warm_start
from rdrface.training.augmentation.augment import augment
from rdrface.training.augmentation.config import AugmentConfig, no_augmentation, stage_augmentation
from rdrface.training.augmentation.crop_batch import CropBatch
from rdrface.training.config import StageConfig, TrainingConfig
from rdrface.training.loop import train
from rdrface.training.validation import blink_scores
from scores import BATCH, RUN_TO, Truth, face_errors, summary


def train_and_score(
    config: TrainingConfig,
    faces: PackedCrops,
    held_out: PackedCrops,
    folder: Path,
    fabric: Fabric,
    start: Path | None = None,
    max_seconds: float = math.inf,
) -> dict[str, float] | None:
    """Train a network, or continue a training that was stopped, and score it. Its folder is removed at the end.

    Args:
        config: configuration; the crop size of its last stage is that of the scores.
        faces: training faces.
        held_out: faces to score on.
        folder: folder of the run.
        fabric: launched.
        start: initial weights, see `rdrface.training.loop.train`.
        max_seconds: time limit.

    Returns:
        The scores; None if the time limit was reached.
    """
    network = train(config, faces, None, folder, fabric, max_seconds, start)
    if network is None:
        return None
    scores = evaluate(network, held_out, config.stage[-1].crop_sizes[0])
    shutil.rmtree(folder)
    return scores


@contextmanager
def arbitrary_rotation(probability: float | None) -> Iterator[None]:
    """Train with this probability of a rotation by any angle; None for the default.

    Configurations have no such option, so the function that the loop calls is replaced.
    """
    if probability is None:
        yield
        return

    def changed(stage: StageConfig) -> AugmentConfig:
        return replace(stage_augmentation(stage), arbitrary_rotation=probability)

    with patch.object(loop, "stage_augmentation", changed), patch.object(warm_start, "stage_augmentation", changed):
        yield


@torch.no_grad()
def evaluate(network: RDR, faces: PackedCrops, size: int) -> dict[str, float]:
    """Scores on held-out faces.

    Args:
        network: in evaluation mode, on any device.
        faces: fitted and packed.
        size: N, side of the crops in pixels.

    Returns:
        Scores of `scores.summary`; `any_angle`, NME of S_K on the same faces rotated by random angles, in crops that
        are not rotated with them; `occlusion_area`, area under the ROC curve of the visibility, visible against
        externally occluded points, percent; and those of `rdrface.training.validation.blink_scores`.
    """
    device, iterations = network.scale.mean.device, network.iterations
    generator = torch.Generator().manual_seed(0)
    any_angle = replace(no_augmentation(), arbitrary_rotation=1.0)
    errors, rotated, yaw, logits, expression = [], [], [], [], []
    for start in range(0, len(faces), BATCH):
        batch = CropBatch.of(faces, np.arange(start, min(start + BATCH, len(faces))), device)
        crops, labels = augment(batch, size, no_augmentation(), generator)
        truth = Truth.of(labels, network.projection)
        turned_crops, turned_labels = augment(batch, size, any_angle, generator)
        turned = Truth.of(turned_labels, network.projection)
        with torch.autocast(device.type, torch.bfloat16):
            steps = network(crops.contiguous(memory_format=torch.channels_last), RUN_TO).steps
            prediction = network(crops.contiguous(memory_format=torch.channels_last))
            turned_steps = network(turned_crops.contiguous(memory_format=torch.channels_last), RUN_TO).steps
        errors.append(face_errors(steps, truth, iterations).cpu())
        rotated.append(face_errors(turned_steps, turned, iterations)[:, iterations].cpu())
        yaw.append(truth.yaw.cpu())
        logits.append(prediction.visibility_logits.float().cpu())
        expression.append(prediction.steps[-1].q[:, EXPRESSION].float().cpu())
    compared = np.isin(faces.state, (VISIBLE, OCCLUDED))
    area = roc_curve(torch.cat(logits).numpy()[compared], faces.state[compared] == VISIBLE).area
    blink = blink_scores(torch.cat(expression).numpy(), faces, torch.cat(yaw).numpy())
    extra = {"any_angle": float(torch.cat(rotated).mean()), "occlusion_area": 100 * area, **blink}
    scores = summary(errors, yaw, iterations)
    return scores | {name: round(value, 3) for name, value in extra.items()}
