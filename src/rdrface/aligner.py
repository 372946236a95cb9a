"""The aligner: finds the faces of an image and aligns them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from rdrface.alignment.assembly import assemble
from rdrface.alignment.crop_alignment import CropAligner
from rdrface.alignment.duplicates import without_duplicates
from rdrface.alignment.retries import align_with_retries
from rdrface.alignment.turned_detection import quarters_of, turned_back
from rdrface.detection.box_checks import check_boxes, check_boxes_in_image
from rdrface.detection.protocol import Detections, Detector
from rdrface.detection.retinaface import MAX_SIDE, SCORE_THRESHOLD, RetinaFace
from rdrface.detection.retinaface import weights as retinaface_weights
from rdrface.errors import WeightsError
from rdrface.face import Face, packaged_model
from rdrface.image import ImageSource, is_image_source, read_image
from rdrface.morphable.landmark_model import LandmarkModel
from rdrface.morphable.model import FACE_MODEL_TOLERANCE, FaceModel
from rdrface.runtime.session import Backend, Session, check_count, open_graph, open_session
from rdrface.runtime.weights import WeightsInfo, read_tensors

MAX_UNCERTAINTY = 10.0
"""Default maximum of `Face.expected_error`, percent of the face size, of a detected face. Fewer than 0.1 % of the true
faces of MERL-RAV and none of those of 300-W are above it (docs/reliability.md)."""

MAX_WAITING_BYTES = 200_000_000
"""Memory of the images that `Aligner.detect_batch` collects for one batch of the network."""

Order = Literal["score", "size", "left_to_right"]
"""Orders of the faces of an image: decreasing detector score, decreasing size, or by the center's x."""

_CHANNELS = ((1,), (3,), (4,))
"""Last axis of a row of an image, in the form of `ndarray.shape`."""

PACKAGED_WEIGHTS = Path(__file__).parent / "weights" / "rdr.safetensors"


class Aligner:
    """Finds the faces of images and aligns them.

    Args:
        session: runs RDR's graph, see `rdrface.runtime.session.open_session`.
        detector: finds the faces, see `rdrface.detection.protocol.Detector`.
        model: the face model that the network was trained with; default: the packaged one.
        batch_size: faces per run of the network. On a CPU, 1 is as fast as more and needs the least memory; a GPU is
            faster with 16 or more.
        max_uncertainty: detected faces with a larger `Face.expected_error` are dropped, percent of the face size; most
            of them are not faces. None keeps all.
        order: order of the detected faces, see `Order`.

    Raises:
        ValueError: `batch_size` is below 1, `max_uncertainty` is not positive, `order` is unknown, or `session` does
            not run RDR's graph.
    """

    def __init__(
        self,
        session: Session,
        detector: Detector,
        model: FaceModel | None = None,
        batch_size: int = 1,
        max_uncertainty: float | None = MAX_UNCERTAINTY,
        order: Order = "score",
    ) -> None:
        if session.input_size is None:
            raise ValueError(
                "session must run the graph of RDR, whose input size is fixed; got a graph of any input size: open the "
                "weights with rdrface.runtime.session.open_session"
            )
        if not callable(getattr(detector, "detect", None)):
            raise TypeError(f"detector must have a method detect(image) -> Detections; got {detector!r}")
        check_count("batch_size", batch_size)
        self.session = session
        self.detector = detector
        self.model = model
        if max_uncertainty is not None and not max_uncertainty > 0:
            raise ValueError(f"max_uncertainty must be positive, in percent of the face size; got {max_uncertainty!r}")
        if order not in get_args(Order):
            raise ValueError(f"order must be one of {', '.join(get_args(Order))}; got {order!r}")
        self.batch_size = batch_size
        self.max_uncertainty = max_uncertainty
        self.order = order
        self._crop_size = session.input_size
        self._crops = CropAligner(session, session.input_size, batch_size)

    def __repr__(self) -> str:
        return f"Aligner({self._crop_size} px crops, {type(self.detector).__name__}, batch_size={self.batch_size})"

    def detect(self, image: ImageSource) -> list[Face]:
        """Find and align the faces of an image.

        Args:
            image: a path, a PIL image or an array (`rdrface.image.read_image`).

        Returns:
            The faces in the aligner's `order`; an empty list if there are none. Detections that the network does not
            confirm as a face are left out, see `detect_with_dropped`.

        Raises:
            ImageError: the image cannot be read.
        """
        return self.detect_with_dropped(image)[0]

    def detect_with_dropped(self, image: ImageSource) -> tuple[list[Face], list[Face]]:
        """Find and align the faces of an image, and return the dropped detections too.

        Args:
            image: see `detect`.

        Returns:
            The faces of `detect`, and the detections whose `Face.expected_error` is above `max_uncertainty`.

        Raises:
            ImageError: the image cannot be read.
        """
        pixels = read_image(image)
        return self._find([pixels], [self._detect(pixels)])[0]

    def align(self, image: ImageSource, boxes: npt.ArrayLike) -> list[Face]:
        """Align faces whose boxes are known.

        Args:
            image: a path, a PIL image or an array (`rdrface.image.read_image`).
            boxes: (n, 4) xyxy image pixels, landmark boxes: the smallest box around the 68 points, from the brows to
                the chin, without the forehead. An error of 20 % is fine.

        Returns:
            One face per box, in the order of the boxes.

        Raises:
            ImageError: the image cannot be read.
            BoxError: `boxes` has the wrong shape, a box has no area, or it cannot be the box of a face in this image.
        """
        checked = check_boxes(boxes)
        pixels = read_image(image)
        check_boxes_in_image(checked, pixels.shape[1], pixels.shape[0])
        ((faces, _),) = self._align([pixels], [Detections(checked, np.ones(len(checked), np.float32), checked)])
        return faces

    def detect_batch(self, images: Iterable[ImageSource]) -> list[list[Face]]:
        """Find and align the faces of several images.

        The result is the same as calling `detect` on each image, but a batch of the network can contain faces of
        several images.

        Args:
            images: see `detect`.

        Returns:
            The faces of each image.

        Raises:
            ImageError: one of the images cannot be read.
            TypeError: `images` is a single path or image, a dictionary, or the rows of an array.
        """
        if is_image_source(images) or isinstance(images, Mapping) or not isinstance(images, Iterable):
            raise TypeError(
                "detect_batch takes a list of images: for one image call detect, for a stack of images pass "
                f"list(stack); got {type(images).__name__}"
            )
        results: list[list[Face]] = []
        waiting: list[np.ndarray] = []
        found: list[Detections] = []
        for image in images:
            if isinstance(image, np.ndarray) and image.ndim < 3 and image.shape[-1:] in _CHANNELS:
                raise TypeError(
                    f"detect_batch takes a list of images; got rows of shape {image.shape}: put the image in a list"
                )
            waiting.append(read_image(image))
            found.append(self._detect(waiting[-1]))
            # A thousand images would not fit into memory: keep those of one batch of the network.
            if sum(map(len, found)) >= self.batch_size or sum(one.nbytes for one in waiting) > MAX_WAITING_BYTES:
                results += [faces for faces, _ in self._find(waiting, found)]
                waiting, found = [], []
        return results + [faces for faces, _ in self._find(waiting, found)]

    def _detect(self, pixels: np.ndarray, quarters: int = 0) -> Detections:
        detections = self.detector.detect(np.ascontiguousarray(np.rot90(pixels, quarters)))
        if not isinstance(detections, Detections):
            raise TypeError(
                f"the method detect of {type(self.detector).__name__} must return "
                f"rdrface.detection.protocol.Detections; got {type(detections).__name__}"
            )
        return turned_back(detections, pixels.shape[:2], quarters)

    def _find(self, images: Sequence[np.ndarray], found: Sequence[Detections]) -> list[tuple[list[Face], list[Face]]]:
        """Faces and dropped faces of each image, given what the detector found in it."""
        results = []
        for pixels, (faces, angles) in zip(images, self._align(images, found), strict=True):
            kept, dropped = self._select(faces)
            # A photo without faces, or with faces that are not upright, may be stored sideways or upside down.
            is_kept = [any(face is one for one in kept) for face in faces]
            turns = (quarters_of(angles[is_kept]),) if kept else (1, 3, 2)
            more = [self._detect(pixels, quarters) for quarters in turns if quarters]
            if any(map(len, more)):
                ((extra, _),) = self._align([pixels], [Detections.joined(more)])
                kept, dropped = self._select(faces + extra)
            results.append((kept, dropped))
        return results

    def _align(self, images: Sequence[np.ndarray], found: Sequence[Detections]) -> list[tuple[list[Face], np.ndarray]]:
        """The faces of each image and their angles in degrees, in the order of the detections."""
        counts = [len(detections) for detections in found]
        image_of = np.repeat(np.arange(len(images)), counts).tolist()
        if not image_of:
            return [([], np.empty(0)) for _ in images]
        detections = Detections.joined(found)
        alignment = align_with_retries(self._crops, images, np.array(image_of), detections)
        faces = assemble(alignment, detections, [images[i].shape[:2] for i in image_of], self.model)
        ends = np.cumsum(counts)
        return [(faces[end - n : end], alignment.angles[end - n : end]) for n, end in zip(counts, ends, strict=True)]

    def _select(self, faces: list[Face]) -> tuple[list[Face], list[Face]]:
        limit = np.inf if self.max_uncertainty is None else self.max_uncertainty
        unique = without_duplicates(faces)
        kept = [face for face in unique if face.expected_error <= limit]
        dropped = [face for face in unique if not face.expected_error <= limit]
        return sorted(kept, key=_ORDER_KEYS[self.order]), dropped


_ORDER_KEYS: dict[Order, Callable[[Face], float]] = {
    "score": lambda face: -face.score,
    "size": lambda face: -face.size,
    "left_to_right": lambda face: float(face.landmarks[:, 0].mean()),
}


def load(
    weights: Path | str | None = None,
    *,
    backend: Backend = "openvino",
    providers: Sequence[str] | None = None,
    threads: int | None = None,
    batch_size: int = 1,
    detector: Detector | None = None,
    score_threshold: float | None = None,
    max_side: int | None = None,
    max_uncertainty: float | None = MAX_UNCERTAINTY,
    order: Order = "score",
) -> Aligner:
    """Load an aligner with the packaged weights or with your own.

    Args:
        weights: path of a ``NAME.safetensors`` written by `rdrface train`, `finetune` or `export`, with its graph
            ``NAME.onnx`` in the same folder; None for the packaged weights.
        backend: "openvino" or "onnxruntime".
        providers: ONNX Runtime's execution providers in order of preference, for example
            ``["CUDAExecutionProvider", "CPUExecutionProvider"]``; only with ``backend="onnxruntime"``.
        threads: number of threads of the detector and of the network; None lets the backend choose.
        batch_size: faces per run of the network, see `Aligner`.
        detector: finds the faces; RetinaFace by default.
        score_threshold: minimum score of a face, 0..1, for the default detector (0.6).
        max_side: longest side of the image for the default detector, pixels (1280); larger images are downscaled for
            detection. Images that are more elongated than 16:9 get as many pixels as a 16:9 image of this side
            (docs/detection.md).
        max_uncertainty, order: see `Aligner`.

    Raises:
        WeightsError: a file is missing or damaged, or was not written by rdrface.
        ConfigError: the package of the backend is not installed.
        ValueError: the backend is unknown, a number is out of range, providers are given with OpenVINO, or a setting of
            the default detector is given together with another `detector`.
    """
    if weights is not None and not isinstance(weights, str | PathLike):
        raise TypeError(f"weights must be a path or None; got {weights!r}")
    path = PACKAGED_WEIGHTS if weights is None else Path(weights)
    if detector is not None and (score_threshold is not None or max_side is not None):
        raise ValueError(
            "score_threshold and max_side are settings of the default detector: set them in your own detector"
        )
    session, info = open_session(path, backend, threads, providers)
    _check_face_model(path, info, packaged_model())
    if detector is None:
        detector = RetinaFace(
            open_graph(retinaface_weights(), backend, threads, providers),
            score_threshold=SCORE_THRESHOLD if score_threshold is None else score_threshold,
            max_side=MAX_SIDE if max_side is None else max_side,
        )
    return Aligner(session, detector, batch_size=batch_size, max_uncertainty=max_uncertainty, order=order)


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
