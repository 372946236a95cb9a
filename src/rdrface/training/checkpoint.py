"""Checkpoints that hold everything for an exact resume, and are never half written."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric

from rdrface.errors import ConfigError
from rdrface.landmarks import CONTOUR
from rdrface.morphable.model import FACE_MODEL_TOLERANCE
from rdrface.network.rdr import RDR
from rdrface.training.config import TrainingConfig
from rdrface.training.renamed import renamed_config, renamed_tensors

NAME = "checkpoint.pt"


def save(fabric: Fabric, folder: Path, state: dict[str, Any], config: TrainingConfig) -> None:
    """Write ``folder/checkpoint.pt``: first beside it, then moved over the old one, so a kill loses nothing."""
    path = folder / NAME
    fresh = path.with_suffix(".new")
    fabric.save(fresh, {**state, "config": asdict(config)})
    if fabric.is_global_zero:
        fresh.replace(path)
    fabric.barrier()


def load(folder: Path, config: TrainingConfig) -> dict[str, Any] | None:
    """Read the checkpoint of a run, or None where the run has none yet.

    Raises:
        ConfigError: the checkpoint is of another configuration, or damaged.
    """
    path = folder / NAME
    if not path.is_file():
        return None
    state = _read(path)
    ours, theirs = asdict(config), state.pop("config")
    changed = sorted(key for key in ours if ours[key] != theirs.get(key))
    if changed:
        raise ConfigError(
            f"{folder} holds a run of another configuration (it differs in {', '.join(changed)}); "
            "resume with the same configuration, or give another folder"
        )
    return state


def start_file(path: Path) -> Path:
    """The file with the weights that a run begins with: a run's checkpoint, or an exported ``NAME.safetensors``.

    Args:
        path: as given to ``--from``: a run's folder, its ``checkpoint.pt``, or ``NAME.safetensors``.

    Raises:
        ConfigError: no such file.
    """
    file = path / NAME if path.is_dir() else path
    if not file.is_file() or file.suffix not in (".pt", ".safetensors"):
        problem = "neither a checkpoint nor a weights file" if file.is_file() else f"no file {file}"
        raise ConfigError(
            f"--from {path}: {problem}; --from wants the folder of a run that was trained before, with its {NAME}, "
            "or a weights file NAME.safetensors"
        )
    return file


def start_from(network: RDR, path: Path) -> None:
    """Give a network the averaged weights of another run, parameter scale included; the face model stays its own.

    Parts that the other run's network did not have, or had in another size, keep their fresh start; they are named on
    stderr.

    Args:
        network: changed in place.
        path: the other run's ``checkpoint.pt``.

    Raises:
        ConfigError: the checkpoint is damaged.
    """
    mine = {name: value for name, value in network.state_dict().items() if not name.startswith("projection.")}
    theirs = _read(path)["average"]
    common = [name for name, value in mine.items() if name in theirs and theirs[name].shape == value.shape]
    learned = {name: theirs[name] for name in common}
    if fresh := sorted({name.split(".")[0] for name in mine.keys() - learned.keys()}):
        print(f"not in {path} - these parts start fresh: {', '.join(fresh)}", file=sys.stderr)
    network.load_state_dict(learned, strict=False)


def read_network(path: Path) -> tuple[RDR, int]:
    """The averaged network of a checkpoint and the side of the crops of its last stage, pixels.

    The face model is the package's; the contour's place on it may have moved since the training, nothing else.

    Args:
        path: a run's folder, or its ``checkpoint.pt``.

    Raises:
        ConfigError: no such file, not a checkpoint of `rdrface train`, or one trained with another face model.
    """
    path = path / NAME if path.is_dir() else path
    if not path.is_file():
        raise ConfigError(f"no checkpoint at {path}; `rdrface train -o RUN` writes RUN/{NAME}")
    state = _read(path)
    try:
        config, average = state["config"], state["average"]
        # Runs from before these options have none of them in their checkpoint.
        network = RDR(config["iterations"], config.get("features", "previous"), config.get("contour", "line"))
        ours, theirs = network.projection.mean, average["projection.mean"]
        if ours.shape != theirs.shape or (ours - theirs)[len(CONTOUR) :].abs().max() > FACE_MODEL_TOLERANCE:
            raise ConfigError(f"{path} was trained with another face model than the one in this rdrface; train again")
        own = {name: value for name, value in network.state_dict().items() if name.startswith("projection.")}
        network.load_state_dict({**average, **own})
        return network, int(config["stage"][-1]["size"])
    except (KeyError, IndexError, TypeError, RuntimeError) as error:
        raise ConfigError(f"{path} is not a checkpoint of `rdrface train`, or is damaged: {error}") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        for name in {"network", "average"} & state.keys():
            state[name] = renamed_tensors(state[name])
        state["config"] = renamed_config(state["config"])
        if "optimiser" in state:
            state["optimizer"] = state.pop("optimiser")
    except Exception as error:  # torch raises many kinds for a damaged file
        raise ConfigError(
            f"{path} is not a checkpoint of `rdrface train`, or is damaged ({error}); move it away to start again"
        ) from error
    return state
