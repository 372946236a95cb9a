"""Names of release 0.1 in checkpoints, weights files and configurations, and what they are called today."""

from collections.abc import Mapping
from typing import Any, TypeVar

T = TypeVar("T")

_MODULES = {
    "initialisation.": "initialization.",
    "jawline.": "jawline_readout.",
    "certainty.": "uncertainty.",
}
"""Prefixes of the names of parameters."""

_BUFFERS = {"scale.spread": "scale.std"}

_LOSSES = {
    "jawline": "projection_jawline",
    "absolute": "landmarks_jawline",
    "visible": "visibility",
    "error": "uncertainty",
}
"""Entries of `[loss]`."""

_STAGES = {"initialisation": "initialization"}
"""Values of a stage's `train`."""


def renamed_tensors(tensors: Mapping[str, T]) -> dict[str, T]:
    """Parameters and buffers of RDR under the names of today."""
    return {_tensor_name(name): value for name, value in tensors.items()}


def renamed_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of a checkpoint, as `dataclasses.asdict` of `TrainingConfig`, in the names of today."""
    result = dict(config)
    result["loss"] = {_LOSSES.get(name, name): value for name, value in config.get("loss", {}).items()}
    result["stage"] = tuple(
        {**stage, "train": _STAGES.get(stage["train"], stage["train"])} for stage in config["stage"]
    )
    return result


def _tensor_name(name: str) -> str:
    for old, new in _MODULES.items():
        if name.startswith(old):
            return new + name.removeprefix(old)
    return _BUFFERS.get(name, name)
