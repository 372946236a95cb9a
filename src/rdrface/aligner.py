"""The aligner: finds the faces of an image and aligns them."""

from collections.abc import Iterable, Sequence
from contextlib import closing

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
from rdrface.image import ImageSource, read_image
from rdrface.image_batch import read_in_order
from rdrface.morphable.model import FaceModel
from rdrface.runtime.device import BATCH_SIZES
from rdrface.runtime.precision import Precision
from rdrface.runtime.session import Session, check_count

GROUP_BATCHES = 4
"""Number of full batches for which `Aligner.detect_batch` collects faces before it runs the network."""

MAX_WAITING_BYTES = 200_000_000
"""Maximum memory of the images that `Aligner.detect_batch` keeps: half for those that it collects, half for those that
it has decoded ahead."""


class Aligner:
    """Finds the faces of images and aligns them.

    Threads can share an aligner. It cannot be pickled: load one in each process.

    Args:
        session: runs RDR's graph, see `rdrface.runtime.weights_session.open_session`.
        detector: finds the faces, see `rdrface.detection.protocol.Detector`.
        model: the face model that the network was trained with; default: the packaged one.
        batch_size: maximum number of faces per run of the network: of several images in `detect_batch`, of one image
            in `detect` and `align`. With 1, a face's result does not depend on the other faces, not even by rounding.
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
        batch_size: int = BATCH_SIZES["cpu"],
        max_uncertainty: float | None = MAX_UNCERTAINTY,
        order: Order = DEFAULT_ORDER,
    ) -> None:
        if session.input_size is None:
            raise ValueError(
                "session must run the graph of RDR, whose input size is fixed; got a graph of any input size: open the "
                "weights with rdrface.runtime.weights_session.open_session"
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
    def crop_size(self) -> int:
        """N, side of the network's crops in pixels."""
        return self._crop_size

    @property
    def precision(self) -> Precision:
        """Precision of the network: "float32", "int8" or "bfloat16"."""
        return self.session.precision

    def reset(self) -> None:
        """Let later results not depend on earlier calls. Otherwise the last digits can depend on the sizes of earlier
        images, for which the backend prepares the detector."""
        reset = getattr(getattr(self.detector, "session", None), "reset", None)
        if reset is not None:
            reset()

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

        The faces are those of calling `detect` on each image, except for rounding. It is faster: files are decoded in
        other threads ahead of the network, and each run of the network takes faces of several images.

        Args:
            images: see `detect`. Images are taken from a generator a few at a time, so it can yield more images than
                fit into memory.

        Returns:
            The faces of each image.

        Raises:
            ImageError: one of the images cannot be read; the message contains its index.
            TypeError: `images` is a single path or image, a dictionary, or the rows of an array.
        """
        return [faces for faces, _ in self.detect_batch_with_dropped(images)]

    def detect_batch_with_dropped(self, images: Iterable[ImageSource]) -> list[tuple[list[Face], list[Face]]]:
        """Find and align the faces of several images, and return the dropped detections too.

        Args:
            images: see `detect_batch`.

        Returns:
            For each image, the two lists of `detect_with_dropped`.

        Raises:
            ImageError, TypeError: see `detect_batch`.
        """
        results: list[tuple[list[Face], list[Face]]] = []
        group: list[np.ndarray] = []
        found: list[Detections] = []
        with closing(read_in_order(images, MAX_WAITING_BYTES // 2)) as pixels_of_images:
            for pixels in pixels_of_images:
                group.append(pixels)
                found.append(self._detect(pixels))
                # A thousand images would not fit into memory, so they are processed in groups. A group of several
                # batches also fills the batches of retries and corrected crops.
                if (
                    sum(map(len, found)) >= GROUP_BATCHES * self.batch_size
                    or sum(one.nbytes for one in group) > MAX_WAITING_BYTES // 2
                ):
                    results += self._find(group, found)
                    group, found = [], []
        return results + self._find(group, found)

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
        first = self._align(images, found)
        selected = [self._select(faces) for faces in first]
        more = [self._detect_rotated(pixels, kept) for pixels, (kept, _) in zip(images, selected, strict=True)]
        second = self._align(images, more)
        return [
            self._select(faces + added) if added else result
            for faces, added, result in zip(first, second, selected, strict=True)
        ]

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
