"""The training loop: stages, steps, logs, validations, checkpoints. One script for one CPU, one GPU or many nodes.

Whatever is random in step s is a function of (seed, stage, s), so a run that was killed goes on bit for bit.
"""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from tqdm import tqdm

from rdrface.datasets.crops import POSE, PackedCrops
from rdrface.errors import TrainingError
from rdrface.geometry.camera import transform_pose
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import EXPRESSION, IDENTITY
from rdrface.network.rdr import RDR
from rdrface.training import checkpoint, stages
from rdrface.training.augmentation.augment import (
    AugmentConfig,
    CoefficientMirror,
    CropBatch,
    augment,
    no_augmentation,
    weakened,
)
from rdrface.training.batches import batches, label_weights, targets
from rdrface.training.config import StageConfig, TrainingConfig
from rdrface.training.device_crops import DeviceCrops
from rdrface.training.ema import WeightAverage
from rdrface.training.logs import append_row, write_validation
from rdrface.training.losses.objective import LossWeights, Targets, losses, total
from rdrface.training.oversampling import draws_per_epoch
from rdrface.training.warm_start import CROPS, start_from_released

RELEASED_BATCH = 64
"""Crops at a time when the statistics of released weights are measured."""

RESPONSE_PART = 4
"""Every fourth face is judged by conv6's loss."""


class Lesson:
    """Crops (B, 3, N, N) and their labels. A plain class, because Fabric rounds the tensors of collections and
    dataclasses to the precision of the convolutions, and coordinates must keep theirs."""

    def __init__(self, crops: Tensor, labels: Targets) -> None:
        self.crops = crops.contiguous(memory_format=torch.channels_last)
        self.labels = labels


class Objective(nn.Module):
    """Network and losses as one module, so that data-parallel wrappers see one forward call.

    Args:
        network: RDR.
        weights: of the losses.
    """

    def __init__(self, network: RDR, weights: LossWeights) -> None:
        super().__init__()
        self.network = network
        self.weights = weights

    def forward(self, lesson: Lesson, iterations: int) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss, and its parts by name."""
        prediction = self.network(lesson.crops, iterations)
        # The maps are by far the largest tensors of a step; a part of the faces, another in every step, says enough.
        some = max(1, len(lesson.crops) // RESPONSE_PART)
        logits = self.network.response(prediction.deconv5[:some])
        parts = losses(prediction, logits, lesson.labels, self.network.scale.std, self.weights)
        return total(parts, self.weights), parts


@dataclass
class Progress:
    """Where a run stands: stage, and steps done in it."""

    stage: int = 0
    step: int = 0


def learning_rate(stage: StageConfig, step: int) -> float:
    """Linear warm-up, then a cosine down to ``final`` of the peak."""
    warm = max(1.0, stage.warmup * stage.steps)
    if step < warm:
        return stage.learning_rate * (step + 1) / warm
    share = (step - warm) / max(1.0, stage.steps - warm)
    return stage.learning_rate * (stage.final + (1 - stage.final) * 0.5 * (1 + math.cos(math.pi * min(share, 1.0))))


def optimizer(network: RDR, stage: StageConfig) -> torch.optim.AdamW:
    """AdamW on what the stage trains; vectors (biases, normalization) are not decayed."""
    learning = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in learning if p.ndim > 1], "weight_decay": stage.weight_decay},
        {"params": [p for p in learning if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=stage.learning_rate, betas=(0.9, 0.98), fused=True)


def recipe(stage: StageConfig) -> AugmentConfig:
    """How a stage changes its crops."""
    return weakened(AugmentConfig(), stage.appearance) if stage.augment else no_augmentation()


def coefficient_mirror(device: torch.device) -> CoefficientMirror:
    """That of the packaged face model, on a device."""
    model = FaceModel.load()
    return CoefficientMirror(
        torch.from_numpy(model.identity_mirror).to(device),
        torch.from_numpy(model.expression_mirror).long().to(device),
    )


def crop_parameters(faces: PackedCrops) -> Tensor:
    """Q of packed faces in the frame of their un-augmented crops, (N, 103)."""
    q = torch.from_numpy(faces.Q)
    scale = torch.full((len(q),), faces.margin)
    pose = transform_pose(q[:, POSE], scale, torch.zeros(len(q)), torch.zeros(len(q), 2))
    return torch.cat([q[:, IDENTITY], pose, q[:, EXPRESSION]], dim=1)


def train(
    config: TrainingConfig,
    learn: PackedCrops,
    check: PackedCrops | None,
    folder: Path,
    fabric: Fabric,
    max_seconds: float = math.inf,
    start: Path | None = None,
) -> RDR | None:
    """Train to the end of the last stage, going on from ``folder``'s checkpoint if there is one.

    Args:
        config: the run.
        learn: fitted faces to learn from.
        check: fitted faces for validation, if any.
        folder: gets ``checkpoint.pt``, ``log.csv``, ``validation.csv`` and sample pictures.
        fabric: launched; says where and in which precision.
        start: what a new run starts from: the folder or ``checkpoint.pt`` of another run, whose averaged weights are
            taken, or an exported ``NAME.safetensors``. A run that has a checkpoint already goes on from that.
        max_seconds: stop after the step in which this much time is used up, with a checkpoint.

    Returns:
        The averaged network, in evaluation mode; None if the time was up before the end.
    """
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(config.seed)
    # Crops of one size, step after step: worth trying which of cuDNN's algorithms is fastest.
    torch.backends.cudnn.benchmark = True
    network = RDR(config.iterations, config.features, config.contour)
    network.scale.measure(crop_parameters(learn))
    network = network.to(fabric.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    saved = checkpoint.load(folder, config)
    if start is not None and not saved:
        _start(network, checkpoint.start_file(start), config, learn)
        network.rescale(crop_parameters(learn).to(fabric.device))
    average = WeightAverage(network, config.average)
    if start is not None and not saved and check is not None:
        write_validation(fabric, folder, (0, 0), average.network, check, config.stage[0].size, config.iterations)
    progress = Progress()
    if saved:
        network.load_state_dict(saved["network"])
        average.network.load_state_dict(saved["average"])
        average.updates = saved["updates"]
        progress = Progress(saved["stage"], saved["step"])
    if config.compile:
        network.backbone.compile()
        network.regression_features.compile()

    ends = time.monotonic() + max_seconds
    resident = DeviceCrops(learn, label_weights(learn, config.label_weight), fabric.device)
    while progress.stage < len(config.stage):
        optimizer_state = saved["optimizer"] if saved else None
        saved = None
        done = _run_stage(config, progress, network, average, optimizer_state, (resident, check), folder, fabric, ends)
        if not done:
            return None
        progress = Progress(progress.stage + 1, 0)
    return average.network


def _start(network: RDR, start: Path, config: TrainingConfig, learn: PackedCrops) -> None:
    if start.suffix != ".safetensors":
        checkpoint.start_from(network, start)
        return
    # Crops of the first stage, so that its batches have the statistics that evaluation uses.
    stage, device = config.stage[0], network.scale.mean.device
    generator = torch.Generator().manual_seed(config.seed)
    order = batches(len(learn), RELEASED_BATCH, config.seed)
    mirror = coefficient_mirror(device)

    def crops() -> Iterator[Tensor]:
        for _ in range(CROPS // RELEASED_BATCH):
            batch = CropBatch.of(learn, next(order), device)
            yield augment(batch, stage.size, recipe(stage), generator, mirror).crops

    start_from_released(network, start, crops())


def _check_finite(broken: Tensor, progress: Progress) -> None:
    if bool(broken):
        raise TrainingError(
            f"a gradient was not finite before step {progress.step} of stage {progress.stage}: the training has "
            "diverged. Start another run with a lower learning_rate; --from takes the last checkpoint, which is sound"
        )


def _run_stage(
    config: TrainingConfig,
    progress: Progress,
    network: RDR,
    average: WeightAverage,
    optimizer_state: dict | None,
    faces: tuple[DeviceCrops, PackedCrops | None],
    folder: Path,
    fabric: Fabric,
    ends: float,
) -> bool:
    stage = config.stage[progress.stage]
    iterations = stages.enter(network, stage.train)
    objective = Objective(network, LossWeights(**config.loss))
    steer = optimizer(network, stage)
    if optimizer_state:
        steer.load_state_dict(optimizer_state)
    model, steer = fabric.setup(objective, steer)
    learn, check = faces
    changes, mirror = recipe(stage), coefficient_mirror(fabric.device)
    seed = config.seed * 1000 + progress.stage
    draws = draws_per_epoch(learn.faces, config.closed_eyes, config.open_mouth, config.share)
    order = batches(len(learn), stage.batch, seed, progress.step, fabric.global_rank, fabric.world_size, draws)
    # Choices are made on the CPU, so that the accelerator is never waited for.
    generator = torch.Generator()
    broken = torch.zeros((), dtype=torch.bool, device=fabric.device)

    def keep() -> None:
        _check_finite(broken, progress)
        state = {
            "network": network.state_dict(),
            "average": average.network.state_dict(),
            "updates": average.updates,
            "optimizer": steer.state_dict(),
            "stage": progress.stage,
            "step": progress.step,
        }
        checkpoint.save(fabric, folder, state, config)

    bar = tqdm(total=stage.steps, initial=progress.step, desc=f"{progress.stage} {stage.train}", disable=None)
    last_kept, sums, since = time.monotonic(), {}, 0  # type: ignore[var-annotated]
    started = time.monotonic()
    while progress.step < stage.steps:
        rate = learning_rate(stage, progress.step)
        for group in steer.param_groups:
            group["lr"] = rate
        # 2^20 steps per stage and rank keep the streams apart.
        generator.manual_seed((seed * 64 + fabric.global_rank) * 2**20 + progress.step)
        windows, residual, worth = learn.batch(next(order))
        batch = augment(windows, stage.size, changes, generator, mirror)
        labels = targets(batch, residual, worth, network.projection)
        loss, parts = model(Lesson(batch.crops, labels), iterations)
        steer.zero_grad()
        fabric.backward(loss)
        norm = fabric.clip_gradients(model, steer, max_norm=5.0, error_if_nonfinite=False)
        lost = ~torch.isfinite(torch.as_tensor(norm))
        broken = broken | lost
        # AdamW skips such a step (the protocol of torch.amp.GradScaler): the weights stay sound until the check.
        steer.optimizer.found_inf = lost.float()
        steer.step()
        average.update(network)
        progress.step += 1
        bar.update()

        for name, value in {"loss": loss, **parts}.items():
            sums[name] = sums.get(name, 0.0) + value.detach()
        since += 1
        if progress.step % config.log_every == 0:
            _check_finite(broken, progress)
            means = {name: round(float(value) / since, 5) for name, value in sums.items()}
            speed = since * stage.batch / (time.monotonic() - started)
            row = {
                "stage": progress.stage,
                "step": progress.step,
                "rate": f"{rate:.2e}",
                "faces_per_second": f"{speed:.1f}",
            }
            append_row(fabric, folder / "log.csv", {**row, **means})
            bar.set_postfix(loss=means["loss"])
            sums, since, started = {}, 0, time.monotonic()
        if progress.step % config.validation_every == 0 or progress.step == stage.steps:
            if check is not None:
                place = (progress.stage, progress.step)
                write_validation(fabric, folder, place, average.network, check, stage.size, iterations)
            started = time.monotonic()
        if time.monotonic() - last_kept > config.checkpoint_every:
            keep()
            last_kept = time.monotonic()
        if time.monotonic() > ends:
            keep()
            return False
    bar.close()
    keep()
    return True
