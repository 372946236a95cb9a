"""Features for larger crops from features for smaller ones (Romero et al., "FitNets", ICLR 2015).

On crops of another size, the trained convolutions see another part of the face, and their features are useless at
first. The network that the run started from gives them targets: its features on the same crops, reduced to its size.
The layers after the features then work from the first steps on. Targets for every cell of every map say far more than
the labels of 68 points, so the training is many times shorter.
"""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from rdrface.errors import ConfigError
from rdrface.files import write_aside
from rdrface.network.rdr import RDR, Features

NAME = "imitated.safetensors"
"""File in the folder of a run: the network that is imitated."""


class Imitation:
    """The loss towards the features of a trained network.

    Args:
        network: the trained network, on the device of the training; it is frozen.
        size: N, side of its crops in pixels; at most that of the training's crops.
    """

    def __init__(self, network: RDR, size: int) -> None:
        self.network = network.eval().requires_grad_(False)
        self.size = size

    def __call__(self, features: Features, crops: Tensor) -> Tensor:
        """Sum () over the three maps of the squared distance relative to the squared length of the target.

        Args:
            features: the trained features of `crops`. They are averaged to the resolution of the targets, so details
                between the cells of the targets are free.
            crops: (B, 3, N, N) RGB 0..255.
        """
        with torch.no_grad():
            small = adaptive_avg_pool2d(crops, self.size).contiguous(memory_format=torch.channels_last)
            targets = self.network.extract(small)
        gaps = [_gap(map_, target) for map_, target in zip(features, targets, strict=True)]
        return torch.stack(gaps).sum()


def _gap(features: Tensor, target: Tensor) -> Tensor:
    averaged = adaptive_avg_pool2d(features, target.shape[-1]).float()
    target = target.float()
    return (averaged - target).square().mean() / target.square().mean()


def save_imitated(network: RDR, folder: Path) -> None:
    """Store the network to imitate in the folder of a run: a resumed run reads it there."""
    state = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    with write_aside(folder / NAME) as partial:
        save_file(state, partial)


def load_imitated(network: RDR, folder: Path) -> RDR:
    """Load what `save_imitated` stored into `network`, of the same sizes; returns it.

    Raises:
        ConfigError: the file is missing or damaged.
    """
    try:
        network.load_state_dict(load_file(folder / NAME))
    # A missing file, one of another kind, and one of another network.
    except (OSError, SafetensorError, RuntimeError) as error:
        raise ConfigError(
            f"{folder / NAME} has the network that this run imitates, and cannot be read; restore the file, or start a "
            "new run with -o"
        ) from error
    return network
