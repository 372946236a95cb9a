"""A training run on one page: every number that shapes it, read from a TOML file, nothing else.

Unknown keys are errors: a misspelled option that is silently ignored costs a day of computing.
"""

import dataclasses
import math
import tomllib
import types
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from rdrface.datasets.annotation_offset import check_offset
from rdrface.errors import ConfigError

T = TypeVar("T")

STAGES = ("initialization", "refinement", "joint")
"""What a stage trains; see `rdrface.training.stages`."""

FEATURES = ("previous", "projection")
"""Where C-LSTM's features are read, see `rdrface.network.rdr.FEATURES`; written here too, to do without PyTorch."""

CONTOURS = ("line", "extreme")
"""How the contour of S_p is found, see `rdrface.network.rdr.CONTOURS`."""


@dataclass(frozen=True)
class StageConfig:
    """One stage of training.

    Attributes:
        train: one of `STAGES`.
        steps: optimizer steps.
        size: N, side of the crops in pixels, a multiple of 32.
        batch: faces per step, over all devices together.
        learning_rate: peak of the cosine.
        warmup: share of the steps in which the rate rises from nothing to the peak.
        final: what is left of the rate at the end, as a share of the peak.
        weight_decay: AdamW's, on matrices and kernels only.
        augment: change the crops at random (see `rdrface.training.augmentation.augment`); without it the stage sees the crops of use.
        appearance: share of the probability of every change of the pixels. Less than 1 in a last stage lets the network
            end on photos as they mostly are.
    """

    train: str
    steps: int
    size: int = 128
    batch: int = 64
    learning_rate: float = 1e-3
    warmup: float = 0.05
    final: float = 0.01
    weight_decay: float = 0.02
    augment: bool = True
    appearance: float = 1.0

    def __post_init__(self) -> None:
        if self.train not in STAGES:
            raise ConfigError(f"stage.train must be one of {', '.join(STAGES)}; got {self.train!r}")
        if self.size <= 0 or self.size % 32:
            raise ConfigError(f"stage.size must be a positive multiple of 32; got {self.size}")
        if not 0 <= self.appearance <= 1:
            raise ConfigError(f"stage.appearance must be in [0, 1]; got {self.appearance}")
        for name in ("steps", "batch"):
            if getattr(self, name) < 1:
                raise ConfigError(f"stage.{name} must be 1 or more; got {getattr(self, name)}")


@dataclass(frozen=True)
class TrainingConfig:
    """A whole run.

    Attributes:
        stage: the stages, in order.
        seed: every random choice is a function of it and of the step's number.
        iterations: K.
        profiled: so many near-frontal faces are turned to larger angles (`rdrface.training.face_profiling.face_profiling`) and learned from too.
        closed: so many faces with open eyes are learned from once more with one eye or both closed
            (`rdrface.training.expression_warping.expression_warp`).
        features: one of `FEATURES`.
        contour: one of `CONTOURS`.
        window: pixels of the windows kept in memory; augmentation cuts the crops from them.
        validation_share: part of the faces held out, chosen by the photo's name.
        validation_every: steps between validations (and sample pictures).
        checkpoint_every: seconds between checkpoints.
        log_every: steps between lines of the log.
        average: decay of the exponential average of the weights; the average is what is validated and exported.
        compile: let torch.compile fuse the convolutional part (needs a C++ compiler on CPUs).
        closed_eyes: how many times per epoch a face with a closed eye is drawn; 1.5 is every second epoch twice.
        open_mouth: the same for a face with an open mouth; a face with both gets the product.
        share: source, or its first parts as in "merl_rav/left" -> how many times per epoch its faces are drawn. The
            longest entry that fits a source counts; the others are drawn once. See `rdrface.training.oversampling`.
        offset: part of a set, e.g. "300w/helen" -> [dx, dy], how far its labels lie to the right and down in percent of
            the face's side, as ``tools/measure_label_offset.py`` measures it. They are moved back before anything else
            is done (`rdrface.datasets.annotation_offset`), except in records that `rdrface fit` wrote, which has its own option.
        label_weight: source -> weight of its labeled points and of its expression, see `rdrface.datasets.sources`; 1 where
            nothing is given.
        loss: overrides for `rdrface.training.losses.objective.LossWeights`.
    """

    stage: tuple[StageConfig, ...]
    seed: int = 0
    iterations: int = 3
    profiled: int = 0
    closed: int = 0
    features: str = "previous"
    contour: str = "line"
    window: int = 256
    validation_share: float = 0.04
    validation_every: int = 500
    checkpoint_every: float = 180.0
    log_every: int = 20
    average: float = 0.999
    compile: bool = False
    closed_eyes: float = 1.0
    open_mouth: float = 1.0
    share: dict[str, float] = field(default_factory=dict)
    offset: dict[str, list[float]] = field(default_factory=dict)
    label_weight: dict[str, float] = field(default_factory=dict)
    loss: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.stage:
            raise ConfigError("the configuration has no [[stage]]; at least one is needed")
        for name, known in (("features", FEATURES), ("contour", CONTOURS)):
            if getattr(self, name) not in known:
                raise ConfigError(f"{name} must be one of {', '.join(known)}; got {getattr(self, name)!r}")
        draws = {"closed_eyes": self.closed_eyes, "open_mouth": self.open_mouth}
        draws |= {f'share."{source}"': value for source, value in self.share.items()}
        for name, value in draws.items():
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
                raise ConfigError(f"{name} must be a number of draws per epoch, 0 or more; got {value!r}")
        if not 0 <= self.validation_share < 1:
            raise ConfigError(f"validation_share must be in [0, 1); got {self.validation_share}")
        check_offset(self.offset)
        for source, value in self.label_weight.items():
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
                raise ConfigError(f'label_weight."{source}" must be a number, 0 or more; got {value!r}')
        for name in ("profiled", "closed", "iterations"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} must be 0 or more; got {getattr(self, name)}")
        for name in ("window", "validation_every", "log_every"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be 1 or more; got {getattr(self, name)}")
        if not 0 <= self.average <= 1:
            raise ConfigError(f"average must be in [0, 1]; got {self.average}")


def shipped_configs() -> dict[str, Path]:
    """Name -> file of the configurations inside the package."""
    folder = Path(__file__).parent / "configs"
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def load_config(name: str | Path) -> TrainingConfig:
    """Read a configuration.

    Args:
        name: name of a shipped one (see `shipped_configs`) or path of a TOML file.

    Raises:
        ConfigError: no such file, not TOML, an unknown key, a wrong type or an impossible value.
    """
    path = shipped_configs().get(str(name), Path(name))
    if not path.is_file():
        known = ", ".join(shipped_configs())
        raise ConfigError(f"no configuration {str(name)!r}: give the path of a TOML file or one of: {known}")
    try:
        table = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error
    stages = table.pop("stage", [])
    if not isinstance(stages, list):
        raise ConfigError(f"{path}: stages are written as [[stage]] tables, with double brackets")
    built = tuple(_build(StageConfig, one, f"{path}, stage {i}") for i, one in enumerate(stages))
    return _build(TrainingConfig, {**table, "stage": built}, str(path))


def _build(kind: type[T], values: dict[str, Any], where: str) -> T:
    hints = typing.get_type_hints(kind)
    unknown = sorted(set(values) - set(hints))
    if unknown:
        raise ConfigError(f"{where}: unknown key {unknown[0]!r}; known are {', '.join(hints)}")
    missing = [f.name for f in dataclasses.fields(kind) if _required(f) and f.name not in values]  # type: ignore[arg-type]
    if missing:
        raise ConfigError(f"{where}: {missing[0]!r} is missing")
    checked = {name: _checked(value, hints[name], f"{where}: {name}") for name, value in values.items()}
    return kind(**checked)


def _required(f: "dataclasses.Field[Any]") -> bool:
    return f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING


def _checked(value: Any, hint: Any, where: str) -> Any:
    if isinstance(hint, types.GenericAlias):
        hint = typing.get_origin(hint)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise ConfigError(f"{where} must be {hint.__name__}; got {value!r}")
    return value
