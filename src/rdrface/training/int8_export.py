"""Writes the int8 graph of a weights file from calibration crops (``rdrface quantize``)."""

from pathlib import Path

import numpy as np
import onnx

from rdrface.crop import CropFrame, cut
from rdrface.datasets.crops import PackedCrops
from rdrface.errors import ConfigError
from rdrface.files import write_aside
from rdrface.runtime.crop_size import choose_size
from rdrface.runtime.int8_graph import sealed, suffix
from rdrface.runtime.linked_files import without_links
from rdrface.runtime.weights import find_graph, graph_path, read_info, read_tensors, verify
from rdrface.training.quantization import find_operators, measure_ranges, quantize

CROPS = 256
"""Default number of calibration crops."""


def write_int8_graph(weights: Path, crops: np.ndarray) -> Path:
    """Write the int8 graph of a weights file for the size of the crops: ``NAME.int8.onnx`` for the default size.

    The same weights and crops give the same bytes.

    Args:
        weights: ``NAME.safetensors`` with its graph. It is not changed.
        crops: (B, 3, N, N) float32 RGB 0..255, crops of training faces; their ranges become the ranges of int8. N is
            one of the sizes of the weights file.

    Raises:
        WeightsError: the weights are missing or damaged.
        ConfigError: the weights file has no graph for crops of this size.
    """
    info, _ = read_info(weights)
    size = choose_size(weights, info, crops.shape[-1])
    verify(weights, info, size)
    graph = find_graph(weights, info.graph_suffix(size))
    model = onnx.load(graph, load_external_data=False)
    with without_links(weights, graph, info.config.get("file_name", weights.name)) as readable:
        complete = onnx.load(readable)
    inputs = sorted({operator.input for operator in find_operators(model)})
    ranges = measure_ranges(complete, inputs, (crops[i : i + 1] for i in range(len(crops))))
    content = quantize(model, read_tensors(weights), ranges).SerializeToString(deterministic=True)
    path = graph_path(weights, suffix(info, size))
    with write_aside(path) as partial:
        partial.write_bytes(sealed(content, info, size))
    return path


def calibration_crops(faces: PackedCrops, size: int, count: int = CROPS) -> np.ndarray:
    """Crops of packed faces as at inference, without augmentation.

    Args:
        faces: packed training faces.
        size: N, side of the network's crops in pixels.
        count: maximum number of crops, 1 or more; they are spread evenly over the faces.

    Returns:
        (B, 3, N, N) float32 RGB 0..255.
    """
    chosen = spread(len(faces), count)
    return network_crops(faces.images[chosen], faces.valid[chosen], faces.margin, size)


def network_crops(images: np.ndarray, valid: np.ndarray, margin: float, size: int) -> np.ndarray:
    """The network's crops of packed faces.

    Args:
        images: (B, S, S, 3) uint8 RGB.
        valid: (B, 4) xyxy, packed frame: the part inside the image.
        margin: side of the packed crop in units of the network's crop.
        size: N, side of the network's crops in pixels.

    Returns:
        (B, 3, N, N) float32 RGB 0..255.
    """
    side = images.shape[1]
    edges = np.rint((valid + 1) * side / 2).astype(int)
    crops = []
    for image, (x0, y0, x1, y1) in zip(images, edges, strict=True):
        # The pixels at the edge of the image are repeated, as at inference; outside, the packed crop is black.
        frame = CropFrame(np.array([[side / 2 - 0.5 - x0, side / 2 - 0.5 - y0]]), np.array([side / 2 / margin]))
        crops.append(cut(image[y0:y1, x0:x1], frame, size))
    return np.concatenate(crops)


def spread(total: int, count: int) -> np.ndarray:
    """(min(total, count),) int, indices spread evenly over 0 ... total - 1.

    Raises:
        ConfigError: there are no faces.
    """
    if total < 1:
        raise ConfigError("there are no faces to calibrate int8 with; give a dataset with --data SET=DIR")
    return np.linspace(0, total - 1, min(total, count)).astype(int)
