"""Loading the trained RDR that custom landmarks are read from: a run's checkpoint or an exported weights file."""

from pathlib import Path

from rdrface.network.rdr import RDR
from rdrface.training.checkpoint import read_network
from rdrface.training.config import check_crop_sizes
from rdrface.training.restore import restore


def load_network(path: Path, size: int | None = None) -> tuple[RDR, int, tuple[str, ...]]:
    """Load the network of a training run or of a weights file, with its parameters frozen.

    Args:
        path: the folder of a training run, a checkpoint, or a ``NAME.safetensors``.
        size: side of the crops in pixels: one of the sizes of a weights file, or a multiple of 32 for a checkpoint.
            None for the default size.

    Returns:
        RDR in evaluation mode, the side of its crops in pixels, and the names of its training datasets (empty for a
        checkpoint, which does not store them).

    Raises:
        ConfigError: there is no checkpoint at `path`, it is damaged, or `size` cannot be used.
        WeightsError: the weights file is damaged, or belongs to a different architecture or version.
    """
    if path.suffix == ".safetensors":
        network, info = restore(path, size)
        return network.requires_grad_(False), size or info.input_size, info.training_data
    if size is not None:
        check_crop_sizes("the size of the crops", (size,))
    network, default_size = read_network(path)
    return network.eval().requires_grad_(False), size or default_size, ()
