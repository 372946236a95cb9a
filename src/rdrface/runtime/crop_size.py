"""The crop sizes of a weights file that has graphs for several: the choice of one, and its tensors."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from rdrface.errors import ConfigError
from rdrface.runtime.weights import WeightsInfo


def choose_size(path: Path, info: WeightsInfo, size: int | None) -> int:
    """The requested size of the crops, or the default one of a weights file.

    Args:
        path: the weights file, for messages.
        info: its metadata.
        size: side of the crops in pixels; None for the default.

    Raises:
        ConfigError: the file has no graph for this size.
    """
    if size is not None and size not in info.sizes:
        raise ConfigError(
            f"{path} has no graph for crops of {size} pixels; it has {', '.join(map(str, info.sizes))}. Choose one of "
            "these. If the weights were trained with crops of this size, export their run again with `rdrface export "
            f"RUN -o NAME.safetensors --size {' '.join(map(str, (*info.sizes, size)))}`"
        )
    return info.input_size if size is None else size


def own_tensor(size: int, name: str) -> str:
    """Name in the weights file of the tensor `name` of a further size, if it has its own."""
    return f"{size}/{name}"


def tensors_of_size(tensors: Mapping[str, np.ndarray], info: WeightsInfo, size: int) -> dict[str, np.ndarray]:
    """The tensors of a weights file that the graph of one of its sizes uses, by their names in the network."""
    own = {own_tensor(size, name): name for name in tensors}
    others = {name for name in tensors if any(name.startswith(own_tensor(one, "")) for one in info.further_graphs)}
    result = {name: value for name, value in tensors.items() if name not in others}
    return result | {own[name]: value for name, value in tensors.items() if name in own}
