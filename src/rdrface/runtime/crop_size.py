"""Choice of the crop size of a weights file that has graphs for several."""

from pathlib import Path

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
            "these, or export the training run again with `rdrface export RUN -o NAME.safetensors --size "
            f"{' '.join(map(str, (*info.sizes, size)))}`"
        )
    return info.input_size if size is None else size
