"""Loading the trained RDR that custom landmarks are read from: a run's checkpoint or an exported weights file."""

from pathlib import Path

from rdrface.network.rdr import RDR
from rdrface.training.checkpoint import read_network
from rdrface.training.restore import restore


def load_network(path: Path) -> tuple[RDR, int, tuple[str, ...]]:
    """Load the network of a training run or of a weights file, with its parameters frozen.

    Args:
        path: the folder of a training run, a checkpoint, or a ``NAME.safetensors``.

    Returns:
        RDR in evaluation mode, the side of its crops in pixels, and the names of its training datasets (empty for a
        checkpoint, which does not store them).

    Raises:
        ConfigError: there is no checkpoint at `path`, or it is damaged.
        WeightsError: the weights file is damaged, or belongs to a different architecture or version.
    """
    if path.suffix == ".safetensors":
        network, info = restore(path)
        return network.requires_grad_(False), info.input_size, info.training_data
    network, size = read_network(path)
    return network.eval().requires_grad_(False), size, ()
