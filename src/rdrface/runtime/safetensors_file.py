"""The safetensors format: an 8-byte length, a JSON header and the raw tensors one after another.

Written here instead of with the package safetensors, because the graph refers to the offsets of the tensors, and
because the same tensors must give the same bytes.
"""

import hashlib
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rdrface.errors import WeightsError

_ALIGNMENT = 64
"""Header lengths are padded to this many bytes, so that the first tensor is aligned."""

_DTYPES: dict[str, np.dtype[Any]] = {
    "F16": np.dtype("<f2"),
    "F32": np.dtype("<f4"),
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"),
}
_CODES = {dtype: code for code, dtype in _DTYPES.items()}
_MAX_HEADER = 100_000_000


@dataclass(frozen=True)
class TensorPlace:
    """Location of a tensor in the file: dtype, shape, absolute offset in bytes, and length in bytes."""

    dtype: np.dtype
    shape: tuple[int, ...]
    offset: int
    length: int


def file_order(tensors: Mapping[str, np.ndarray]) -> list[str]:
    """Names of the tensors in the order of the file."""
    # Large elements first: every tensor is then aligned to its element size, although the format allows no gaps.
    return sorted(tensors, key=lambda name: (-tensors[name].dtype.itemsize, name))


def tensor_bytes(tensor: np.ndarray) -> bytes:
    """The bytes of a tensor in the file: little-endian, in C order."""
    return np.ascontiguousarray(tensor, dtype=tensor.dtype.newbyteorder("<")).tobytes()


def tensors_checksum(tensors: Mapping[str, np.ndarray]) -> str:
    """SHA-256 of the bytes of all tensors, in the order of the file."""
    digest = hashlib.sha256()
    for name in file_order(tensors):
        digest.update(tensor_bytes(tensors[name]))
    return digest.hexdigest()


def file_checksum(path: Path) -> str:
    """SHA-256 of the bytes of all tensors of a file, to compare with `tensors_checksum`."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        file.seek(8 + length)
        return hashlib.file_digest(file, "sha256").hexdigest()


def safetensors_header(tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> bytes:
    """The length and the JSON header of a file.

    Raises:
        ValueError: a tensor is not float16, float32, int32 or int64.
    """
    entries: dict[str, Any] = {}
    begin = 0
    for name in file_order(tensors):
        tensor = tensors[name]
        dtype = tensor.dtype.newbyteorder("<")
        if dtype not in _CODES:
            raise ValueError(
                f"tensor {name} must have one of the dtypes {', '.join(map(str, _CODES))}; got {tensor.dtype}"
            )
        end = begin + tensor.nbytes
        entries[name] = {"dtype": _CODES[dtype], "shape": list(tensor.shape), "data_offsets": [begin, end]}
        begin = end
    text = json.dumps({"__metadata__": dict(metadata)} | entries, separators=(",", ":")).encode()
    text += b" " * (-(len(text) + 8) % _ALIGNMENT)
    return struct.pack("<Q", len(text)) + text


def read_header(path: Path) -> tuple[bytes, int]:
    """The length and the JSON header of a file, not parsed, and the size of the whole file in bytes.

    Raises:
        WeightsError: the file cannot be read, or is too short.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
            length = struct.unpack("<Q", start)[0] if len(start) == 8 else _MAX_HEADER
            if length > min(size - 8, _MAX_HEADER):
                raise WeightsError(f"{path} is not a safetensors file or is truncated; copy or download it again")
            return start + file.read(length), size
    except FileNotFoundError as error:
        raise WeightsError(
            f"the weights file {path} cannot be read: there is no such file; give a NAME.safetensors, the folder of a "
            "downloaded model, or lite for the packaged light weights"
        ) from error
    except OSError as error:
        raise WeightsError(f"the weights file {path} cannot be read: {error.strerror or error}") from error


def parse_header(header: bytes) -> tuple[dict[str, str], dict[str, TensorPlace]]:
    """Metadata and locations of the tensors, from what `safetensors_header` or `read_header` returned.

    Raises:
        KeyError, TypeError, ValueError: the header is not that of a safetensors file with metadata.
    """
    entries = json.loads(header[8:])
    metadata = entries.pop("__metadata__")
    places = {}
    for name, entry in entries.items():
        begin, end = entry["data_offsets"]
        shape = tuple(entry["shape"])
        places[name] = TensorPlace(_DTYPES[entry["dtype"]], shape, len(header) + begin, end - begin)
    return metadata, places
