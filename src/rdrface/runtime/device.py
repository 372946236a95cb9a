"""The device that runs the networks, and the backend, providers and batch size that belong to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from rdrface.errors import ConfigError
from rdrface.runtime.session import BACKENDS, Backend

Device = Literal["cpu", "cuda"]
DEVICES: tuple[Device, ...] = get_args(Device)

CUDA_PROVIDER = "CUDAExecutionProvider"

BATCH_SIZES: dict[Device, int] = {"cpu": 16, "cuda": 64}
"""Default number of faces per run of the network. On CPUs, a face of a batch of 16 takes half as long as one alone, and
larger batches are no faster (docs/speed.md). The value for CUDA was not measured."""


@dataclass(frozen=True)
class Execution:
    """How the networks are run.

    Attributes:
        backend: see `rdrface.runtime.session.open_graph`.
        providers: ONNX Runtime's execution providers in order of preference; None for its default or for OpenVINO.
        batch_size: default number of faces per run of the network.
    """

    backend: Backend
    providers: Sequence[str] | None
    batch_size: int


def choose_execution(
    device: Device | None = None, backend: Backend | None = None, providers: Sequence[str] | None = None
) -> Execution:
    """Choose how to run the networks.

    Args:
        device: "cpu"; "cuda" for an NVIDIA GPU, which needs the package onnxruntime-gpu; None for the device of the
            providers, or the CPU.
        backend: None for OpenVINO on the CPU and ONNX Runtime on the GPU.
        providers: ONNX Runtime's execution providers; only without a device.

    Raises:
        ConfigError: the device is "cuda", and ONNX Runtime is not installed or has no support for CUDA.
        ValueError: the device or the backend is unknown, the backend cannot use the device, or both a device and
            providers are given.
    """
    if backend is not None and backend not in BACKENDS:
        raise ValueError(f"backend must be one of {', '.join(BACKENDS)}; got {backend!r}")
    if device is None:
        return Execution(backend or "openvino", providers, BATCH_SIZES["cpu"])
    if device not in DEVICES:
        raise ValueError(f"device must be one of {', '.join(DEVICES)}, or None; got {device!r}")
    if providers is not None:
        raise ValueError(f"pass either a device or providers; got device={device!r} and providers={providers!r}")
    if device == "cpu":
        return Execution(backend or "openvino", None, BATCH_SIZES["cpu"])
    if backend == "openvino":
        raise ValueError(
            'device="cuda" needs backend="onnxruntime": OpenVINO does not run on NVIDIA GPUs; leave out the backend'
        )
    _check_cuda()
    # Without the CPU provider in this list, a session on the CPU alone is an error.
    return Execution("onnxruntime", [CUDA_PROVIDER], BATCH_SIZES["cuda"])


def _check_cuda() -> None:
    install = "pip install onnxruntime-gpu, after removing onnxruntime"
    try:
        from onnxruntime import get_available_providers
    except ImportError as error:
        raise ConfigError(f"the device 'cuda' needs the package onnxruntime-gpu ({error}): {install}") from error
    available = get_available_providers()
    if CUDA_PROVIDER not in available:
        raise ConfigError(
            f"the installed ONNX Runtime has no support for CUDA, only for {', '.join(available)}: {install}"
        )
