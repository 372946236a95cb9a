"""All settings of a training run, with their meaning and defaults.

`rdrface.training.config_file` reads them from TOML files.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rdrface.datasets.annotation_offset import check_offset
from rdrface.errors import ConfigError
from rdrface.network.sizes import NETWORKS
from rdrface.training.losses.weights import check_losses

STAGES = ("initialization", "refinement", "joint", "features")
"""Values of `StageConfig.train`, the trained parts of the network; see `rdrface.training.stages`."""

FEATURES = ("previous", "projection")
"""Where C-LSTM's features are sampled, see `rdrface.network.rdr.FEATURES`; repeated here because this module
does not need PyTorch."""

CONTOURS = ("line", "extreme")
"""Methods for the contour of S_p, see `rdrface.network.rdr.CONTOURS`."""


@dataclass(frozen=True)
class StageConfig:
    """One stage of training.

    Attributes:
        train: one of `STAGES`.
        steps: number of optimizer steps.
        crop_sizes: N, sides of the crops in pixels, multiples of 32. With several, each step draws one of them, so that
            the weights serve all of them.
        crop_size_draws: relative frequency of each of `crop_sizes`; empty for equal frequencies.
        batch_size: number of faces per step, over all devices.
        learning_rate: maximum learning rate.
        warmup_fraction: fraction of the steps in which the learning rate rises from 0 to its maximum.
        final_fraction: learning rate at the end of the cosine, as a fraction of the maximum.
        weight_decay: weight decay of AdamW, for matrices and kernels only.
        augment: augment the crops (`rdrface.training.augmentation`); otherwise they are the same as at inference.
        appearance_strength: factor on the probability of every change of the pixels, 0..1. With a value below 1 in the
            last stage, most training images are as clean as typical photos.
        geometry_strength: factor on the errors of the simulated boxes of a detector and on the rotation, 0..1. With 1,
            they are larger than at inference, and the last refinement step overshoots on typical faces.
        no_face: share of crops without a face (`rdrface.training.augmentation.no_face`), 0..1. From them, the network
            learns that its expected error is large where a detector reports a face by mistake.
    """

    train: str
    steps: int
    crop_sizes: list[int] = field(default_factory=lambda: [128])
    crop_size_draws: list[float] = field(default_factory=list)
    batch_size: int = 64
    learning_rate: float = 1e-3
    warmup_fraction: float = 0.05
    final_fraction: float = 0.01
    weight_decay: float = 0.02
    augment: bool = True
    appearance_strength: float = 1.0
    geometry_strength: float = 1.0
    no_face: float = 0.0

    def __post_init__(self) -> None:
        if self.train not in STAGES:
            raise ConfigError(f"stage.train must be one of {', '.join(STAGES)}; got {self.train!r}")
        if not self.crop_sizes:
            raise ConfigError("stage.crop_sizes must have at least one size; got an empty list")
        check_crop_sizes("stage.crop_sizes", self.crop_sizes)
        draws = {f"stage.crop_size_draws[{i}]": draw for i, draw in enumerate(self.crop_size_draws)}
        _check_numbers(draws, "a number")
        if self.crop_size_draws and (
            len(self.crop_size_draws) != len(self.crop_sizes) or not any(self.crop_size_draws)
        ):
            raise ConfigError(
                f"stage.crop_size_draws must have one number for each of {self.crop_sizes}, not all 0; "
                f"got {self.crop_size_draws}"
            )
        if not 0 < self.learning_rate < math.inf:
            raise ConfigError(f"stage.learning_rate must be a number above 0; got {self.learning_rate}")
        _check_numbers({"stage.weight_decay": self.weight_decay}, "a number")
        for name in ("warmup_fraction", "final_fraction", "appearance_strength", "geometry_strength", "no_face"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"stage.{name} must be in [0, 1]; got {getattr(self, name)}")
        for name in ("steps", "batch_size"):
            if getattr(self, name) < 1:
                raise ConfigError(f"stage.{name} must be 1 or more; got {getattr(self, name)}")


@dataclass(frozen=True)
class TrainingConfig:
    """Settings of a training run.

    Attributes:
        stage: the stages, in order.
        seed: seed of the random numbers, which depend only on it and on the step.
        network: one of `rdrface.network.sizes.NETWORKS`: "full" for the sizes of the paper, "lite" for the light
            network.
        iterations: K, the number of refinement steps.
        features: one of `FEATURES`.
        contour: one of `CONTOURS`.
        packed_size: side of the packed crops in pixels; augmentation samples the training crops from them.
        validation_fraction: fraction of the faces held out for validation, chosen by the names of their images.
        face_profiling: number of near-frontal faces that are also rotated to larger yaw angles
            (`rdrface.training.face_profiling`).
        closed_eye_copies: number of faces with open eyes for which a copy with one or both eyes closed is added
            (`rdrface.training.expression_warping`).
        annotation_offset: part of a dataset, e.g. "300w/helen" -> [dx, dy], offset of its annotations to the right and
            down, in percent of the face size, as measured by ``tools/measure_label_offset.py``. It is subtracted before
            the fit (`rdrface.datasets.annotation_offset`), but not from records of `rdrface fit`, which has an option
            for it.
        source_draws: source, or its first components, e.g. "merl_rav/left" -> draws per epoch of each of its faces. The
            longest matching entry is used; faces of other sources are drawn once.
        closed_eye_draws: draws per epoch of a face with a closed eye; with 1.5, it is drawn twice in every other epoch,
            on average.
        open_mouth_draws: draws per epoch of a face with an open mouth. All factors that apply to a face are multiplied
            (`rdrface.training.oversampling`).
        label_weight: source -> weight of its labeled points and of its expression, see `rdrface.datasets.sources`;
            other sources have weight 1.
        loss: loss weights that differ from the defaults in `rdrface.training.losses.weights.LossWeights`.
        teacher: weights file of a trained network, the teacher, whose outputs are additional labels
            (`rdrface.training.teacher`); "packaged" for the packaged weights, empty for none.
        distillation: weight of the teacher in the losses that both labels and teacher have, 0..1; that of the labels is
            1 minus it. Without a teacher it has no effect.
        imitation: weight of the loss towards the features of the network that the run starts from
            (`rdrface.training.losses.imitation`); 0 for none.
        imitated_size: side in pixels of the crops on which that network is run.
        ema_decay: decay of the exponential moving average of the weights, which is validated and exported.
        validation_every: number of steps between validations and sample images.
        log_every: number of steps between rows of ``log.csv``.
        checkpoint_every: time between checkpoints in seconds.
        export_sizes: sides of the crops in pixels for which graphs are exported. The first is the default size of the
            weights file, for which the network is calibrated. Empty for the first of the last stage's `crop_sizes`.
        compile: compile the convolutional part with torch.compile; on CPUs this needs a C++ compiler.
    """

    stage: tuple[StageConfig, ...]
    seed: int = 0
    network: str = "full"
    iterations: int = 3
    features: str = "previous"
    contour: str = "line"
    packed_size: int = 256
    validation_fraction: float = 0.04
    face_profiling: int = 0
    closed_eye_copies: int = 0
    annotation_offset: dict[str, list[float]] = field(default_factory=dict)
    source_draws: dict[str, float] = field(default_factory=dict)
    closed_eye_draws: float = 1.0
    open_mouth_draws: float = 1.0
    label_weight: dict[str, float] = field(default_factory=dict)
    loss: dict[str, float] = field(default_factory=dict)
    teacher: str = ""
    distillation: float = 0.5
    imitation: float = 0.0
    imitated_size: int = 128
    ema_decay: float = 0.999
    validation_every: int = 500
    log_every: int = 20
    checkpoint_every: float = 180.0
    export_sizes: list[int] = field(default_factory=list)
    compile: bool = False

    def __post_init__(self) -> None:
        if not self.stage:
            raise ConfigError("the configuration has no [[stage]]; add at least one")
        for name, known in (("network", NETWORKS), ("features", FEATURES), ("contour", CONTOURS)):
            if getattr(self, name) not in known:
                raise ConfigError(f"{name} must be one of {', '.join(known)}; got {getattr(self, name)!r}")
        for name in ("face_profiling", "closed_eye_copies", "iterations"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} must be 0 or more; got {getattr(self, name)}")
        for name in ("packed_size", "validation_every", "log_every"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be 1 or more; got {getattr(self, name)}")
        # The seeds of the steps, see `rdrface.training.loop`, are below 2^64.
        if not 0 <= self.seed < 2**28:
            raise ConfigError(f"seed must be a whole number from 0 to 2^28 - 1; got {self.seed}")
        _check_numbers({"checkpoint_every": self.checkpoint_every}, "a number of seconds")
        if not 0 <= self.validation_fraction < 1:
            raise ConfigError(f"validation_fraction must be in [0, 1); got {self.validation_fraction}")
        if not 0 <= self.distillation <= 1:
            raise ConfigError(f"distillation must be in [0, 1]; got {self.distillation}")
        if not 0 <= self.ema_decay <= 1:
            raise ConfigError(f"ema_decay must be in [0, 1]; got {self.ema_decay}")
        draws = {"closed_eye_draws": self.closed_eye_draws, "open_mouth_draws": self.open_mouth_draws}
        _check_numbers(draws | _entries("source_draws", self.source_draws), "a number of draws per epoch")
        _check_numbers(_entries("label_weight", self.label_weight), "a number")
        _check_numbers({"imitation": self.imitation}, "a weight")
        check_crop_sizes("imitated_size", [self.imitated_size])
        smallest = min(min(stage.crop_sizes) for stage in self.stage)
        if self.imitation and self.imitated_size > smallest:
            raise ConfigError(
                f"imitated_size must be at most the size of the crops, {smallest} pixels; got {self.imitated_size}"
            )
        check_crop_sizes("export_sizes", self.export_sizes)
        check_offset(self.annotation_offset)
        check_losses(self.loss)


def sizes_to_export(export_sizes: Sequence[int], crop_sizes: Sequence[int]) -> tuple[int, ...]:
    """Sides of the crops in pixels for which a run exports graphs, the default one first.

    Args:
        export_sizes: `TrainingConfig.export_sizes`.
        crop_sizes: `StageConfig.crop_sizes` of the last stage.
    """
    return tuple(export_sizes or crop_sizes[:1])


def check_crop_sizes(name: str, sizes: Sequence[object]) -> None:
    """Check that an option is a list of different positive multiples of 32.

    Raises:
        ConfigError: it is not.
    """
    for size in sizes:
        if isinstance(size, bool) or not isinstance(size, int) or size <= 0 or size % 32:
            raise ConfigError(f"{name} must be positive multiples of 32; got {size!r}")
    if len(set(sizes)) < len(sizes):
        raise ConfigError(f"{name} must be different sizes; got {list(sizes)}")


def _entries(option: str, table: Mapping[str, object]) -> dict[str, object]:
    return {f'{option}."{source}"': value for source, value in table.items()}


def _check_numbers(values: Mapping[str, object], kind: str) -> None:
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
            raise ConfigError(f"{name} must be {kind}, 0 or more; got {value!r}")
