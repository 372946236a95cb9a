"""The training loop: stages, steps, logs, validation and checkpoints, on one CPU, one GPU or many nodes.

All random numbers of a step are determined by (seed, stage, step), so an interrupted run resumes with bit-identical
results.
"""

import copy
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor
from tqdm import tqdm

from rdrface.datasets.crops import PackedCrops
from rdrface.errors import TrainingError
from rdrface.morphable.model import FaceModel
from rdrface.network.rdr import RDR
from rdrface.network.sizes import network_sizes
from rdrface.training import checkpoint, stages
from rdrface.training.augmentation.augment import augment
from rdrface.training.augmentation.config import stage_augmentation
from rdrface.training.augmentation.mirror import CoefficientMirror
from rdrface.training.batch import crop_parameters, label_weights, make_batch
from rdrface.training.config import TrainingConfig
from rdrface.training.device_crops import DeviceCrops
from rdrface.training.ema import EMA
from rdrface.training.face_order import batches
from rdrface.training.logs import LossLog, append_row, mean_over_processes, write_validation
from rdrface.training.losses.imitation import Imitation, load_imitated, save_imitated
from rdrface.training.losses.objective import Objective
from rdrface.training.losses.weights import LossWeights
from rdrface.training.oversampling import draws_per_epoch
from rdrface.training.schedule import build_optimizer, learning_rate
from rdrface.training.step_size import crop_size
from rdrface.training.teacher import teacher_labels
from rdrface.training.warm_start import start_network

MAX_GRADIENT_NORM = 5.0


@dataclass
class Run:
    """State of a run between two steps: networks, number of the current stage, and number of finished steps in it."""

    config: TrainingConfig
    folder: Path
    fabric: Fabric
    network: RDR
    ema: EMA
    stage: int = 0
    step: int = 0

    def restore(self, saved: dict[str, Any]) -> None:
        """Restore networks and position from a checkpoint."""
        self.network.load_state_dict(saved["network"])
        self.ema.module.load_state_dict(saved["average"])
        self.ema.n_averaged.fill_(saved["updates"])
        self.stage, self.step = saved["stage"], saved["step"]

    def save(self, optimizer_state: dict[str, Any]) -> None:
        """Write the checkpoint."""
        state = {
            "network": self.network.state_dict(),
            "average": self.ema.module.state_dict(),
            "updates": self.ema.updates,
            "optimizer": optimizer_state,
            "stage": self.stage,
            "step": self.step,
        }
        checkpoint.save(self.fabric, self.folder, state, self.config)

    def validate(self, val_faces: PackedCrops | None, iterations: int) -> None:
        """Add a row to ``validation.csv`` for each crop size of the stage, if there are validation faces."""
        if val_faces is not None:
            position, sizes = (self.stage, self.step), self.config.stage[self.stage].crop_sizes
            is_mixed = any(len(stage.crop_sizes) > 1 for stage in self.config.stage)
            write_validation(
                self.fabric, self.folder, position, self.ema.module, val_faces, sizes, iterations, is_mixed
            )

    def check_finite(self, diverged: Tensor) -> None:
        """Stop a run whose gradients were not finite.

        Args:
            diverged: () bool on the training device, True if a gradient was not finite.

        Raises:
            TrainingError: `diverged` is true.
        """
        if bool(diverged):
            raise TrainingError(
                f"a gradient was not finite before step {self.step} of stage {self.stage}: the training has "
                "diverged. Start a new run with a lower learning_rate, from the last checkpoint "
                "if you pass it to --from"
            )


def train(
    config: TrainingConfig,
    train_faces: PackedCrops,
    val_faces: PackedCrops | None,
    folder: Path,
    fabric: Fabric,
    max_seconds: float = math.inf,
    start: Path | None = None,
) -> RDR | None:
    """Train to the end of the last stage, starting from the checkpoint in `folder` if there is one.

    Args:
        config: configuration of the run.
        train_faces: fitted faces for training.
        val_faces: fitted faces for validation, or None.
        folder: folder for ``checkpoint.pt``, ``log.csv``, ``validation.csv`` and sample images.
        fabric: launched fabric with the device and precision of the training.
        max_seconds: time limit; the run stops after the step in which it is reached, and writes a checkpoint.
        start: initial weights of a new run: the folder or ``checkpoint.pt`` of another run, whose averaged weights are
            used, or an exported ``NAME.safetensors``. Ignored if `folder` has a checkpoint.

    Returns:
        The averaged network in evaluation mode; None if the time limit was reached before the end.

    Raises:
        ConfigError: the configuration does not fit the faces, `start` or the checkpoint.
        TrainingError: the training diverged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(config.seed)
    # The crops of a stage have few sizes, so searching for cuDNN's fastest algorithms once per size is efficient.
    torch.backends.cudnn.benchmark = True
    draws = draws_per_epoch(train_faces, config.closed_eye_draws, config.open_mouth_draws, config.source_draws)
    teacher = None
    if config.teacher:
        # The first process computes the labels, the others read its file.
        with fabric.rank_zero_first():
            teacher = teacher_labels(config.teacher, train_faces, folder)
    faces = DeviceCrops(train_faces, label_weights(train_faces, config.label_weight), fabric.device, teacher)

    network = RDR(config.iterations, config.features, config.contour, network_sizes(config.network))
    network.scale.measure(crop_parameters(train_faces))
    network = network.to(fabric.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    saved = checkpoint.load(folder, config)
    start_file = None if start is None or saved else checkpoint.start_file(start)
    if start_file is not None:
        start_network(network, start_file, config, train_faces)
        if any(stage.train != "features" for stage in config.stage):
            network.rescale(crop_parameters(train_faces).to(fabric.device))
    imitation = prepare_imitation(network, config, folder, fabric, is_resumed=saved is not None)
    run = Run(config, folder, fabric, network, EMA(network, config.ema_decay))
    if start_file is not None:
        run.validate(val_faces, config.iterations)
    if saved:
        run.restore(saved)
    if config.compile:
        # Once for each crop size: code for any size is slower.
        network.backbone.compile(dynamic=False)
        network.regression_features.compile(dynamic=False)

    optimizer_state = saved["optimizer"] if saved else None
    deadline = time.monotonic() + max_seconds
    while run.stage < len(config.stage):
        if not train_stage(run, faces, draws, val_faces, optimizer_state, deadline, imitation):
            return None
        run.stage, run.step, optimizer_state = run.stage + 1, 0, None
    return run.ema.module


def prepare_imitation(
    network: RDR, config: TrainingConfig, folder: Path, fabric: Fabric, is_resumed: bool
) -> Imitation | None:
    """The loss of `TrainingConfig.imitation`, or None without it.

    Args:
        network: network of the run as it starts; a resumed run reads its start from `folder`.
        config: configuration of the run.
        folder: folder of the run.
        fabric: fabric of the training.
        is_resumed: whether the run has a checkpoint.
    """
    if not config.imitation:
        return None
    imitated = copy.deepcopy(network)
    if is_resumed:
        imitated = load_imitated(imitated, folder)
    elif fabric.is_global_zero:
        save_imitated(imitated, folder)
    return Imitation(imitated, config.imitated_size)


def train_stage(
    run: Run,
    faces: DeviceCrops,
    draws: np.ndarray,
    val_faces: PackedCrops | None,
    optimizer_state: dict[str, Any] | None,
    deadline: float,
    imitation: Imitation | None = None,
) -> bool:
    """Train to the end of the run's current stage.

    Args:
        run: state of the run, changed in place.
        faces: N faces to train on.
        draws: (N,) draws per epoch of each face.
        val_faces: faces for validation, or None.
        optimizer_state: state of the optimizer from the checkpoint, or None.
        deadline: time at which to stop, in seconds of `time.monotonic`.
        imitation: see `prepare_imitation`.

    Returns:
        False if the deadline passed before the last step.
    """
    config, stage, fabric, network = run.config, run.config.stage[run.stage], run.fabric, run.network
    if run.step >= stage.steps:
        return True
    weights = LossWeights(**config.loss)
    iterations = stages.enter(network, stage.train)
    optimizer = build_optimizer(network, stage)
    if optimizer_state:
        optimizer.load_state_dict(optimizer_state)
    if not weights.response:
        # Data-parallel wrappers treat a trained layer without a gradient as an error.
        network.response.requires_grad_(False)
    objective = Objective(network, weights, config.distillation, imitation, config.imitation)
    objective, optimizer = fabric.setup(objective, optimizer)

    augmentation, mirror = stage_augmentation(stage), CoefficientMirror.of(FaceModel.load(), fabric.device)
    seed = config.seed * 1000 + run.stage
    order = batches(len(faces), stage.batch_size, seed, run.step, fabric.global_rank, fabric.world_size, draws)
    # Random numbers are drawn on the CPU, so that nothing has to be read back from the accelerator.
    generator = torch.Generator()
    diverged = torch.zeros((), dtype=torch.bool, device=fabric.device)
    bar = tqdm(total=stage.steps, initial=run.step, desc=f"{run.stage} {stage.train}", disable=None)
    log, last_saved = LossLog(), time.monotonic()

    def save() -> None:
        run.check_finite(diverged)
        run.save(optimizer.state_dict())

    while run.step < stage.steps:
        rate = learning_rate(stage, run.step)
        for group in optimizer.param_groups:
            group["lr"] = rate

        # The random streams of stages and ranks do not overlap up to 2^20 steps.
        generator.manual_seed((seed * 64 + fabric.global_rank) * 2**20 + run.step)
        size = crop_size(stage, seed, run.step)
        crops, labels = augment(faces.batch(next(order)), size, augmentation, generator, mirror)
        batch = make_batch(crops, labels, network.projection)

        loss, parts = objective(batch, iterations)
        optimizer.zero_grad()
        fabric.backward(loss)
        norm = fabric.clip_gradients(objective, optimizer, max_norm=MAX_GRADIENT_NORM, error_if_nonfinite=False)
        not_finite = ~torch.isfinite(torch.as_tensor(norm))
        diverged = diverged | not_finite
        # AdamW skips such a step (the protocol of torch.amp.GradScaler), so the weights stay finite until the check.
        optimizer.optimizer.found_inf = not_finite.float()
        optimizer.step()
        run.ema.update_parameters(network)
        run.step += 1
        bar.update()

        log.add({"loss": loss, **parts})
        if run.step % config.log_every == 0:
            run.check_finite(diverged)
            means, speed = log.take(stage.batch_size)
            means = mean_over_processes(fabric, means)
            row = {"stage": run.stage, "step": run.step, "rate": f"{rate:.2e}", "faces_per_second": f"{speed:.1f}"}
            append_row(fabric, run.folder / "log.csv", {**row, **means})
            bar.set_postfix(loss=means["loss"])
        if run.step % config.validation_every == 0 or run.step == stage.steps:
            run.validate(val_faces, iterations)
            log.restart_clock()
        if time.monotonic() - last_saved > config.checkpoint_every:
            save()
            last_saved = time.monotonic()
        if time.monotonic() > deadline:
            save()
            return False
    bar.close()
    save()
    return True
