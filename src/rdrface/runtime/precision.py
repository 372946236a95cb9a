"""Numerical precision of the networks: which ones this machine runs fast, and the choice of `load(precision="auto")`.

float32: everything in float32. bfloat16: convolutions and large matrix products in bfloat16. int8: the same operators
in 8-bit integers, with the ranges that `rdrface quantize` measured. The geometry is float32 in all three.
"""

import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

from rdrface.errors import ConfigError

Precision = Literal["float32", "int8", "bfloat16"]
"""Precision of a session."""

RequestedPrecision = Literal["auto", "float32", "int8", "bfloat16"]
PRECISIONS: tuple[RequestedPrecision, ...] = get_args(RequestedPrecision)

_INT8_INSTRUCTIONS = {"avx512_vnni", "avx_vnni", "avx512vnni", "amx_int8"}
"""Flags of x86 processors that add four 8-bit products in 32 bits. Without them, int8 is no faster than float32, and
some kernels add in 16 bits, which can overflow."""

_CPU_PROVIDERS = ("CPUExecutionProvider",)


def choose_precision(
    requested: RequestedPrecision,
    backend: str = "openvino",
    providers: Sequence[str] | None = None,
    missing_int8: str | None = None,
) -> Precision:
    """Choose the precision of a session.

    "auto" is the fastest that is available here: int8, otherwise bfloat16, otherwise float32.

    Args:
        requested: one of `PRECISIONS`.
        backend: "openvino" or "onnxruntime".
        providers: ONNX Runtime's execution providers; None for its default or for OpenVINO.
        missing_int8: why the network cannot be run in int8 and what to do; None if it has an int8 graph.

    Raises:
        ConfigError: the requested precision is not available; the message contains the reason.
        ValueError: `requested` is not one of `PRECISIONS`.
    """
    if requested not in PRECISIONS:
        raise ValueError(f"precision must be one of {', '.join(PRECISIONS)}; got {requested!r}")
    if requested == "float32":
        return "float32"
    is_cpu = providers is None or tuple(providers) == _CPU_PROVIDERS
    int8 = _int8_obstacle(is_cpu, missing_int8)
    if requested != "bfloat16" and int8 is None:
        return "int8"
    bfloat16 = _bfloat16_obstacle(backend)
    if requested != "int8" and bfloat16 is None:
        return "bfloat16"
    if requested == "auto":
        return "float32"
    obstacle = int8 if requested == "int8" else bfloat16
    raise ConfigError(f"precision {requested!r} is not available: {obstacle}; or choose 'auto' or 'float32'")


def _int8_obstacle(is_cpu: bool, missing_int8: str | None) -> str | None:
    if missing_int8 is not None:
        return missing_int8
    if not is_cpu:
        return "it needs the CPU: leave out the device and the providers"
    if not _INT8_INSTRUCTIONS & cpu_flags():
        return "it needs a processor with VNNI instructions, which this one lacks"
    return None


def _bfloat16_obstacle(backend: str) -> str | None:
    if backend != "openvino":
        return "it needs the backend 'openvino'"
    try:
        import openvino
    except ImportError:  # reported when the session is opened
        return "it needs the package openvino"
    if "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        return "it needs a processor with bfloat16 instructions, which this one lacks"
    return None


def cpu_flags() -> frozenset[str]:
    """Names of the processor's instruction sets, lower case; empty on processors other than x86.

    From /proc/cpuinfo on Linux. On other systems, from NumPy, which does not report AVX-VNNI. OpenVINO cannot be asked:
    it reports INT8 for every x86 processor.
    """
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return frozenset()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        return frozenset(next(line for line in lines if line.startswith("flags")).partition(":")[2].split())
    except (OSError, StopIteration):
        pass
    try:
        from numpy._core._multiarray_umath import __cpu_features__
    except ImportError:
        return frozenset()
    return frozenset(name.lower() for name, present in __cpu_features__.items() if present)
