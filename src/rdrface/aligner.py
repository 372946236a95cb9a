"""The aligner: finds the faces of an image and aligns them."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from rdrface.alignment.assembly import assemble
from rdrface.alignment.crop_alignment import CropAligner
from rdrface.alignment.quarter_turns import quarter_turns_of, rotated_back
from rdrface.alignment.retries import RETRY_ABOVE, align_with_retries
from rdrface.alignment.selection import DEFAULT_ORDER, MAX_UNCERTAINTY, Order, check_selection, select
from rdrface.detection.box_checks import check_boxes, check_boxes_in_image
from rdrface.detection.protocol import Detections, Detector
from rdrface.face import Face
from rdrface.image import ImageSource, is_image_source, read_image
from rdrface.morphable.model import FaceModel
from rdrface.runtime.precision import Precision
from rdrface.runtime.session import Session, check_count

MAX_WAITING_BYTES = 200_000_000
"""Memory of the images that `Aligner.detect_batch` collects for one batch of the network."""

_CHANNELS = ((1,), (3,), (4,))
"""Last axis of a row of an image, in the form of `ndarray.shape`."""


class Aligner:
    """Finds the faces of images and aligns them.

    Threads can share an aligner. It cannot be pickled: load one in each process.

    Args:
        session: runs RDR's graph, see `rdrface.runtime.session.open_session`.
        detector: finds the faces, see `rdrface.detection.protocol.Detector`.
        model: the face model that the network was trained with; default: the packaged one.
        batch_size: faces per run of the network. On a CPU, 1 is as fast as more and needs the least memory; a GPU is
            faster with 16 or more.
        max_uncertainty: detections with a larger `Face.expected_error` are dropped, percent of the face size; most of
            them are not faces. None keeps all.
        order: order of the detected faces, see `rdrface.alignment.selection.Order`.

    Raises:
        TypeError: `detector` has no method `detect`.
        ValueError: `batch_size` is below 1, `max_uncertainty` is not a positive number, `order` is unknown, or
            `session` does not run RDR's graph.
    """

    def __init__(
        self,
        session: Session,
        detector: Detector,
        model: FaceModel | None = None,
        batch_size: int = 1,
        max_uncertainty: float | None = MAX_UNCERTAINTY,
        order: Order = DEFAULT_ORDER,
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
        check_selection(max_uncertainty, order)
        self.batch_size = batch_size
        self.max_uncertainty = max_uncertainty
        self.order = order
        self._crop_size = session.input_size
        self._crops = CropAligner(session, session.input_size, batch_size)

    def __repr__(self) -> str:
        return (
            f"Aligner({self._crop_size} px crops, {self.precision}, {type(self.detector).__name__}, "
            f"batch_size={self.batch_size})"
        )

    @property
    def precision(self) -> Precision:
        """Precision of the network: "float32", "int8" or "bfloat16"."""
        return self.session.precision

    def detect(self, image: ImageSource) -> list[Face]:
        """Find and align the faces of an image.

        Args:
            image: a path, a PIL image or an array (`rdrface.image.read_image`).

        Returns:
            The faces in the aligner's `order`; an empty list if there are none. Detections with an expected error above
            `max_uncertainty` are left out, see `detect_with_dropped`.

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

        As in `detect`, a crop that is off is corrected, and uncertain faces are aligned at other angles; `Face.box` is
        the given box. No face is dropped.

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
        return self._align([pixels], [Detections(checked, np.ones(len(checked), np.float32), checked)])[0]

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

    def _detect(self, pixels: np.ndarray, quarter_turns: int = 0) -> Detections:
        """Detections in the image rotated counterclockwise by quarter turns, converted to the image as it is."""
        detections = self.detector.detect(np.ascontiguousarray(np.rot90(pixels, quarter_turns)))
        if not isinstance(detections, Detections):
            raise TypeError(
                f"the method detect of {type(self.detector).__name__} must return "
                f"rdrface.detection.protocol.Detections; got {type(detections).__name__}"
            )
        return rotated_back(detections, pixels.shape[:2], quarter_turns)

    def _find(self, images: Sequence[np.ndarray], found: Sequence[Detections]) -> list[tuple[list[Face], list[Face]]]:
        """Faces and dropped faces of each image, given what the detector found in it."""
        results = []
        for pixels, faces in zip(images, self._align(images, found), strict=True):
            kept, dropped = self._select(faces)
            more = self._detect_rotated(pixels, kept)
            if len(more):
                kept, dropped = self._select(faces + self._align([pixels], [more])[0])
            results.append((kept, dropped))
        return results

    def _detect_rotated(self, pixels: np.ndarray, faces: Sequence[Face]) -> Detections:
        """Detections in the rotated image, if the `faces` found in it suggest that it is sideways or upside down."""
        certain = [face.landmarks for face in faces if face.expected_error <= RETRY_ABOVE]
        quarter_turns = (quarter_turns_of(certain),) if certain else (1, 3, 2)
        return Detections.joined([self._detect(pixels, turns) for turns in quarter_turns if turns])

    def _align(self, images: Sequence[np.ndarray], found: Sequence[Detections]) -> list[list[Face]]:
        """The faces of each image, in the order of the detections."""
        counts = [len(detections) for detections in found]
        image_of = np.repeat(np.arange(len(images)), counts).tolist()
        if not image_of:
            return [[] for _ in images]
        detections = Detections.joined(found)
        alignment = align_with_retries(self._crops, images, np.array(image_of), detections)
        faces = assemble(alignment, detections, [images[i].shape[:2] for i in image_of], self.model)
        return [faces[end - count : end] for count, end in zip(counts, np.cumsum(counts), strict=True)]

    def _select(self, faces: Sequence[Face]) -> tuple[list[Face], list[Face]]:
        return select(faces, self.max_uncertainty, self.order)
