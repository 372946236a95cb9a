"""The int8 graph of a weights file, ``NAME.int8.onnx``: where it is, and which weights it belongs to.

It is a second, small graph for the tensors of the same ``NAME.safetensors``: the runtimes quantize the weights when
they load it, with the scales in the graph. `rdrface quantize` writes it (`rdrface.training.quantization`).

The file ends with one entry of ONNX's `metadata_props`. Its value is the SHA-256 of the rest of the file, followed by
the checksums of the weights and of their float32 graph, which fixes the positions of the tensors: one comparison
detects a damaged graph and one of other weights.
"""

import hashlib

from rdrface.runtime.weights import WeightsInfo

SUFFIX = ".int8.onnx"

_KEY = b"rdrface.checksum"


def sealed(content: bytes, info: WeightsInfo) -> bytes:
    """Complete an int8 graph with its checksum.

    Args:
        content: a serialized ONNX model without this entry.
        info: metadata of the weights that the graph belongs to.
    """
    value = hashlib.sha256(content + (info.checksum + info.graph_checksum).encode()).hexdigest().encode()
    pair = b"\x0a" + bytes([len(_KEY)]) + _KEY + b"\x12" + bytes([len(value)]) + value
    # Field 14 of ModelProto. Protocol buffers may be completed by appending fields.
    return content + b"\x72" + bytes([len(pair)]) + pair


def is_sealed(content: bytes, info: WeightsInfo) -> bool:
    """Whether a file is complete, and belongs to the weights with this metadata."""
    body = content[: -len(sealed(b"", info))]
    return sealed(body, info) == content
