"""Inference sessions for the weights files of RDR: verification, choice of the precision, and output names."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import numpy as np

from rdrface.errors import RdrError, WeightsError
from rdrface.runtime import int8_graph
from rdrface.runtime.crop_size import choose_size
from rdrface.runtime.linked_files import without_links
from rdrface.runtime.precision import RequestedPrecision, choose_precision
from rdrface.runtime.session import BACKENDS, OUTPUTS_OF_0_1, Backend, Session, check_providers_type, open_graph
from rdrface.runtime.weights import WeightsInfo, find_graph, link_chain, read_info, verify


def open_session(
    weights: Path,
    backend: Backend = "openvino",
    threads: int | None = None,
    providers: Sequence[str] | None = None,
    precision: RequestedPrecision = "float32",
    size: int | None = None,
) -> tuple[Session, WeightsInfo]:
    """Verify a weights file and its graph, and open a session for them.

    Args:
        weights: path of ``NAME.safetensors``, with ``NAME.onnx`` in the same folder. Both may be symbolic links.
        backend: "openvino" or "onnxruntime".
        threads: see `OpenVINOSession`.
        providers: see `ONNXRuntimeSession`.
        precision: see `rdrface.runtime.precision.choose_precision`; the session's attribute `precision` is the chosen
            one. int8 needs ``NAME.int8.onnx`` in the same folder.
        size: side of the crops in pixels, one of `WeightsInfo.sizes`, whose graph is opened; None for the default
            size.

    Raises:
        WeightsError: a file is missing or damaged, was not written by rdrface, or cannot be run.
        ConfigError: the file has no graph for this size. See also `open_graph` and `choose_precision`.
        TypeError, ValueError: see `open_graph` and `choose_precision`.
    """
    weights = Path(weights)
    info, _ = read_info(weights)
    size = choose_size(weights, info, size)
    with ThreadPoolExecutor(1) as executor:
        verification = executor.submit(verify, weights, info, size)
        # Importing the backend takes as long as the checksums, and uses another core.
        if backend in BACKENDS:
            with suppress(ImportError):  # `open_graph` reports it
                import_module(backend)
        verification.result()
    original_name = info.config.get("file_name", weights.name)
    if original_name not in (path.name for path in link_chain(weights)):
        raise WeightsError(
            f"{weights} was renamed: its graph refers to the weights by the name {original_name!r}. Restore the "
            "original name, or export the weights again under the new name"
        )
    check_providers_type(providers)
    int8 = find_graph(weights, int8_graph.suffix(info, size))
    missing = None if int8.is_file() else f"there is no {int8}; write it with `rdrface quantize {weights} --data ...`"
    chosen = choose_precision(precision, backend, providers, missing)
    graph = int8 if chosen == "int8" else find_graph(weights, info.graph_suffix(size))
    if chosen == "int8" and not int8_graph.is_sealed(int8.read_bytes(), info, size):
        raise WeightsError(
            f"{int8} does not belong to {weights.name}, or is damaged: write it again with `rdrface quantize`, or "
            "remove it"
        )
    try:
        with without_links(weights, graph, original_name) as readable:
            session = open_graph(readable, backend, threads, providers, chosen)
    except (RdrError, TypeError, ValueError):
        raise
    except Exception as error:  # each runtime has its own exception types
        raise WeightsError(f"{backend} cannot run {graph}: {error}") from error
    if session.input_size != size:
        raise WeightsError(
            f"{weights} states a crop size of {size} pixels, its graph takes {session.input_size}: take "
            "both files from one export"
        )
    return (session if info.format_version > 1 else _RenamedOutputs(session, OUTPUTS_OF_0_1)), info


class _RenamedOutputs:
    """Session that renames the outputs of another session.

    Args:
        session: the session to run.
        names: output name -> new name; other outputs keep their names.
    """

    def __init__(self, session: Session, names: Mapping[str, str]) -> None:
        self.input_size, self.precision = session.input_size, session.precision
        self._session, self._names = session, names

    def run(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """See `Session.run`."""
        return {self._names.get(name, name): value for name, value in self._session.run(images).items()}
