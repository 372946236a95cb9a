"""How fast, how soon and in how much memory: what `rdrface bench` prints."""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from rdrface.aligner import PACKAGED_WEIGHTS, assemble, load
from rdrface.crop import CropFrame, cut
from rdrface.detection.protocol import Detections
from rdrface.runtime.session import Backend

WIDTH, HEIGHT = 640, 480

_START = """
import json, sys, time
begin = time.perf_counter()
from rdrface.aligner import load
weights, backend, threads, photo, *box = sys.argv[1:]
aligner = load(weights, backend=backend, threads=int(threads))
ready = time.perf_counter()
pixels = __import__("rdrface.image", fromlist=["read_image"]).read_image(photo)
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
    """Figures for one number of threads; times are medians, one photo of 640 x 480 with one face.

    Attributes:
        threads: of the detector and the network.
        detector_ms: finding the face.
        crop_ms: cutting the crop.
        network_ms: RDR on one crop.
        face_ms: making the `Face` from the network's output, its pose and blendshapes.
        mesh_ms: the face's mesh, which is made only when asked for.
        total_ms: detector, crop, network and face together.
        start_s: a new process, from its start to the first face, Python's own start included.
        load_s: of that, importing the package and opening detector and network.
        peak_memory_mb: of that process; None where the system does not tell.
    """

    threads: int
    detector_ms: float
    crop_ms: float
    network_ms: float
    face_ms: float
    mesh_ms: float
    total_ms: float
    start_s: float
    load_s: float
    peak_memory_mb: float | None


def measure(threads: int, weights: Path | None = None, backend: Backend = "openvino", repeats: int = 30) -> Speed:
    """Measure with a number of threads.

    Args:
        threads: 1 or more.
        weights: the packaged file by default.
        backend: "openvino" or "onnxruntime".
        repeats: how often each part is timed; the median counts.
    """
    if repeats < 1:
        raise ValueError(f"repeats must be 1 or more; got {repeats}")
    weights = PACKAGED_WEIGHTS if weights is None else weights
    photo, box = sample_photo()
    aligner = load(weights, backend=backend, threads=threads)
    session, detector = aligner.session, aligner.detector
    size = session.input_size or 0
    frame = CropFrame.from_boxes(box)
    crops = cut(photo, frame, size)
    (face,) = aligner.align(photo, box)

    detector_ms = _median_ms(lambda: detector.detect(photo), repeats)
    crop_ms = _median_ms(lambda: cut(photo, frame, size), repeats)
    network_ms = _median_ms(lambda: session.run(crops), repeats)
    outputs, found = session.run(crops), Detections(box, np.ones(1, np.float32), box)

    def assembled() -> None:
        one = assemble(outputs, frame, found, aligner.model)[0]
        _ = one.pose, one.blendshapes

    face_ms = _median_ms(assembled, repeats)
    mesh_ms = _median_ms(face.mesh, repeats)
    start = _start(weights, backend, threads, photo, box)
    return Speed(
        threads=threads,
        detector_ms=detector_ms,
        crop_ms=crop_ms,
        network_ms=network_ms,
        face_ms=face_ms,
        mesh_ms=mesh_ms,
        total_ms=detector_ms + crop_ms + network_ms + face_ms,
        **start,
    )


def sample_photo() -> tuple[np.ndarray, np.ndarray]:
    """A photo of 640 x 480 and the box of its face, (1, 4): scikit-image's astronaut if installed, else noise.

    The network does the same work whatever it is shown, so noise gives the same times.
    """
    try:
        from skimage import data
    except ImportError:
        noise = np.random.default_rng(0).integers(0, 256, (HEIGHT // 8, WIDTH // 8, 3), np.uint8)
        return cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.array([[250.0, 150, 390, 290]])
    photo = data.astronaut()[:384]
    scale = WIDTH / photo.shape[1]
    box = (np.array([[177.0, 84, 272, 180]]) + 0.5) * scale - 0.5
    return cv2.resize(photo, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), box


def table(results: list[Speed]) -> str:
    """The figures as text, one column per number of threads."""
    rows = [("threads", [str(one.threads) for one in results])]
    labels = {
        "detector_ms": "detector, ms",
        "crop_ms": "crop, ms",
        "network_ms": "network, ms",
        "face_ms": "face, ms",
        "total_ms": "one photo, one face, ms",
        "mesh_ms": "mesh on demand, ms",
        "start_s": "cold start to first face, s",
        "load_s": "  of it import and load, s",
        "peak_memory_mb": "peak memory, MB",
    }
    for name, label in labels.items():
        values = [asdict(one)[name] for one in results]
        digits = 0 if name == "peak_memory_mb" else 2 if name.endswith("_s") else 1
        rows.append((label, ["-" if value is None else f"{value:.{digits}f}" for value in values]))
    width = max(len(label) for label, _ in rows)
    return "\n".join(f"{label:<{width}}" + "".join(f"{value:>10}" for value in values) for label, values in rows)


def _median_ms(call: Callable[[], object], repeats: int) -> float:
    call()
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return 1000 * statistics.median(times)


def _start(weights: Path, backend: Backend, threads: int, photo: np.ndarray, box: np.ndarray) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photo.png"
        path.write_bytes(cv2.imencode(".png", photo[..., ::-1])[1].tobytes())
        command = [sys.executable, "-c", _START, str(weights), backend, str(threads), str(path)]
        begin = time.perf_counter()
        done = subprocess.run([*command, *map(str, box[0])], capture_output=True, text=True, check=False)
        total = time.perf_counter() - begin
    if done.returncode:
        raise RuntimeError(f"the start-up measurement failed: {done.stderr.strip()}")
    told = json.loads(done.stdout)
    return {"start_s": total, "load_s": told["load_s"], "peak_memory_mb": told["peak_memory_mb"]}
