"""Running an ONNX graph, on OpenVINO or on ONNX Runtime, behind one small protocol.

The two packages are imported only when a session of theirs is opened: each costs memory and a third of a second.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Literal, Protocol

import numpy as np

from rdrface.errors import WeightsError
from rdrface.runtime.weights import WeightsInfo, graph_path, read_info, verify

Backend = Literal["openvino", "onnxruntime"]
BACKENDS: tuple[Backend, ...] = ("openvino", "onnxruntime")

OUTPUTS = (
    "landmarks",
    "landmarks_jawline",
    "projection",
    "projection_jawline",
    "parameters",
    "visibility",
    "uncertainty",
)
"""Outputs of the exported RDR, all in the crop frame: S_K (B, 68, 2), S_K with the contour on the absolute jawline
(B, 68, 2), S_p with z (B, 68, 3), the 3D face's 68 points with the contour on the absolute jawline (B, 68, 3),
Q (B, 103), the probability that a point is not hidden (B, 68), its expected error (B, 68)."""

CUSTOM_LANDMARKS = "custom_landmarks"
"""Additional output of weights fine-tuned to another annotation scheme: its landmarks (B, L, 2), crop frame."""

_OUTPUTS_OF_0_1 = {
    "absolute": "landmarks_jawline",
    "jawline": "projection_jawline",
    "Q": "parameters",
    "visible": "visibility",
    "sigma": "uncertainty",
    "own": CUSTOM_LANDMARKS,
}
"""Output names in weights files of format version 1 -> names of today."""


class Session(Protocol):
    """A graph with one input, ready to run."""

    input_size: int | None
    """Side N of the square images that the graph takes, or None where any size will do."""

    def run(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Run the graph: (B, 3, H, W) float32 in, output name -> (B, ...) array out. The arrays are the caller's."""


class OpenVINOSession:
    """A graph on OpenVINO's CPU plugin, computed in float32.

    Args:
        graph: path of an ONNX file, whose external data lies beside it, or the bytes of one without external data.
        threads: how many the session may use; None leaves it to OpenVINO.
        settings: further properties of OpenVINO's `compile_model`, e.g. ``{"INFERENCE_PRECISION_HINT": "bf16"}``, twice
            as fast where the processor has it, at about three digits.
    """

    def __init__(self, graph: Path | bytes, threads: int | None = None, settings: dict[str, Any] | None = None):
        import openvino

        # Without the precision hint OpenVINO picks bfloat16 by itself on processors that have it.
        wanted: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1}
        # OpenVINO keeps what it compiled for every picture size it has met, 300 MB after 80 sizes. The last size, which
        # is what a stream of photos has, stays fast without that.
        wanted["CPU_RUNTIME_CACHE_CAPACITY"] = 64
        if threads is not None:
            wanted["INFERENCE_NUM_THREADS"] = check_threads(threads)
        core = openvino.Core()
        read = core.read_model(graph if isinstance(graph, bytes) else str(graph))
        model = core.compile_model(read, "CPU", wanted | (settings or {}))
        self._names = [_public_name(output.get_names()) for output in model.outputs]
        self._request = model.create_infer_request()
        self._lock = Lock()
        self.input_size = _square([d.get_length() if d.is_static else None for d in model.input(0).partial_shape])

    def run(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """See `Session.run`. Threads that call it together wait for each other."""
        with self._lock:
            results = self._request.infer([np.ascontiguousarray(images, np.float32)], share_inputs=True)
            # Copies: OpenVINO writes the next results into the same memory.
            return {name: np.array(value) for name, value in zip(self._names, results.values(), strict=True)}


class ONNXRuntimeSession:
    """A graph on ONNX Runtime.

    Args:
        graph: path of an ONNX file, whose external data lies beside it, or the bytes of one without external data.
        threads: how many the session may use; None leaves it to ONNX Runtime.
        providers: names of ONNX Runtime's execution providers in order of preference, e.g.
            ``["CUDAExecutionProvider", "CPUExecutionProvider"]``. The default is the processor.
    """

    def __init__(self, graph: Path | bytes, threads: int | None = None, providers: Sequence[str] | None = None):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        if threads is not None:
            options.intra_op_num_threads = check_threads(threads)
            options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            graph if isinstance(graph, bytes) else str(graph), options, list(providers or ["CPUExecutionProvider"])
        )
        self._names = [output.name for output in self._session.get_outputs()]
        self._input = self._session.get_inputs()[0].name
        shape = self._session.get_inputs()[0].shape
        self.input_size = _square([d if isinstance(d, int) else None for d in shape])

    def run(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """See `Session.run`."""
        results = self._session.run(self._names, {self._input: np.ascontiguousarray(images, np.float32)})
        return dict(zip(self._names, results, strict=True))


def open_graph(
    graph: Path | bytes,
    backend: Backend = "openvino",
    threads: int | None = None,
    providers: Sequence[str] | None = None,
) -> Session:
    """Open any ONNX graph with one input.

    Args:
        graph: see `OpenVINOSession`.
        backend: "openvino" or "onnxruntime".
        threads: see `OpenVINOSession`.
        providers: see `ONNXRuntimeSession`; only with "onnxruntime".

    Raises:
        ValueError: unknown backend, `threads` below 1, or providers for OpenVINO.
    """
    if backend == "openvino":
        if providers is not None:
            raise ValueError(f'providers are ONNX Runtime\'s: pass backend="onnxruntime" too; got {list(providers)}')
        return OpenVINOSession(graph, threads)
    if backend == "onnxruntime":
        return ONNXRuntimeSession(graph, threads, providers)
    raise ValueError(f"backend must be one of {', '.join(BACKENDS)}; got {backend!r}")


def open_session(
    weights: Path,
    backend: Backend = "openvino",
    threads: int | None = None,
    providers: Sequence[str] | None = None,
) -> tuple[Session, WeightsInfo]:
    """Check a weights file and its graph and open a session for them.

    Args:
        weights: path of ``NAME.safetensors``; ``NAME.onnx`` lies beside it.
        backend: "openvino" or "onnxruntime".
        threads: see `OpenVINOSession`.
        providers: see `ONNXRuntimeSession`.

    Raises:
        WeightsError: a file is missing, damaged, not one of rdrface, or cannot be run.
        ValueError: see `open_graph`.
    """
    weights = Path(weights)
    info, _ = read_info(weights)
    verify(weights, info)
    written_as = info.config.get("file_name", weights.name)
    if written_as != weights.name:
        raise WeightsError(
            f"{weights} was renamed: its graph looks for its weights under the name {written_as!r}. Give the file its "
            "name back, or export again under the new one"
        )
    try:
        session = open_graph(graph_path(weights), backend, threads, providers)
    except ImportError as error:
        raise WeightsError(f"the backend {backend!r} is not installed: pip install {backend}") from error
    except ValueError:
        raise
    except Exception as error:  # each runtime has exceptions of its own
        raise WeightsError(f"{backend} cannot run {graph_path(weights)}: {error}") from error
    if session.input_size != info.input_size:
        raise WeightsError(
            f"{weights} states a crop size of {info.input_size} pixels, its graph takes {session.input_size}: "
            "take both files from one export"
        )
    return (session if info.format_version > 1 else _RenamedOutputs(session, _OUTPUTS_OF_0_1)), info


def check_threads(threads: int) -> int:
    """A number of threads, at least 1."""
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise ValueError(f"threads must be a whole number of at least 1, or None; got {threads!r}")
    return threads


class _RenamedOutputs:
    """A session whose outputs have other names.

    Args:
        session: the session to run.
        names: name of an output -> new name; outputs that are missing here keep their names.
    """

    def __init__(self, session: Session, names: Mapping[str, str]) -> None:
        self.input_size = session.input_size
        self._session, self._names = session, names

    def run(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """See `Session.run`."""
        return {self._names.get(name, name): value for name, value in self._session.run(images).items()}


def _public_name(names: set[str]) -> str:
    # OpenVINO lists the names of inner tensors together with the output's own.
    known = names.intersection((*OUTPUTS, CUSTOM_LANDMARKS, *_OUTPUTS_OF_0_1))
    return min(known) if known else min(names)


def _square(shape: list[int | None]) -> int | None:
    return shape[-1] if len(shape) == 4 and shape[-1] == shape[-2] else None
