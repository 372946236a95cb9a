"""Names in checkpoints, weights files and configurations of release 0.1 and of later versions -> current names."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar

from rdrface.training.config import StageConfig, TrainingConfig

T = TypeVar("T")

_MODULES = {
    "initialisation.": "initialization.",
    "jawline.": "jawline_readout.",
    "certainty.": "uncertainty.",
}
"""Prefixes of parameter names."""

_BUFFERS = {"scale.spread": "scale.std"}

_CHECKPOINT_KEYS = {"optimiser": "optimizer"}

RUN_KEYS = {
    "profiled": "face_profiling",
    "closed": "closed_eye_copies",
    "window": "packed_size",
    "validation_share": "validation_fraction",
    "average": "ema_decay",
    "closed_eyes": "closed_eye_draws",
    "open_mouth": "open_mouth_draws",
    "share": "source_draws",
    "offset": "annotation_offset",
}
"""Keys of `rdrface.training.config.TrainingConfig`."""

STAGE_KEYS = {
    "size": "crop_sizes",
    "crop_size": "crop_sizes",
    "batch": "batch_size",
    "warmup": "warmup_fraction",
    "final": "final_fraction",
    "appearance": "appearance_strength",
}
"""Keys of `rdrface.training.config.StageConfig`."""

STAGES = {"initialisation": "initialization"}
"""Values of a stage's `train`."""

LOSSES = {
    "jawline": "projection_jawline",
    "absolute": "landmarks_jawline",
    "visible": "visibility",
    "error": "uncertainty",
}
"""Entries of `[loss]`."""


def renamed_tensors(tensors: Mapping[str, T]) -> dict[str, T]:
    """Parameters and buffers of RDR with their current names."""
    return {_tensor_name(name): value for name, value in tensors.items()}


def renamed_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration in a checkpoint, `dataclasses.asdict` of a `TrainingConfig`, with the current names.

    Options that it does not contain are newer than the checkpoint. They get their defaults: a new option must have a
    default with which a training is as before.
    """
    result = _defaults(TrainingConfig) | _with_keys(config, RUN_KEYS)
    result["loss"] = _with_keys(config.get("loss", {}), LOSSES)
    result["stage"] = tuple(_renamed_stage(stage) for stage in config["stage"])
    return result


def _renamed_stage(stage: Mapping[str, Any]) -> dict[str, Any]:
    result = _defaults(StageConfig) | _with_keys(stage, STAGE_KEYS)
    result["train"] = STAGES.get(stage["train"], stage["train"])
    # A single size in older checkpoints.
    if isinstance(result["crop_sizes"], int):
        result["crop_sizes"] = [result["crop_sizes"]]
    return result


def renamed_checkpoint(state: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a checkpoint with the current names."""
    result = _with_keys(state, _CHECKPOINT_KEYS)
    for name in {"network", "average"} & result.keys():
        result[name] = renamed_tensors(result[name])
    result["config"] = renamed_config(result["config"])
    return result


def _defaults(kind: type[TrainingConfig | StageConfig]) -> dict[str, Any]:
    """Values of the optional fields of a configuration."""
    made = {f.name: f.default_factory() for f in fields(kind) if f.default_factory is not MISSING}
    return {f.name: f.default for f in fields(kind) if f.default is not MISSING} | made


def _with_keys(table: Mapping[str, T], renamed: Mapping[str, str]) -> dict[str, T]:
    return {renamed.get(name, name): value for name, value in table.items()}


def _tensor_name(name: str) -> str:
    for old, new in _MODULES.items():
        if name.startswith(old):
            return new + name.removeprefix(old)
    return _BUFFERS.get(name, name)
