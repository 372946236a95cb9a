"""Checkpoints: everything needed to resume a run exactly. A checkpoint is written completely or not at all."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor

from rdrface.errors import ConfigError
from rdrface.landmarks import CONTOUR
from rdrface.morphable.model import FACE_MODEL_TOLERANCE
from rdrface.network.rdr import RDR
from rdrface.network.sizes import network_sizes
from rdrface.runtime.hub_folder import find_weights, is_hub_folder
from rdrface.training.config import TrainingConfig, sizes_to_export
from rdrface.training.renamed import renamed_checkpoint

NAME = "checkpoint.pt"

_EXPORTED = "exported.txt"
"""File of a run whose weights were exported after its last step."""


def save(fabric: Fabric, folder: Path, state: dict[str, Any], config: TrainingConfig) -> None:
    """Write ``folder/checkpoint.pt``; an existing file is replaced only when the new one is complete."""
    path = folder / NAME
    partial = path.with_suffix(".new")
    fabric.save(partial, {**state, "config": asdict(config)})
    if fabric.is_global_zero:
        (folder / _EXPORTED).unlink(missing_ok=True)
        partial.replace(path)
    fabric.barrier()


def mark_exported(folder: Path) -> None:
    """Note that the weights of a run, all files of them, were exported. `save` removes the note."""
    (folder / _EXPORTED).write_text("The weights of this run were exported after its last step.\n", encoding="utf-8")


def is_exported(folder: Path) -> bool:
    """Whether the weights of a run were exported after its last step, see `mark_exported`."""
    return (folder / _EXPORTED).is_file()


def load(folder: Path, config: TrainingConfig) -> dict[str, Any] | None:
    """Read the checkpoint of a run; None if the run has none yet.

    Raises:
        ConfigError: the checkpoint is damaged, or was written with another configuration.
    """
    path = folder / NAME
    if not path.is_file():
        return None
    try:
        state = _read(path)
    except ConfigError as error:
        raise ConfigError(f"{error}; move it away to start a new run") from error
    current, saved = asdict(config), state.pop("config")
    changed = sorted(key for key in current if current[key] != saved.get(key))
    if changed:
        raise ConfigError(
            f"{folder} contains a run with another configuration (it differs in {', '.join(changed)}); resume it with "
            "the same configuration, or choose another folder"
        )
    return state


def start_file(path: Path) -> Path:
    """Find the file with the weights that a run starts from: a checkpoint, or an exported ``NAME.safetensors``.

    Args:
        path: value of ``--from``: a run's folder, its ``checkpoint.pt``, ``NAME.safetensors``, or a folder in the
            layout of the Hugging Face Hub.

    Raises:
        ConfigError: there is no such file.
        WeightsError: the folder of the Hub cannot be used.
    """
    if is_hub_folder(path):
        return find_weights(path)
    file = path / NAME if path.is_dir() else path
    if not file.is_file() or file.suffix not in (".pt", ".safetensors"):
        problem = "neither a checkpoint nor a weights file" if file.is_file() else f"no file {file}"
        raise ConfigError(
            f"--from {path}: {problem}; give the folder of an earlier run, with its {NAME}, "
            "or a weights file NAME.safetensors"
        )
    return file


def check_network(path: Path, trained: str, needed: str) -> None:
    """Check that weights have the layer sizes of the run that starts from them.

    Args:
        path: file of the weights.
        trained: name of the sizes of the weights, see `rdrface.network.sizes`.
        needed: name of the sizes of the run.

    Raises:
        ConfigError: the sizes differ.
    """
    if trained != needed:
        raise ConfigError(
            f'{path} contains the network "{trained}", the configuration has network = "{needed}"; their layers have '
            f'different sizes. Change the configuration to "{trained}", or start from other weights'
        )


@dataclass(frozen=True)
class Trained:
    """What a run can start from.

    Attributes:
        average: averaged parameters and buffers by their names in RDR, not folded and not rounded.
        features, contour: options of the network, see `rdrface.training.config.TrainingConfig`.
        iterations: K.
        size: default side of its crops in pixels, the first of `read_export_sizes`.
    """

    average: dict[str, Tensor]
    features: str
    contour: str
    iterations: int
    size: int


def read_trained(path: Path, network: str) -> Trained:
    """Read what a run can start from out of a ``checkpoint.pt``.

    Args:
        path: the checkpoint.
        network: name of the sizes that it must have, see `rdrface.network.sizes`.

    Raises:
        ConfigError: the file is damaged, is not a checkpoint of `rdrface train`, or has other layer sizes.
    """
    with _content(path) as state:
        config, average = state["config"], state.get("average", {})
        if not average:
            raise ConfigError(f"{path} is not a checkpoint of `rdrface train`: it has no averaged weights")
        check_network(path, config["network"], network)
        size = _export_sizes(config)[0]
        return Trained(average, config["features"], config["contour"], config["iterations"], size)


def read_config(path: Path) -> dict[str, Any]:
    """Read the configuration of a ``checkpoint.pt``, see `rdrface.training.config.TrainingConfig`.

    Raises:
        ConfigError: the file is damaged, or is not a checkpoint of `rdrface train`.
    """
    with _content(path) as state:
        config: dict[str, Any] = state["config"]
        return config


def load_average(network: RDR, average: dict[str, Tensor], path: Path) -> None:
    """Load the averaged weights of another run, see `Trained`, including the parameter scale, but not the face model.

    Parts that the checkpoint does not contain, or contains with another size, keep their initialization; they are
    listed on stderr.

    Args:
        network: the network, changed in place.
        average: the weights.
        path: ``checkpoint.pt`` of the other run, for the message.
    """
    state = {name: value for name, value in network.state_dict().items() if not name.startswith("projection.")}
    common = [name for name, value in state.items() if name in average and average[name].shape == value.shape]
    if missing := sorted({name.split(".")[0] for name in state.keys() - set(common)}):
        print(f"not in {path}, so initialized randomly: {', '.join(missing)}", file=sys.stderr)
    network.load_state_dict({name: average[name] for name in common}, strict=False)


def read_export_sizes(path: Path) -> tuple[int, ...]:
    """Sides of the crops in pixels for which a run exports graphs, see `rdrface.training.config.sizes_to_export`.

    Args:
        path: the folder of a run, or its ``checkpoint.pt``.

    Raises:
        ConfigError: see `read_network`.
    """
    with _content(path) as state:
        return _export_sizes(state["config"])


def read_progress(path: Path) -> tuple[int, int]:
    """Steps that a run has done, and steps of its configuration, over all stages.

    Args:
        path: the folder of a run, or its ``checkpoint.pt``.

    Raises:
        ConfigError: see `read_network`.
    """
    with _content(path) as state:
        steps = [stage["steps"] for stage in state["config"]["stage"]]
        return sum(steps[: state["stage"]]) + state["step"], sum(steps)


def read_network(path: Path) -> tuple[RDR, int]:
    """Read the averaged network of a checkpoint, and its default size, the first of `read_export_sizes`.

    The network gets the packaged face model, which may differ from that of the training only in its contour.

    Args:
        path: the folder of a run, or its ``checkpoint.pt``.

    Raises:
        ConfigError: there is no such file, it is not a checkpoint of `rdrface train`, or it was trained with another
            face model.
    """
    with _content(path) as state:
        config, average = state["config"], state["average"]
        network = RDR(config["iterations"], config["features"], config["contour"], network_sizes(config["network"]))
        mean, trained_mean = network.projection.mean, average["projection.mean"]
        if mean.shape != trained_mean.shape or (mean - trained_mean)[len(CONTOUR) :].abs().max() > FACE_MODEL_TOLERANCE:
            raise ConfigError(
                f"{path} was trained with another face model than that of this version of rdrface; train again"
            )
        projection = {name: value for name, value in network.state_dict().items() if name.startswith("projection.")}
        network.load_state_dict({**average, **projection})
        return network, _export_sizes(config)[0]


@contextmanager
def _content(path: Path) -> Iterator[dict[str, Any]]:
    """Read the checkpoint of a run for the block, whose errors mean that it is damaged. `path`: see `read_network`."""
    path = _checkpoint_file(path)
    state = _read(path)
    try:
        yield state
    except (KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
        raise ConfigError(f"{path} is not a checkpoint of `rdrface train`, or is damaged: {error}") from error


def _checkpoint_file(path: Path) -> Path:
    path = path / NAME if path.is_dir() else path
    if not path.is_file():
        problem = f"no checkpoint at {path}; `rdrface train -o RUN` writes RUN/{NAME}"
        # `rdrface finetune` writes such a folder, without a checkpoint.
        exported = sorted(path.parent.glob("weights/*.safetensors"))
        raise ConfigError(problem if not exported else f"{problem}. This folder has exported weights, {exported[0]}")
    return path


def _export_sizes(config: Mapping[str, Any]) -> tuple[int, ...]:
    return sizes_to_export(config["export_sizes"], config["stage"][-1]["crop_sizes"])


def _read(path: Path) -> dict[str, Any]:
    try:
        state = renamed_checkpoint(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # torch raises many kinds of errors for a damaged file
        raise ConfigError(f"{path} is not a checkpoint of `rdrface train`, or is damaged") from error
    return state
