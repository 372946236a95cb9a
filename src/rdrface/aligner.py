"""The aligner: finds the faces of an image and aligns them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from PIL import Image

from rdrface.crop import CropFrame, cut
from rdrface.detection.box_file import check_boxes
from rdrface.detection.protocol import Detections, Detector
from rdrface.detection.retinaface import MAX_SIDE, SCORE_THRESHOLD, RetinaFace
from rdrface.detection.retinaface import weights as retinaface_weights
from rdrface.errors import WeightsError
from rdrface.face import Face, Parameters, packaged_model
from rdrface.geometry.boxes import bounding_boxes, box_size
from rdrface.geometry.camera import transform_pose
from rdrface.image import ImageSource, read_image
from rdrface.morphable.landmark_model import LandmarkModel
from rdrface.morphable.model import FACE_MODEL_TOLERANCE, FaceModel
from rdrface.morphable.params import EXPRESSION, IDENTITY, POSE
from rdrface.runtime.session import CUSTOM_LANDMARKS, Backend, Session, check_count, open_graph, open_session
from rdrface.runtime.weights import WeightsInfo, read_tensors

MAX_UNCERTAINTY = 12.0
"""Default maximum of `Face.expected_error`, percent of the face size, of a detected face."""

Order = Literal["score", "size", "left_to_right"]
"""Orders of the faces of an image: decreasing detector score, decreasing size, or by the center's x."""

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
        return self._select(self._align(pixels, self._detect(pixels)))

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
            ValueError: `boxes` has the wrong shape, or a box has no area.
        """
        checked = check_boxes(boxes)
        return self._align(read_image(image), Detections(checked, np.ones(len(checked), np.float32), checked))

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
            TypeError: `images` is a single path or image.
        """
        if isinstance(images, str | PathLike | Image.Image | np.ndarray):
            raise TypeError("detect_batch takes a list of images; for one image call detect")
        crops, frames, detections = [], [], []
        for image in images:
            # Only the crops are kept: a thousand images would not fit into memory.
            pixels = read_image(image)
            detected = self._detect(pixels)
            frame = CropFrame.from_boxes(detected.boxes)
            crops.append(cut(pixels, frame, self._crop_size))
            frames.append(frame)
            detections.append(detected)
        if not detections:
            return []
        outputs = self._run(np.concatenate(crops))
        ends = np.cumsum([len(detected) for detected in detections])
        return [
            self._select(
                assemble(
                    {name: value[end - len(detected) : end] for name, value in outputs.items()},
                    frame,
                    detected,
                    self.model,
                )
            )[0]
            for detected, frame, end in zip(detections, frames, ends, strict=True)
        ]

    def _select(self, faces: list[Face]) -> tuple[list[Face], list[Face]]:
        limit = np.inf if self.max_uncertainty is None else self.max_uncertainty
        kept = [face for face in faces if face.expected_error <= limit]
        dropped = [face for face in faces if not face.expected_error <= limit]
        return sorted(kept, key=_ORDER_KEYS[self.order]), dropped

    def _detect(self, pixels: np.ndarray) -> Detections:
        detections = self.detector.detect(pixels)
        if not isinstance(detections, Detections):
            raise TypeError(
                f"the method detect of {type(self.detector).__name__} must return "
                f"rdrface.detection.protocol.Detections; got {type(detections).__name__}"
            )
        return detections

    def _align(self, pixels: np.ndarray, detections: Detections) -> list[Face]:
        frame = CropFrame.from_boxes(detections.boxes)
        return assemble(self._run(cut(pixels, frame, self._crop_size)), frame, detections, self.model)

    def _run(self, crops: np.ndarray) -> dict[str, np.ndarray]:
        if not len(crops):
            return {}
        parts = [self.session.run(crops[i : i + self.batch_size]) for i in range(0, len(crops), self.batch_size)]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


_ORDER_KEYS: dict[Order, Callable[[Face], float]] = {
    "score": lambda face: -face.score,
    "size": lambda face: -face.size,
    "left_to_right": lambda face: float(face.landmarks[:, 0].mean()),
}


def assemble(
    outputs: Mapping[str, np.ndarray], frame: CropFrame, detections: Detections, model: FaceModel | None
) -> list[Face]:
    """Convert the network's outputs from the crop frame to faces in image pixels.

    Args:
        outputs: of B faces, see `rdrface.runtime.session.OUTPUTS`; may be empty if there is no face.
        frame: positions of the B crops in the image.
        detections: B boxes and scores.
        model: see `Face`.
    """
    if not len(detections):
        return []
    landmarks = frame.to_image(outputs["landmarks"])
    landmarks_jawline = frame.to_image(outputs["landmarks_jawline"])
    projection = frame.to_image(outputs["projection"])
    projection_jawline = frame.to_image(outputs["projection_jawline"])
    custom = frame.to_image(outputs[CUSTOM_LANDMARKS]).astype(np.float32) if CUSTOM_LANDMARKS in outputs else None
    q = outputs["parameters"].astype(np.float64)
    pose = transform_pose(q[:, POSE], frame.half, np.zeros(len(q)), np.asarray(frame.center, np.float64))
    sizes = box_size(bounding_boxes(landmarks))
    uncertainty = 100 * outputs["uncertainty"] * (frame.half / np.maximum(sizes, 1e-6))[:, None]
    return [
        Face(
            box=detections.boxes[i].astype(np.float32),
            score=float(detections.scores[i]),
            landmarks=landmarks[i].astype(np.float32),
            landmarks_jawline=landmarks_jawline[i].astype(np.float32),
            landmarks_3d=projection_jawline[i].astype(np.float32),
            projection=projection[i, :, :2].astype(np.float32),
            visibility=outputs["visibility"][i].astype(np.float32),
            uncertainty=uncertainty[i].astype(np.float32),
            parameters=Parameters(
                pose=pose[i].astype(np.float32),
                identity=q[i, IDENTITY].astype(np.float32),
                expression=q[i, EXPRESSION].astype(np.float32),
            ),
            custom_landmarks=None if custom is None else custom[i],
            model=model,
        )
        for i in range(len(detections))
    ]


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
            detection.
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
