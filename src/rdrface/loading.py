"""Loading an aligner from weights files."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from os import PathLike
from pathlib import Path

import numpy as np

from rdrface.aligner import Aligner
from rdrface.alignment.selection import DEFAULT_ORDER, MAX_UNCERTAINTY, Order
from rdrface.detection.protocol import Detector
from rdrface.detection.retinaface import MAX_SIDE, SCORE_THRESHOLD, RetinaFace
from rdrface.detection.retinaface import weights as retinaface_weights
from rdrface.errors import WeightsError
from rdrface.face import packaged_model
from rdrface.morphable.landmark_model import LandmarkModel
from rdrface.morphable.model import FACE_MODEL_TOLERANCE, FaceModel
from rdrface.runtime.device import Device, Execution, choose_execution
from rdrface.runtime.hub_folder import local_weights
from rdrface.runtime.precision import RequestedPrecision, choose_precision
from rdrface.runtime.session import Backend, Session, check_count, open_graph
from rdrface.runtime.weights import WeightsInfo, read_tensors
from rdrface.runtime.weights_session import open_session

PACKAGED_WEIGHTS = Path(__file__).parent / "weights" / "rdr.safetensors"

PACKAGED = "packaged"
"""Name of the packaged full weights, where an option also takes a path."""

LITE = "lite"
"""Name of the packaged light weights."""

LITE_WEIGHTS = PACKAGED_WEIGHTS.with_name("rdr_lite.safetensors")


def weights_path(weights: Path | str | None) -> Path:
    """Path of the weights file for the argument `weights` of `load`.

    Raises:
        TypeError: `weights` is not a path.
        WeightsError: `weights` is a folder that cannot be used, or the name of a model on the Hugging Face Hub.
    """
    if weights is None:
        return PACKAGED_WEIGHTS
    if not isinstance(weights, str | PathLike):
        raise TypeError(f'weights must be a path, "{LITE}" or None; got {weights!r}')
    return LITE_WEIGHTS if weights == LITE else local_weights(weights)


def load(
    weights: Path | str | None = None,
    *,
    device: Device | None = None,
    backend: Backend | None = None,
    providers: Sequence[str] | None = None,
    threads: int | None = None,
    precision: RequestedPrecision = "auto",
    size: int | None = None,
    batch_size: int | None = None,
    detector: Detector | None = None,
    score_threshold: float | None = None,
    max_side: int | None = None,
    max_uncertainty: float | None = MAX_UNCERTAINTY,
    order: Order = DEFAULT_ORDER,
) -> Aligner:
    """Load an aligner with the packaged weights or with your own.

    Args:
        weights: path of a ``NAME.safetensors`` written by `rdrface train`, `finetune` or `export`, with its graph
            ``NAME.onnx`` in the same folder; a folder written by `rdrface hub`, for example a downloaded model of the
            Hugging Face Hub (docs/hub.md); None for the packaged weights; "lite" for the packaged light weights, which
            are several times faster and less accurate (docs/speed.md). A file with the name lite is ``./lite``.
        device: "cpu", or "cuda" for an NVIDIA GPU, which needs the package onnxruntime-gpu; None for the device of the
            providers, or the CPU.
        backend: "openvino" or "onnxruntime"; None for OpenVINO on the CPU and ONNX Runtime on the GPU.
        providers: ONNX Runtime's execution providers in order of preference, for example
            ``["CUDAExecutionProvider", "CPUExecutionProvider"]``; only with ``backend="onnxruntime"``, and without
            a device.
        threads: number of threads of the detector and of the network; None lets the backend choose.
        precision: "float32", "int8", "bfloat16", or "auto" for the fastest of them that this processor supports and
            that costs less than 0.05 % NME (docs/speed.md). int8 needs ``NAME.int8.onnx`` in the folder of the weights;
            without it, "auto" does not choose int8.
        size: side of the network's crops in pixels, one of those that the weights file has a graph for, for example 128
            and 256: a larger crop is more accurate on large faces up to 60 degrees of yaw, and slower (docs/speed.md).
            None for the file's default.
        batch_size: maximum number of faces per run of the network, see `Aligner`; None for 16 on the CPU and 64 with
            ``device="cuda"``.
        detector: finds the faces; RetinaFace by default.
        score_threshold: minimum score of a face, 0..1, for the default detector (0.6).
        max_side: longest side of the image for the default detector, pixels (1280); larger images are downscaled for
            detection. Images that are more elongated than 16:9 get as many pixels as a 16:9 image of this side
            (docs/detection.md).
        max_uncertainty, order: see `Aligner`.

    Raises:
        WeightsError: a file is missing or damaged, or was not written by rdrface.
        ConfigError: the package of the backend is not installed, it cannot use the device, or the precision or the
            size is not available.
        TypeError: `weights` is not a path, or `providers` is not a list.
        ValueError: the device, the backend or the precision is unknown, a number is out of range, providers are given
            with OpenVINO or with a device, OpenVINO is given with "cuda", or a setting of the default detector is given
            together with another `detector`.
    """
    path = weights_path(weights)
    if size is not None:
        check_count("size", size)
    if detector is not None and (score_threshold is not None or max_side is not None):
        raise ValueError(
            "score_threshold and max_side are settings of the default detector: set them in your own detector"
        )
    execution = choose_execution(device, backend, providers)
    # The detector is opened on another core meanwhile.
    with ThreadPoolExecutor(1) as executor:
        opening = executor.submit(_open_detector, execution, threads, precision) if detector is None else None
        session, info = open_session(path, execution.backend, threads, execution.providers, precision, size)
        _check_face_model(path, info, packaged_model())
        if opening is not None:
            detector = RetinaFace(
                opening.result(),
                score_threshold=SCORE_THRESHOLD if score_threshold is None else score_threshold,
                max_side=MAX_SIDE if max_side is None else max_side,
            )
    assert detector is not None
    return Aligner(
        session,
        detector,
        batch_size=execution.batch_size if batch_size is None else batch_size,
        max_uncertainty=max_uncertainty,
        order=order,
    )


def _open_detector(execution: Execution, threads: int | None, requested: RequestedPrecision) -> Session:
    # Each of the two networks has its own "auto": weights without an int8 graph do not change the detector.
    precision = choose_precision(requested, execution.backend, execution.providers)
    return open_graph(retinaface_weights(precision), execution.backend, threads, execution.providers, precision)


def _check_face_model(weights: Path, info: WeightsInfo, model: FaceModel) -> None:
    # The graph computes the landmarks with its own copy of the face model, and `Face.mesh` uses the packaged one.
    packaged = LandmarkModel.from_face_model(model).buffers()
    stored = read_tensors(weights, [f"projection.{name}" for name in ("mean", "identity_basis", "expression_basis")])
    for name, tensor in stored.items():
        expected = packaged[name.removeprefix("projection.")]
        if tensor.shape != expected.shape or np.abs(tensor - expected).max() > FACE_MODEL_TOLERANCE:
            raise WeightsError(
                f"{weights} was trained with another face model, so its 3D output would be wrong in this version of "
                f"rdrface. Train and export with this version, or install the version that wrote it ({info.version})"
            )
