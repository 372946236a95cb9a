"""The weights file: one safetensors file with the tensors, the configuration and the origin of the weights.

A model consists of two files. ``NAME.safetensors`` contains all tensors. ``NAME.onnx`` contains only the graph, a few
hundred kilobytes; its initializers refer to the first file (ONNX external data: file name, offset, length). Both
runtimes can map a safetensors file directly, so no tensor is stored twice. The files must stay in one folder and must
not be renamed, because the graph contains the name of the other file. Each may be a symbolic link to a file with any
name in any folder (see `rdrface.runtime.linked_files`).

The network is fully convolutional, so the same tensors serve crops of several sizes. ``NAME.onnx`` is the graph of the
default size; each further size has its own graph, for example ``NAME.256.onnx``, and may have tensors of its own.

This module needs only NumPy and the standard library, no deep-learning framework.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rdrface.errors import WeightsError
from rdrface.files import write_aside
from rdrface.runtime.safetensors_file import (
    TensorPlace,
    file_checksum,
    file_order,
    parse_header,
    read_header,
    safetensors_header,
    tensor_bytes,
    tensors_checksum,
)

FORMAT = "rdrface"
_NO_CHECKSUM = "0" * 64
_FACE_MODEL = ("projection.", "custom_landmarks.surface_")
FORMAT_VERSION = 2
"""Version 2 has the output names of `rdrface.runtime.session.OUTPUTS`. Version 1, of release 0.1, has other names and
can still be read."""


@dataclass(frozen=True)
class CustomScheme:
    """An annotation scheme that weights were fine-tuned to, in addition to the 68 points (docs/finetuning.md).

    Attributes:
        name: name of the scheme.
        count: L, its number of points.
        mirror: L indices: point i of the mirrored face is point ``mirror[i]``; None if the points do not form pairs.
        format: format of the annotations, the option --format of ``rdrface finetune``; empty in files of release 0.1.
        fitted_to: `image_digest` of each image that the points were fitted to; empty in files of release 0.1.
    """

    name: str
    count: int
    mirror: tuple[int, ...] | None
    format: str = ""
    fitted_to: tuple[str, ...] = ()


def image_digest(image: str | Path) -> str:
    """Eight hexadecimal digits that identify an image by its file name: a weights file does not store the names."""
    return hashlib.sha256(Path(image).name.encode()).hexdigest()[:8]


@dataclass(frozen=True)
class WeightsInfo:
    """The metadata of a weights file.

    Attributes:
        input_size: N, side of the crops in pixels; with several graphs, that of the default one.
        iterations: K, number of refinement steps.
        version: version of rdrface that wrote the file.
        training_data: names of the datasets that the weights were trained on.
        metrics: name -> value, e.g. {"AFLW2000-3D dev, 3D, mean of bins": 5.1}.
        config: additional settings of the network, JSON values.
        custom_scheme: the scheme of `Face.custom_landmarks`, if the weights were fine-tuned to one.
        format_version: format version of the file, see `FORMAT_VERSION`.
        checksum: SHA-256 of the tensors' bytes.
        graph_checksum: SHA-256 of the ONNX graph that belongs to the file.
        further_graphs: side of the crops in pixels -> SHA-256 of the ONNX graph for it, without the default size.
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
    further_graphs: Mapping[int, str] = field(default_factory=dict)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Sides of the crops for which the file has a graph, pixels; the default one first."""
        return (self.input_size, *self.further_graphs)

    def checksum_of_graph(self, size: int) -> str:
        """SHA-256 of the ONNX graph for one of the `sizes`."""
        return self.graph_checksum if size == self.input_size else self.further_graphs[size]

    def graph_suffix(self, size: int) -> str:
        """Suffix of the graph for one of the `sizes`, in place of ``.safetensors``: ".onnx" or, for example,
        ".256.onnx"."""
        return ".onnx" if size == self.input_size else f".{size}.onnx"


def is_face_model(tensor: str) -> bool:
    """Whether a tensor, by its name, belongs to the face model: it is in millimeters and not learned, and its products
    are geometry."""
    return tensor.startswith(_FACE_MODEL)


def graph_path(weights: Path, suffix: str = ".onnx") -> Path:
    """Path at which the ONNX graph of a weights file is written."""
    return weights.with_suffix(suffix)


def link_chain(path: Path) -> Iterator[Path]:
    """The path, and if it is a symbolic link the path that it points to, and so on up to the file itself."""
    yield path
    while path.is_symlink():
        path = path.parent / path.readlink()
        yield path


def find_graph(weights: Path, suffix: str = ".onnx") -> Path:
    """Path of the ONNX graph of an existing weights file.

    It has the same name and folder as the weights file, or as one of the paths in its `link_chain`: in a cache whose
    files have hashes as names, only the links have the same name; a link ``latest.safetensors`` has no graph in its own
    folder.

    Args:
        weights: the weights file.
        suffix: suffix of the graph's file name.

    Returns:
        The first that exists, otherwise the path in the folder of `weights`.
    """
    candidates = [graph_path(path, suffix) for path in link_chain(weights)]
    return next((path for path in candidates if path.is_file()), candidates[0])


def layout(tensors: Mapping[str, np.ndarray], info: WeightsInfo) -> dict[str, TensorPlace]:
    """Locations at which `write_weights` will store the tensors.

    They are needed to write the graph first, because the weights file contains the checksum of the graph.
    """
    return _parse_header(_header(tensors, info))[1]


def write_weights(path: Path, tensors: Mapping[str, np.ndarray], info: WeightsInfo) -> WeightsInfo:
    """Write the weights file; the same tensors and info give the same bytes.

    Args:
        path: must end in ``.safetensors``; an existing file is replaced only once the new one is complete.
        tensors: name -> array, float16, float32, int32 or int64.
        info: metadata; `checksum` is computed here.

    Returns:
        `info` with the checksum.

    Raises:
        ValueError: the file name has another suffix, or a tensor has another dtype.
    """
    if path.suffix != ".safetensors":
        raise ValueError(f"the name of a weights file must end in .safetensors; got {path.name}")
    header = _header(tensors, info)
    path.parent.mkdir(parents=True, exist_ok=True)
    with write_aside(path) as partial, partial.open("wb") as file:
        file.write(header)
        for name in file_order(tensors):
            file.write(tensor_bytes(tensors[name]))
    return _parse_header(header)[0]


def read_info(path: Path) -> tuple[WeightsInfo, dict[str, TensorPlace]]:
    """Read the metadata of a weights file and the locations of its tensors; the tensors are not read.

    Raises:
        WeightsError: the file does not exist, is not a safetensors file, or was not written by rdrface.
    """
    header, size = read_header(path)
    try:
        info, places = _parse_header(header)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise WeightsError(
            f"{path} is not a weights file of rdrface, as written by `rdrface export`: {error!r}"
        ) from error
    end = max((place.offset + place.length for place in places.values()), default=len(header))
    if end != size:
        raise WeightsError(f"{path} is damaged: it has {size} bytes, expected {end}; copy or download it again")
    return info, places


def verify(path: Path, info: WeightsInfo, size: int | None = None) -> None:
    """Compare the checksums of the tensors and of a graph with those in the metadata.

    Args:
        path: the weights file.
        info: its metadata.
        size: one of `info.sizes`, whose graph is verified; default: the default size.

    Raises:
        WeightsError: the graph is missing, or one of the two files is damaged.
    """
    if file_checksum(path) != info.checksum:
        raise WeightsError(f"{path} is damaged: its checksum does not match its content; copy or download it again")
    size = info.input_size if size is None else size
    graph = find_graph(path, info.graph_suffix(size))
    if not graph.is_file():
        raise WeightsError(f"{graph} is missing: {path.name} and its graph {graph.name} must be in the same folder")
    if hashlib.sha256(graph.read_bytes()).hexdigest() != info.checksum_of_graph(size):
        raise WeightsError(f"{graph} does not belong to {path.name}, or is damaged; use the files of one export")


def read_tensors(path: Path, names: Collection[str] | None = None) -> dict[str, np.ndarray]:
    """Read tensors of a weights file by name, with their stored dtypes.

    Args:
        path: the weights file.
        names: names of the tensors to read; default: all.

    Raises:
        WeightsError: the file cannot be read, or does not contain one of the tensors.
    """
    _, places = read_info(path)
    tensors = {}
    with path.open("rb") as file:
        for name in places if names is None else names:
            if name not in places:
                raise WeightsError(
                    f"{path} has no tensor {name!r}: it was written for another version of rdrface; export again"
                )
            place = places[name]
            file.seek(place.offset)
            tensors[name] = np.frombuffer(file.read(place.length), place.dtype).reshape(place.shape)
    return tensors


def _header(tensors: Mapping[str, np.ndarray], info: WeightsInfo) -> bytes:
    described = asdict(info) | {
        "format_version": FORMAT_VERSION,
        "checksum": tensors_checksum(tensors),
        "graph_checksum": info.graph_checksum or _NO_CHECKSUM,
        "further_graphs": {str(size): checksum or _NO_CHECKSUM for size, checksum in info.further_graphs.items()},
    }
    # The files of one size remain the same as before this entry was introduced.
    if not info.further_graphs:
        del described["further_graphs"]
    if info.custom_scheme is None:
        del described["custom_scheme"]
    # The format of safetensors allows text values only.
    metadata = {"format": FORMAT}
    metadata |= {key: value if isinstance(value, str) else json.dumps(value) for key, value in described.items()}
    return safetensors_header(tensors, metadata)


def _parse_header(header: bytes) -> tuple[WeightsInfo, dict[str, TensorPlace]]:
    metadata, places = parse_header(header)
    if metadata.get("format") != FORMAT:
        raise ValueError("its metadata does not have the format 'rdrface'")
    if int(metadata["format_version"]) > FORMAT_VERSION:
        raise ValueError("it was written by a newer version of rdrface; update the package")
    further_graphs = json.loads(metadata.get("further_graphs", "{}"))
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
        further_graphs={int(size): str(value) for size, value in further_graphs.items()},
    )
    return info, places


def _parse_scheme(text: str | None) -> CustomScheme | None:
    if text is None:
        return None
    entry = json.loads(text)
    mirror = entry["mirror"]
    return CustomScheme(
        str(entry["name"]),
        int(entry["count"]),
        None if mirror is None else tuple(mirror),
        str(entry.get("format", "")),
        tuple(entry.get("fitted_to", ())),
    )
