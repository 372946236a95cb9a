"""A trained RDR to read another setting from: out of a run's checkpoint, or out of an exported weights file."""

from pathlib import Path

from rdrface.network.rdr import RDR
from rdrface.training.checkpoint import read_network
from rdrface.training.restore import restore


def load_network(path: Path) -> tuple[RDR, int, tuple[str, ...]]:
    """The network of a run's folder, a checkpoint, or a ``NAME.safetensors``.

    Args:
        path: one of the three.

    Returns:
        RDR in evaluation mode, the side of its crops in pixels, and the sets it was trained on, where that is known.

    Raises:
        ConfigError: no checkpoint there, or a damaged one.
        WeightsError: the weights file is damaged, or of another architecture than this version's.
    """
    if path.suffix == ".safetensors":
        network, info = restore(path)
        return network.requires_grad_(False), info.input_size, info.training_data
    network, size = read_network(path)
    return network.eval().requires_grad_(False), size, ()
