"""The int8 graph of a weights file, ``NAME.int8.onnx``: where it is, and which weights it belongs to.

It is a second, small graph for the tensors of the same ``NAME.safetensors``: the runtimes quantize the weights when
they load it, with the scales in the graph. `rdrface quantize` writes it (`rdrface.training.quantization`).

The file ends with one entry of ONNX's `metadata_props`. Its value is the SHA-256 of the rest of the file, followed by
the checksums of the weights and of their float32 graph, which fixes the positions of the tensors: one comparison
detects a damaged graph and one of other weights or of another crop size.
"""

import hashlib

from rdrface.runtime.weights import WeightsInfo

SUFFIX = ".int8.onnx"
"""Suffix for the default size of the crops; see `suffix` for others."""

_KEY = b"rdrface.checksum"


def suffix(info: WeightsInfo, size: int) -> str:
    """Suffix of the int8 graph for one of `info.sizes`: ".int8.onnx" or, for example, ".256.int8.onnx"."""
    return info.graph_suffix(size).removesuffix(".onnx") + SUFFIX


def sealed(content: bytes, info: WeightsInfo, size: int | None = None) -> bytes:
    """Complete an int8 graph with its checksum.

    Args:
        content: a serialized ONNX model without this entry.
        info: metadata of the weights that the graph belongs to.
        size: one of `info.sizes`, for which the graph is; default: the default size.
    """
    float32_graph = info.checksum_of_graph(info.input_size if size is None else size)
    value = hashlib.sha256(content + (info.checksum + float32_graph).encode()).hexdigest().encode()
    pair = b"\x0a" + bytes([len(_KEY)]) + _KEY + b"\x12" + bytes([len(value)]) + value
    # Field 14 of ModelProto. Protocol buffers may be completed by appending fields.
    return content + b"\x72" + bytes([len(pair)]) + pair


def is_sealed(content: bytes, info: WeightsInfo, size: int | None = None) -> bool:
    """Whether a file is complete, and belongs to the weights with this metadata and to their graph for a size."""
    body = content[: -len(sealed(b"", info, size))]
    return sealed(body, info, size) == content
