"""Write the detector's int8 graph, ``weights/retinaface.int8.onnx``, and print its SHA-256.

    python tools/quantize_detector.py 300w=DIR merl-rav=DIR

Needs ``pip install .[train]``. The ranges are those on training images at several sizes.
Enter the SHA-256 as `INT8_GRAPH_CHECKSUM` in ``detection/retinaface.py``.
"""

import argparse
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import version_converter

from rdrface.cli.script import reports_errors
from rdrface.datasets.readers import read_set
from rdrface.detection.retinaface import INT8_GRAPH, resize, weights
from rdrface.detection.retinaface_pass import pad
from rdrface.files import write_aside
from rdrface.image import read_image
from rdrface.training.int8_export import spread
from rdrface.training.quantization import find_operators, measure_ranges, quantize

SIDES = (160, 320, 640)
"""Long sides of the calibration images, pixels. In the smallest, the faces of 300-W are 60 to 90 pixels large."""

OPSET = 13
"""The first with one scale per channel."""


@reports_errors
def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="+", metavar="SET=DIR", help="dataset and its folder; the training part is used")
    parser.add_argument("--images", type=int, default=64, metavar="N", help="images of each dataset (default: 64)")
    parser.add_argument("-o", "--output", type=Path, default=INT8_GRAPH, metavar="FILE", help="graph to write")
    options = parser.parse_args()
    model = version_converter.convert_version(onnx.load_from_string(weights()), OPSET)
    tensors = {each.name: onnx.numpy_helper.to_array(each) for each in model.graph.initializer}
    names = sorted({operator.input for operator in find_operators(model)})
    content = quantize(model, tensors, measure_ranges(model, names, calibration_inputs(options.data, options.images)))
    written = stored_in_int8(content, tensors).SerializeToString(deterministic=True)
    with write_aside(options.output) as partial:
        partial.write_bytes(written)
    print(f"{options.output}: {len(written)} bytes, SHA-256 {hashlib.sha256(written).hexdigest()}")


def calibration_inputs(data: list[str], count: int) -> Iterator[np.ndarray]:
    """Inputs (1, 3, H, W) float32 of the detector: `count` training images of each dataset at all `SIDES`."""
    for item in data:
        name, _, folder = item.partition("=")
        records = read_set(name, Path(folder), "train")
        for path in records.image[spread(len(records), count)]:
            image = read_image(path)
            for side in SIDES:
                yield pad(resize(image, side / max(image.shape[:2])))


def stored_in_int8(model: onnx.ModelProto, tensors: dict[str, np.ndarray]) -> onnx.ModelProto:
    """The graph with its quantized weights in int8 instead of float32, without the nodes that quantize them."""
    initializers = {each.name: each for each in model.graph.initializer}
    nodes = []
    for node in model.graph.node:
        if node.op_type == "QuantizeLinear" and node.input[0] in tensors:
            scale = onnx.numpy_helper.to_array(initializers[node.input[1]])
            values = tensors[node.input[0]]
            steps = values / scale.reshape(-1, *[1] * (values.ndim - 1))
            quantized = np.rint(steps).clip(-128, 127).astype(np.int8)
            model.graph.initializer.append(onnx.numpy_helper.from_array(quantized, node.output[0]))
        else:
            nodes.append(node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    used = {name for node in nodes for name in node.input}
    kept = [each for each in model.graph.initializer if each.name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    return model


if __name__ == "__main__":
    sys.exit(main())
