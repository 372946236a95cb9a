"""Speed, start-up time and memory of rdrface, measured for `rdrface bench`."""

import itertools
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import rdrface
from rdrface.aligner import Aligner
from rdrface.alignment.assembly import assemble
from rdrface.alignment.crop_alignment import CropAlignment
from rdrface.crop import CropFrame, cut
from rdrface.detection.protocol import Detections
from rdrface.evaluation.start_up import measure_start_up
from rdrface.loading import load
from rdrface.runtime.precision import Precision

WIDTH, HEIGHT = 640, 480
"""Size of the sample image, pixels."""

BATCH = 32
"""Number of faces in the measurement of batches."""

FRAMES_PER_SECOND = 30
"""Frame rate in the measurement of the tracker."""


@dataclass(frozen=True)
class Speed:
    """Speed with one number of threads on an image of 640 x 480 pixels with one face. Times in ms are medians.

    Attributes:
        threads: number of threads of the detector and the network.
        precision: precision of the network.
        detector_ms: time to detect the face.
        crop_ms: time to cut the crop.
        network_ms: time to run the network on one crop.
        batch_ms: time per face to run the network on 32 crops, in batches of the aligner's default size.
        face_ms: time to assemble the `Face` from the network's outputs, with its pose and blendshapes.
        mesh_ms: time to compute the face's mesh, which is computed on demand only.
        total_ms: sum of detector, crop, network and face.
        tracker_ms: time of `Tracker.update` per frame of a video in which the face moves by a pixel per frame; None if
            this version has no tracker, or the sample image contains noise.
        import_s: time of ``import rdrface`` in a new process, without the start of Python.
        start_s: time from the start of a new process to its first face, including the start of Python.
        load_s: part of `start_s` spent on importing the package and loading detector and network.
        peak_memory_mb: peak memory of that process; None if the operating system does not provide it.
    """

    threads: int
    precision: Precision
    detector_ms: float
    crop_ms: float
    network_ms: float
    batch_ms: float
    face_ms: float
    mesh_ms: float
    total_ms: float
    tracker_ms: float | None
    import_s: float
    start_s: float
    load_s: float
    peak_memory_mb: float | None


def measure_speed(threads: int, weights: Path | str | None = None, repeats: int = 30, **options: Any) -> Speed:
    """Measure speed, start-up time and memory.

    Args:
        threads: number of threads, 1 or more.
        weights: see `rdrface.load`.
        repeats: number of timings of each part, 1 or more.
        options: further arguments of `rdrface.load`, JSON values.

    Raises:
        ValueError: `repeats` is less than 1.
        RuntimeError: the process for the start-up time failed.
    """
    if repeats < 1:
        raise ValueError(f"repeats must be 1 or more; got {repeats}")
    image, box = sample_image()
    aligner = load(weights, threads=threads, **options)
    session, detector = aligner.session, aligner.detector
    size = session.input_size or 0
    frame = CropFrame.from_boxes(box)
    crops = cut(image, frame, size)
    (face,) = aligner.align(image, box)

    detector_ms = _median_ms(lambda: detector.detect(image), repeats)
    crop_ms = _median_ms(lambda: cut(image, frame, size), repeats)
    network_ms = _median_ms(lambda: session.run(crops), repeats)
    many = np.repeat(crops, BATCH, axis=0)

    def run_batches() -> None:
        for start in range(0, BATCH, aligner.batch_size):
            session.run(many[start : start + aligner.batch_size])

    batch_ms = _median_ms(run_batches, max(1, repeats // 5)) / BATCH
    outputs, detections = session.run(crops), Detections(box, np.ones(1, np.float32), box)

    def assemble_face() -> None:
        assembled = assemble(CropAlignment(frame, outputs), detections, [image.shape[:2]], aligner.model)[0]
        _ = assembled.pose, assembled.blendshapes

    face_ms = _median_ms(assemble_face, repeats)
    mesh_ms = _median_ms(face.mesh, repeats)
    start_up = measure_start_up(weights, {"threads": threads, **options}, image, box)
    return Speed(
        threads=threads,
        precision=aligner.precision,
        detector_ms=detector_ms,
        crop_ms=crop_ms,
        network_ms=network_ms,
        batch_ms=batch_ms,
        face_ms=face_ms,
        mesh_ms=mesh_ms,
        total_ms=detector_ms + crop_ms + network_ms + face_ms,
        tracker_ms=_tracker_ms(aligner, image, repeats),
        import_s=start_up.import_s,
        start_s=start_up.total_s,
        load_s=start_up.load_s,
        peak_memory_mb=start_up.peak_memory_mb,
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
    rows: list[tuple[str, list[str]]] = [
        ("threads", [str(result.threads) for result in results]),
        ("precision", [result.precision for result in results]),
    ]
    labels = {
        "detector_ms": "detector, ms",
        "crop_ms": "crop, ms",
        "network_ms": "network, ms",
        "face_ms": "face, ms",
        "batch_ms": f"network per face, batch of {BATCH}, ms",
        "total_ms": "one image, one face, ms",
        "mesh_ms": "mesh on demand, ms",
        "tracker_ms": "tracker, frame of a video, ms",
        "import_s": "import rdrface, s",
        "start_s": "cold start to first face, s",
        "load_s": "  of which import and load, s",
        "peak_memory_mb": "peak memory, MB",
    }
    for name, label in labels.items():
        values = [asdict(result)[name] for result in results]
        digits = 3 if name == "import_s" else 0 if name == "peak_memory_mb" else 2 if name.endswith("_s") else 1
        rows.append((label, ["-" if value is None else f"{value:.{digits}f}" for value in values]))
    width = max(len(label) for label, _ in rows)
    return "\n".join(f"{label:<{width}}" + "".join(f"{value:>10}" for value in values) for label, values in rows)


def _tracker_ms(aligner: Aligner, image: np.ndarray, repeats: int) -> float | None:
    """Median time of a frame in ms; None if there is no tracker or no face to follow."""
    if not hasattr(rdrface, "Tracker") or not aligner.detect(image):
        return None
    tracker = rdrface.Tracker(aligner)
    frames = (np.ascontiguousarray(np.roll(image, i, axis=1)) for i in itertools.count())
    times = []
    for i, frame in zip(range(repeats + 5), frames, strict=False):
        begin = time.perf_counter()
        tracker.update(frame, i / FRAMES_PER_SECOND)
        times.append(time.perf_counter() - begin)
    return 1000 * statistics.median(times[5:])


def _median_ms(call: Callable[[], object], repeats: int) -> float:
    """Median time in ms of `repeats` calls, after a first call that is not timed: it loads files and fills caches."""
    call()
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return 1000 * statistics.median(times)
