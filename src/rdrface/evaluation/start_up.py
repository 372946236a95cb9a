"""Start-up time and memory, measured in a new process for `rdrface bench`."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

_SCRIPT = """
import json, sys, time
begin = time.perf_counter()
import rdrface
imported = time.perf_counter()
arguments = json.loads(sys.argv[1])
aligner = rdrface.load(arguments["weights"], **arguments["options"])
ready = time.perf_counter()
pixels = __import__("rdrface.image", fromlist=["read_image"]).read_image(arguments["image"])
aligner.detector.detect(pixels)
face, = aligner.align(pixels, arguments["boxes"])
done = time.perf_counter()
try:
    import resource
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
except ImportError:
    peak = None
print(json.dumps({"import_s": imported - begin, "load_s": ready - begin, "peak_memory_mb": peak}))
"""


@dataclass(frozen=True)
class StartUp:
    """Start-up of a new process.

    Attributes:
        import_s: time of ``import rdrface``.
        load_s: time of the import and of `rdrface.load`.
        total_s: time from the start of the process to its end, just after its first face; with the start of Python.
        peak_memory_mb: peak memory; None if the operating system does not provide it.
    """

    import_s: float
    load_s: float
    total_s: float
    peak_memory_mb: float | None


def measure_start_up(
    weights: Path | str | None, options: Mapping[str, Any], image: np.ndarray, boxes: np.ndarray
) -> StartUp:
    """Measure the start-up of a process that detects and aligns a face.

    Args:
        weights: see `rdrface.load`.
        options: further arguments of `rdrface.load`, JSON values.
        image: (H, W, 3) uint8 RGB.
        boxes: (1, 4) xyxy pixels, the face to align.

    Raises:
        RuntimeError: the process failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.png"
        Image.fromarray(image).save(path)
        arguments = {
            "weights": None if weights is None else str(weights),
            "options": dict(options),
            "image": str(path),
            "boxes": boxes.tolist(),
        }
        begin = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", _SCRIPT, json.dumps(arguments)], capture_output=True, text=True, check=False
        )
        total = time.perf_counter() - begin
    if done.returncode:
        raise RuntimeError(f"the start-up measurement failed: {done.stderr.strip()}")
    measured = json.loads(done.stdout)
    return StartUp(measured["import_s"], measured["load_s"], total, measured["peak_memory_mb"])
