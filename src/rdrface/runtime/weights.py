"""The weights file: one safetensors file that carries the tensors, the configuration and where they come from.

Two files make a model. ``NAME.safetensors`` holds every tensor; ``NAME.onnx`` holds the graph alone, a few hundred
kilobytes, whose initializers point into the first one (ONNX external data: file name, offset, length). A safetensors
file is a length, a JSON header and the raw tensors one after another, so both runtimes map it directly and no tensor is
stored twice. Both files stay together under these names, because the graph names the other file.

Nothing here needs a deep-learning framework: NumPy and the standard library are enough.
"""

import hashlib
import json
import struct
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rdrface.errors import WeightsError
from rdrface.files import write_aside

FORMAT = "rdrface"
FORMAT_VERSION = 2
"""2: the output names of `rdrface.runtime.session.OUTPUTS`; 1, of release 0.1: other names, which are still read."""

_ALIGNMENT = 64
"""Header lengths are padded to this many bytes, so that the first tensor starts at an aligned place."""

_DTYPES: dict[str, np.dtype[Any]] = {
    "F16": np.dtype("<f2"),
    "F32": np.dtype("<f4"),
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"),
}
_CODES = {dtype: code for code, dtype in _DTYPES.items()}
_MAX_HEADER = 100_000_000


@dataclass(frozen=True)
class CustomScheme:
    """An annotation scheme that weights were fine-tuned to, besides the 68 points (docs/finetuning.md).

    Attributes:
        name: of the scheme.
        count: L, its number of points.
        mirror: L indices: point i of the mirrored face is point ``mirror[i]``; None where it has no mirror image.
    """

    name: str
    count: int
    mirror: tuple[int, ...] | None


@dataclass(frozen=True)
class WeightsInfo:
    """The metadata of a weights file.

    Attributes:
        input_size: N, side of the crops in pixels.
        iterations: K, number of refinement steps.
        version: of rdrface that wrote the file.
        training_data: names of the data sets that the weights were trained on.
        metrics: name -> value, e.g. {"AFLW2000-3D dev, 3D, mean of bins": 5.1}.
        config: further settings of the network, JSON values.
        custom_scheme: the scheme of `Face.custom_landmarks`, if the weights were fine-tuned to one.
        format_version: of the file, see `FORMAT_VERSION`.
        checksum: SHA-256 of the tensors' bytes.
        graph_checksum: SHA-256 of the ONNX graph that belongs to the file.
    """

    input_size: int
    iterations: int
    version: str
    training_data: tuple[str, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    custom_scheme: CustomScheme | None = None
    format_version: int = FORMAT_VERSION
    checksum: str = ""
    graph_checksum: str = ""


@dataclass(frozen=True)
class TensorPlace:
    """Where a tensor lies: dtype and shape, and its bytes as absolute file offset and length."""

    dtype: np.dtype
    shape: tuple[int, ...]
    offset: int
    length: int


def graph_path(weights: Path) -> Path:
    """Path of the ONNX graph that belongs to a weights file."""
    return weights.with_suffix(".onnx")


def layout(tensors: Mapping[str, np.ndarray], info: WeightsInfo) -> dict[str, TensorPlace]:
    """Where `write_weights` will put the tensors: needed to write the graph, whose checksum the file then carries."""
    return _parse_header(_header(tensors, info))[1]


def write_weights(path: Path, tensors: Mapping[str, np.ndarray], info: WeightsInfo) -> WeightsInfo:
    """Write the file; the same tensors and info give the same bytes.

    Args:
        path: must end in ``.safetensors``; an existing file is replaced only once the new one is complete.
        tensors: name -> array, float16, float32, int32 or int64.
        info: its `checksum` is computed here.

    Returns:
        `info` with the checksum.
    """
    if path.suffix != ".safetensors":
        raise ValueError(f"a weights file is called NAME.safetensors; got {path.name}")
    header = _header(tensors, info)
    path.parent.mkdir(parents=True, exist_ok=True)
    with write_aside(path) as partial, partial.open("wb") as file:
        file.write(header)
        for name in _order(tensors):
            file.write(_bytes(tensors[name]))
    return _parse_header(header)[0]


def read_info(path: Path) -> tuple[WeightsInfo, dict[str, TensorPlace]]:
    """Read the metadata of a weights file and where its tensors lie; the tensors are not read.

    Raises:
        WeightsError: no such file, not a safetensors file, or not one of rdrface.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
            length = struct.unpack("<Q", start)[0] if len(start) == 8 else _MAX_HEADER
            if length > min(size - 8, _MAX_HEADER):
                raise WeightsError(f"{path} is not a safetensors file or is cut short")
            header = start + file.read(length)
    except OSError as error:
        raise WeightsError(f"the weights file {path} cannot be read: {error.strerror or error}") from error
    try:
        info, places = _parse_header(header)
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(
            f"{path} is not a weights file of rdrface (`rdrface export` writes them): {error!r}"
        ) from error
    end = max((place.offset + place.length for place in places.values()), default=len(header))
    if end != size:
        raise WeightsError(f"{path} is damaged: {size} bytes, {end} expected. Copy or download it again")
    return info, places


def verify(path: Path, info: WeightsInfo) -> None:
    """Compare the tensors and the graph beside them with the checksums.

    Raises:
        WeightsError: the graph is missing, or one of the two files is damaged.
    """
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        file.seek(8 + length)
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != info.checksum:
        raise WeightsError(f"{path} is damaged: its checksum is not the one it was written with. Get it again")
    graph = graph_path(path)
    if not graph.is_file():
        raise WeightsError(f"{graph} is missing: {path.name} and its graph {graph.name} must lie in the same folder")
    if hashlib.sha256(graph.read_bytes()).hexdigest() != info.graph_checksum:
        raise WeightsError(f"{graph} does not belong to {path.name} or is damaged: take both files from one export")


def read_tensors(path: Path, names: Collection[str] | None = None) -> dict[str, np.ndarray]:
    """Tensors of a weights file by name, in the precision that they are stored in.

    Args:
        path: the weights file.
        names: which to read; all by default.

    Raises:
        WeightsError: the file cannot be read, or lacks one of them.
    """
    _, places = read_info(path)
    tensors = {}
    with path.open("rb") as file:
        for name in places if names is None else names:
            if name not in places:
                raise WeightsError(f"{path} has no tensor {name!r}: it was written for another version of rdrface")
            place = places[name]
            file.seek(place.offset)
            tensors[name] = np.frombuffer(file.read(place.length), place.dtype).reshape(place.shape)
    return tensors


def _order(tensors: Mapping[str, np.ndarray]) -> list[str]:
    # Large elements first: every tensor is then aligned to its element size, though the format allows no gaps.
    return sorted(tensors, key=lambda name: (-tensors[name].dtype.itemsize, name))


def _bytes(tensor: np.ndarray) -> bytes:
    return np.ascontiguousarray(tensor, dtype=tensor.dtype.newbyteorder("<")).tobytes()


def _header(tensors: Mapping[str, np.ndarray], info: WeightsInfo) -> bytes:
    digest = hashlib.sha256()
    entries: dict[str, Any] = {}
    begin = 0
    for name in _order(tensors):
        tensor = tensors[name]
        if tensor.dtype.newbyteorder("<") not in _CODES:
            raise ValueError(f"tensor {name} has dtype {tensor.dtype}; wanted one of {', '.join(map(str, _CODES))}")
        digest.update(_bytes(tensor))
        entries[name] = {
            "dtype": _CODES[tensor.dtype.newbyteorder("<")],
            "shape": list(tensor.shape),
            "data_offsets": [begin, begin + tensor.nbytes],
        }
        begin += tensor.nbytes
    described = asdict(info) | {
        "format_version": FORMAT_VERSION,
        "checksum": digest.hexdigest(),
        "graph_checksum": info.graph_checksum or "0" * 64,
    }
    if info.custom_scheme is None:
        del described["custom_scheme"]
    # The format allows text values only.
    metadata = {"format": FORMAT}
    metadata |= {key: value if isinstance(value, str) else json.dumps(value) for key, value in described.items()}
    text = json.dumps({"__metadata__": metadata} | entries, separators=(",", ":")).encode()
    text += b" " * (-(len(text) + 8) % _ALIGNMENT)
    return struct.pack("<Q", len(text)) + text


def _parse_header(header: bytes) -> tuple[WeightsInfo, dict[str, TensorPlace]]:
    entries = json.loads(header[8:])
    metadata = entries.pop("__metadata__")
    if metadata.get("format") != FORMAT:
        raise ValueError("its metadata does not name rdrface")
    if int(metadata["format_version"]) > FORMAT_VERSION:
        raise ValueError("it was written by a newer rdrface; update the package")
    info = WeightsInfo(
        input_size=int(metadata["input_size"]),
        iterations=int(metadata["iterations"]),
        version=metadata["version"],
        training_data=tuple(json.loads(metadata["training_data"])),
        metrics=json.loads(metadata["metrics"]),
        config=json.loads(metadata["config"]),
        custom_scheme=_parse_scheme(metadata.get("custom_scheme", metadata.get("setting"))),
        format_version=int(metadata["format_version"]),
        checksum=metadata["checksum"],
        graph_checksum=metadata["graph_checksum"],
    )
    places = {}
    for name, entry in entries.items():
        begin, end = entry["data_offsets"]
        shape = tuple(entry["shape"])
        places[name] = TensorPlace(_DTYPES[entry["dtype"]], shape, len(header) + begin, end - begin)
    return info, places


def _parse_scheme(text: str | None) -> CustomScheme | None:
    if text is None:
        return None
    entry = json.loads(text)
    mirror = entry["mirror"]
    return CustomScheme(str(entry["name"]), int(entry["count"]), None if mirror is None else tuple(mirror))
