"""A weights file of a few numbers, with graphs that cannot be run: for tests of files."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from rdrface.runtime import int8_graph
from rdrface.runtime.weights import CustomScheme, WeightsInfo, graph_path, write_weights

SIZES = (128, 256)

SCHEME = CustomScheme("my points", 3, (1, 0, 2))


def small_weights(folder: Path, name: str = "mine.safetensors", **changes: object) -> Path:
    """Write the file and float32 and int8 graphs for `SIZES`; `changes` are fields of `WeightsInfo`."""
    contents = {size: f"graph {size}".encode() for size in SIZES}
    checksums = [hashlib.sha256(content).hexdigest() for content in contents.values()]
    info = WeightsInfo(
        input_size=SIZES[0],
        iterations=2,
        version="1.2",
        training_data=("merl_rav", "my | points"),
        metrics={"my points, held-out photos, % of face size": 2.5},
        config={"network": "lite", "file_name": name},
        custom_scheme=SCHEME,
        graph_checksum=checksums[0],
        further_graphs={SIZES[1]: checksums[1]},
    )
    path = folder / name
    tensors = {"a": np.arange(6, dtype=np.float16), "projection.mean": np.ones(3, np.float32)}
    info = write_weights(path, tensors, replace(info, **changes))  # type: ignore[arg-type]
    for size, content in contents.items():
        graph_path(path, info.graph_suffix(size)).write_bytes(content)
        graph_path(path, int8_graph.suffix(info, size)).write_bytes(int8_graph.sealed(b"int8", info, size))
    return path
