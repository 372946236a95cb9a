"""Speed, start-up time and memory of rdrface, measured for `rdrface bench`."""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from rdrface.alignment.assembly import assemble
from rdrface.alignment.crop_alignment import CropAlignment
from rdrface.crop import CropFrame, cut
from rdrface.detection.protocol import Detections
from rdrface.loading import PACKAGED_WEIGHTS, load
from rdrface.runtime.precision import Precision, RequestedPrecision
from rdrface.runtime.session import Backend

WIDTH, HEIGHT = 640, 480
"""Size of the sample image, pixels."""

_START_UP_SCRIPT = """
import json, sys, time
begin = time.perf_counter()
from rdrface.loading import load
weights, backend, threads, precision, image, *box = sys.argv[1:]
aligner = load(weights, backend=backend, threads=int(threads), precision=precision)
ready = time.perf_counter()
pixels = __import__("rdrface.image", fromlist=["read_image"]).read_image(image)
aligner.detector.detect(pixels)
face, = aligner.align(pixels, [[float(value) for value in box]])
done = time.perf_counter()
try:
    import resource
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
except ImportError:
    peak = None
print(json.dumps({"load_s": ready - begin, "first_face_s": done - begin, "peak_memory_mb": peak}))
"""


@dataclass(frozen=True)
class Speed:
    """Speed with one number of threads on an image of 640 x 480 pixels with one face. Times in ms are medians.

    Attributes:
        threads: number of threads of the detector and the network.
        precision: precision of the network.
        detector_ms: time to detect the face.
        crop_ms: time to cut the crop.
        network_ms: time to run the network on one crop.
        face_ms: time to assemble the `Face` from the network's outputs, with its pose and blendshapes.
        mesh_ms: time to compute the face's mesh, which is computed on demand only.
        total_ms: sum of detector, crop, network and face.
        start_s: time from the start of a new process to its first face, including the start of Python.
        load_s: part of `start_s` spent on importing the package and loading detector and network.
        peak_memory_mb: peak memory of that process; None if the operating system does not provide it.
    """

    threads: int
    precision: Precision
    detector_ms: float
    crop_ms: float
    network_ms: float
    face_ms: float
    mesh_ms: float
    total_ms: float
    start_s: float
    load_s: float
    peak_memory_mb: float | None


def measure_speed(
    threads: int,
    weights: Path | None = None,
    backend: Backend = "openvino",
    repeats: int = 30,
    precision: RequestedPrecision = "auto",
) -> Speed:
    """Measure speed, start-up time and memory.

    Args:
        threads: number of threads, 1 or more.
        weights: weights file; None is the packaged one.
        backend: "openvino" or "onnxruntime".
        repeats: number of timings of each part, 1 or more.
        precision: see `rdrface.load`.

    Raises:
        ValueError: `repeats` is less than 1.
        RuntimeError: the process for the start-up time failed.
    """
    if repeats < 1:
        raise ValueError(f"repeats must be 1 or more; got {repeats}")
    weights = PACKAGED_WEIGHTS if weights is None else weights
    image, box = sample_image()
    aligner = load(weights, backend=backend, threads=threads, precision=precision)
    session, detector = aligner.session, aligner.detector
    size = session.input_size or 0
    frame = CropFrame.from_boxes(box)
    crops = cut(image, frame, size)
    (face,) = aligner.align(image, box)

    detector_ms = _median_ms(lambda: detector.detect(image), repeats)
    crop_ms = _median_ms(lambda: cut(image, frame, size), repeats)
    network_ms = _median_ms(lambda: session.run(crops), repeats)
    outputs, detections = session.run(crops), Detections(box, np.ones(1, np.float32), box)

    def assemble_face() -> None:
        assembled = assemble(CropAlignment(frame, outputs), detections, [image.shape[:2]], aligner.model)[0]
        _ = assembled.pose, assembled.blendshapes

    face_ms = _median_ms(assemble_face, repeats)
    mesh_ms = _median_ms(face.mesh, repeats)
    start_up = _measure_start_up(weights, backend, threads, precision, image, box)
    return Speed(
        threads=threads,
        precision=aligner.precision,
        detector_ms=detector_ms,
        crop_ms=crop_ms,
        network_ms=network_ms,
        face_ms=face_ms,
        mesh_ms=mesh_ms,
        total_ms=detector_ms + crop_ms + network_ms + face_ms,
        **start_up,
    )


def sample_image() -> tuple[np.ndarray, np.ndarray]:
    """Image to measure on, and the box of its face: scikit-image's astronaut if installed, otherwise noise.

    The network takes the same time on any image, so noise gives the same times.

    Returns:
        (480, 640, 3) uint8 RGB, and (1, 4) float64 xyxy pixels.
    """
    try:
        from skimage import data
    except ImportError:
        image = np.random.default_rng(0).integers(0, 256, (HEIGHT // 8, WIDTH // 8, 3), np.uint8)
        box = np.array([[250.0, 150, 390, 290]])
    else:
        image = data.astronaut()[:384]
        box = (np.array([[177.0, 84, 272, 180]]) + 0.5) * (WIDTH / image.shape[1]) - 0.5
    return np.asarray(Image.fromarray(image).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)), box


TABLE_NOTE = (
    "Times in ms are medians; the first call of each part is not timed. face: assembling a Face, with its pose and\n"
    "blendshapes, from the outputs of the network. mesh on demand: Face.mesh(), which detect does not call, so it is\n"
    "not part of the time of one image. Cold start and memory are those of one new process, measured once."
)
"""Explanation of the rows of `speed_table`."""


def speed_table(results: list[Speed]) -> str:
    """The measurements as text, with one column per number of threads."""
    rows = [("threads", [str(result.threads) for result in results])]
    labels = {
        "detector_ms": "detector, ms",
        "crop_ms": "crop, ms",
        "network_ms": "network, ms",
        "face_ms": "face, ms",
        "total_ms": "one image, one face, ms",
        "mesh_ms": "mesh on demand, ms",
        "start_s": "cold start to first face, s",
        "load_s": "  of which import and load, s",
        "peak_memory_mb": "peak memory, MB",
    }
    for name, label in labels.items():
        values = [asdict(result)[name] for result in results]
        digits = 0 if name == "peak_memory_mb" else 2 if name.endswith("_s") else 1
        rows.append((label, ["-" if value is None else f"{value:.{digits}f}" for value in values]))
    width = max(len(label) for label, _ in rows)
    return "\n".join(f"{label:<{width}}" + "".join(f"{value:>10}" for value in values) for label, values in rows)


def _median_ms(call: Callable[[], object], repeats: int) -> float:
    """Median time in ms of `repeats` calls, after a first call that is not timed: it loads files and fills caches."""
    call()
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return 1000 * statistics.median(times)


def _measure_start_up(
    weights: Path, backend: Backend, threads: int, precision: RequestedPrecision, image: np.ndarray, box: np.ndarray
) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.png"
        Image.fromarray(image).save(path)
        command = [sys.executable, "-c", _START_UP_SCRIPT, str(weights), backend, str(threads), precision, str(path)]
        begin = time.perf_counter()
        done = subprocess.run([*command, *map(str, box[0])], capture_output=True, text=True, check=False)
        total = time.perf_counter() - begin
    if done.returncode:
        raise RuntimeError(f"the start-up measurement failed: {done.stderr.strip()}")
    measured = json.loads(done.stdout)
    return {"start_s": total, "load_s": measured["load_s"], "peak_memory_mb": measured["peak_memory_mb"]}
