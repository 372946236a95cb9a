"""Inference sessions that run an ONNX graph with OpenVINO or ONNX Runtime.

Each of the two packages is imported only when a session needs it, because the import takes memory and a third of a
second. ONNX Runtime is optional: ``pip install rdrface[onnxruntime]``.
"""

from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Literal, NoReturn, Protocol

import numpy as np

from rdrface.errors import ConfigError
from rdrface.runtime.bfloat16 import use_bfloat16
from rdrface.runtime.precision import Precision
from rdrface.runtime.requests_by_batch import RequestsByBatch
from rdrface.runtime.requests_by_shape import RequestsByShape

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
Q (B, 103), the probability that a point is visible (B, 68), and its expected error (B, 68)."""

CUSTOM_LANDMARKS = "custom_landmarks"
"""Further output of weights that were fine-tuned to another annotation scheme: its landmarks (B, L, 2), crop frame."""

OUTPUTS_OF_0_1 = {
    "absolute": "landmarks_jawline",
    "jawline": "projection_jawline",
    "Q": "parameters",
    "visible": "visibility",
    "sigma": "uncertainty",
    "own": CUSTOM_LANDMARKS,
}
"""Output names in weights files of format version 1 -> current names."""


class Session(Protocol):
    """An inference session: a graph with one input, ready to run."""

    input_size: int | None
    """Side N of the square images that the graph expects, or None if it accepts any size."""

    precision: Precision
    """Precision of the convolutions and large matrix products."""

    def run(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Run the graph on images (B, 3, H, W) float32.

        Returns:
            Output name -> array (B, ...). Later calls do not change these arrays.
        """


class _NotPicklable:
    """Base class of the sessions: compiled graphs cannot be pickled or copied."""

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "an inference session, and an Aligner or a detector that uses it, cannot be pickled or copied: load it in "
            "each process with rdrface.load()"
        )


class OpenVINOSession(_NotPicklable):
    """Session that runs a graph with OpenVINO's CPU plugin.

    Args:
        graph: path of an ONNX file with its external data in the same folder, or the bytes of an ONNX file without
            external data.
        threads: number of threads; None lets OpenVINO choose.
        precision: "bfloat16" converts a float32 graph, see `use_bfloat16`; "int8" states that the graph is quantized.
        settings: additional properties for OpenVINO's `compile_model`.

    Raises:
        ConfigError: OpenVINO is not installed.
        ValueError: `threads` is below 1.
    """

    def __init__(
        self,
        graph: Path | bytes,
        threads: int | None = None,
        precision: Precision = "float32",
        settings: dict[str, Any] | None = None,
    ):
        try:
            import openvino
        except ImportError as error:
            raise ConfigError(
                f"the backend 'openvino' needs the package openvino ({error}): pip install openvino"
            ) from error

        # Without the precision hint, OpenVINO uses bfloat16 for everything on processors that support it.
        properties: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": "f32",
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": 1,
        }
        # OpenVINO caches the compiled graph of every image size, 300 MB after 80 sizes. With a smaller cache, the last
        # sizes stay fast, which is enough for images of one size.
        properties["CPU_RUNTIME_CACHE_CAPACITY"] = 64
        if threads is not None:
            properties["INFERENCE_NUM_THREADS"] = check_count("threads", threads)
        core = openvino.Core()
        model = core.read_model(graph if isinstance(graph, bytes) else str(graph))
        if precision == "bfloat16" and not use_bfloat16(model):
            properties["INFERENCE_PRECISION_HINT"] = "bf16"
        self._names = [_public_name(output.get_names()) for output in model.outputs]
        self._lock = Lock()
        self.precision: Precision = precision
        self.input_size = _square([d.get_length() if d.is_static else None for d in model.input(0).partial_shape])
        requests = RequestsByShape if self.input_size is None else RequestsByBatch
        self._requests: RequestsByShape | RequestsByBatch = requests(core, model, properties | (settings or {}))

    def run(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """See `Session.run`. Concurrent calls from several threads run one after the other."""
        with self._lock:
            request = self._requests.request(np.shape(images))
            results = request.infer([np.ascontiguousarray(images, np.float32)], share_inputs=True, share_outputs=True)
            # The results are copied, because OpenVINO reuses their memory in the next call.
            return {name: np.array(value) for name, value in zip(self._names, results.values(), strict=True)}

    def reset(self) -> None:
        """Run as after loading: without it, the last digits of a result can depend on the sizes of earlier images."""
        with self._lock:
            if isinstance(self._requests, RequestsByShape):
                self._requests.reset()


class ONNXRuntimeSession(_NotPicklable):
    """Session that runs a graph with ONNX Runtime.

    Args:
        graph: path of an ONNX file with its external data in the same folder, or the bytes of an ONNX file without
            external data.
        threads: number of threads; None lets ONNX Runtime choose.
        providers: names of ONNX Runtime's execution providers in order of preference, e.g.
            ``["CUDAExecutionProvider", "CPUExecutionProvider"]``; default: the CPU. Operators that none of them can run
            are run on the CPU. If the list does not contain "CPUExecutionProvider", one of them must be usable.
        precision: "float32", or "int8" if the graph is quantized.

    Raises:
        ConfigError: ONNX Runtime is not installed, or cannot use any of the providers on this machine.
        ValueError: `threads` is below 1, or a provider is not available.
    """

    def __init__(
        self,
        graph: Path | bytes,
        threads: int | None = None,
        providers: Sequence[str] | None = None,
        precision: Precision = "float32",
    ):
        try:
            import onnxruntime
        except ImportError as error:
            raise ConfigError(
                f"the backend 'onnxruntime' needs the package onnxruntime ({error}): "
                "pip install 'rdrface[onnxruntime]', or pip install onnxruntime-gpu for CUDA"
            ) from error

        chosen = ["CPUExecutionProvider"] if providers is None else _check_providers(providers)
        options = onnxruntime.SessionOptions()
        if threads is not None:
            options.intra_op_num_threads = check_count("threads", threads)
            options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(graph if isinstance(graph, bytes) else str(graph), options, chosen)
        # ONNX Runtime silently uses the CPU if it cannot load CUDA, for example.
        if not set(chosen) & set(self._session.get_providers()):
            raise ConfigError(
                f"ONNX Runtime cannot use {', '.join(chosen)} on this machine: the GPU, its driver, CUDA or cuDNN is "
                "missing, or the version of CUDA or cuDNN is not the one that this onnxruntime-gpu needs"
            )
        self._names = [output.name for output in self._session.get_outputs()]
        self._input = self._session.get_inputs()[0].name
        shape = self._session.get_inputs()[0].shape
        self.input_size = _square([d if isinstance(d, int) else None for d in shape])
        self.precision: Precision = precision

    def run(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """See `Session.run`."""
        results = self._session.run(self._names, {self._input: np.ascontiguousarray(images, np.float32)})
        return dict(zip(self._names, results, strict=True))


def open_graph(
    graph: Path | bytes,
    backend: Backend = "openvino",
    threads: int | None = None,
    providers: Sequence[str] | None = None,
    precision: Precision = "float32",
) -> Session:
    """Open a session for any ONNX graph with one input.

    Args:
        graph: see `OpenVINOSession`.
        backend: "openvino" or "onnxruntime".
        threads: see `OpenVINOSession`.
        providers: see `ONNXRuntimeSession`; only with "onnxruntime".
        precision: see `OpenVINOSession`; "bfloat16" only with "openvino".

    Raises:
        ConfigError: the package of the backend is not installed.
        TypeError: `providers` is not a list.
        ValueError: the backend is unknown, `threads` is below 1, or providers are given with OpenVINO.
    """
    check_providers_type(providers)
    if backend == "openvino":
        if providers is not None:
            raise ValueError(
                f'providers need backend="onnxruntime"; got backend="openvino" and providers {providers!r}'
            )
        return OpenVINOSession(graph, threads, precision)
    if backend == "onnxruntime":
        if precision == "bfloat16":
            raise ValueError('precision "bfloat16" needs backend="openvino"; got backend="onnxruntime"')
        return ONNXRuntimeSession(graph, threads, providers, precision)
    raise ValueError(f"backend must be one of {', '.join(BACKENDS)}; got {backend!r}")


def check_providers_type(providers: object) -> None:
    """Check that `providers` is None or a list.

    Raises:
        TypeError: it is not.
    """
    if providers is not None and not isinstance(providers, Sequence):
        raise TypeError(f"providers must be a list of names of execution providers; got {providers!r}")


def check_count(name: str, value: int) -> int:
    """Return an argument that must be a whole number of at least 1.

    Raises:
        ValueError: it is not; the message has its name.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(f"{name} must be a whole number of at least 1; got {value!r}")
    return int(value)


def _check_providers(providers: Sequence[str]) -> list[str]:
    import onnxruntime

    available = onnxruntime.get_available_providers()
    names = [] if isinstance(providers, str) or not isinstance(providers, Sequence) else list(providers)
    if not names or not set(names) <= set(available):
        raise ValueError(
            f"providers must be a list of execution providers that this onnxruntime has: {', '.join(available)}; "
            f"got {providers!r}. For CUDA, install onnxruntime-gpu instead of onnxruntime"
        )
    return names


def _public_name(names: set[str]) -> str:
    # OpenVINO lists the names of internal tensors together with the name of the output.
    known = names.intersection((*OUTPUTS, CUSTOM_LANDMARKS, *OUTPUTS_OF_0_1))
    return min(known) if known else min(names)


def _square(shape: list[int | None]) -> int | None:
    return shape[-1] if len(shape) == 4 and shape[-1] == shape[-2] else None
