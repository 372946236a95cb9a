"""Photo in, faces out."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from rdrface.crop import CropFrame, cut
from rdrface.detection.boxes import check_boxes
from rdrface.detection.protocol import Detections, Detector
from rdrface.detection.retinaface import RetinaFace
from rdrface.detection.retinaface import weights as retinaface_weights
from rdrface.errors import WeightsError
from rdrface.face import Confidence, Face, Parameters, packaged_model
from rdrface.geometry.camera import transform_pose
from rdrface.morphable.model import FACE_MODEL_TOLERANCE, FaceModel
from rdrface.morphable.schemes import EXPRESSION, IDENTITY, POSE, LandmarkModel
from rdrface.photo import Photo, read_photo
from rdrface.runtime.session import OWN_OUTPUT, Backend, Session, open_graph, open_session
from rdrface.runtime.weights import WeightsInfo, read_tensors

PACKAGED_WEIGHTS = Path(__file__).parent / "weights" / "rdr.safetensors"


class Aligner:
    """Finds the faces of photos and aligns them.

    Args:
        session: of RDR's graph (`rdrface.runtime.session.open_session`).
        detector: anything with a `detect` (`rdrface.detection.protocol`).
        model: the face model that the network was trained with; None is the packaged one.
        batch_size: how many faces go through the network at a time. On a processor one by one is as fast as many
            together and needs the least memory; a GPU wants more.
    """

    def __init__(
        self, session: Session, detector: Detector, model: FaceModel | None = None, batch_size: int = 1
    ) -> None:
        if session.input_size is None:
            raise ValueError("the session's graph takes any size of picture: this is not the graph of RDR")
        if batch_size < 1:
            raise ValueError(f"batch_size must be 1 or more; got {batch_size}")
        self.session = session
        self.detector = detector
        self.model = model
        self.batch_size = batch_size
        self._crop_size = session.input_size

    def detect(self, photo: Photo) -> list[Face]:
        """Find and align the faces of a photo.

        Returns:
            The faces, the detector's surest first; an empty list where there is none.

        Raises:
            PhotoError: the photo cannot be read.
        """
        pixels = read_photo(photo)
        return self._align(pixels, self.detector.detect(pixels))

    def align(self, photo: Photo, boxes: np.ndarray) -> list[Face]:
        """Align faces whose boxes come from elsewhere.

        Args:
            photo: a path, a PIL image, or an array (`rdrface.photo.read_photo`).
            boxes: (n, 4) xyxy photo pixels. They are taken for landmark boxes: the smallest box around the 68 points,
                from the brows to the chin, not the forehead. Twenty percent off is fine.

        Returns:
            One face per box, in the order of the boxes.

        Raises:
            PhotoError: the photo cannot be read.
            ValueError: boxes of another shape, or without area.
        """
        boxes = check_boxes(boxes)
        return self._align(read_photo(photo), Detections(boxes, np.ones(len(boxes), np.float32), boxes))

    def detect_batch(self, photos: Sequence[Photo]) -> list[list[Face]]:
        """Find and align the faces of several photos: the same result as `detect` on each, the network's batches filled
        across photos.

        Raises:
            PhotoError: one of the photos cannot be read.
        """
        if isinstance(photos, (str, Path)):
            raise TypeError("detect_batch takes a list of photos; for one photo call detect")
        crops, frames, detections = [], [], []
        for photo in photos:
            # Only the crops are kept: a thousand photos would not fit into memory.
            pixels = read_photo(photo)
            found = self.detector.detect(pixels)
            frame = CropFrame.from_boxes(found.boxes)
            crops.append(cut(pixels, frame, self._crop_size))
            frames.append(frame)
            detections.append(found)
        if not detections:
            return []
        outputs = self._run(np.concatenate(crops))
        ends = np.cumsum([len(found) for found in detections])
        return [
            assemble({name: value[end - len(found) : end] for name, value in outputs.items()}, frame, found, self.model)
            for found, frame, end in zip(detections, frames, ends, strict=True)
        ]

    def _align(self, pixels: np.ndarray, detections: Detections) -> list[Face]:
        frame = CropFrame.from_boxes(detections.boxes)
        return assemble(self._run(cut(pixels, frame, self._crop_size)), frame, detections, self.model)

    def _run(self, crops: np.ndarray) -> dict[str, np.ndarray]:
        if not len(crops):
            return {}
        parts = [self.session.run(crops[i : i + self.batch_size]) for i in range(0, len(crops), self.batch_size)]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def assemble(
    outputs: Mapping[str, np.ndarray], frame: CropFrame, detections: Detections, model: FaceModel | None
) -> list[Face]:
    """Faces in the photo from the network's outputs in the crop frame.

    Args:
        outputs: see `rdrface.runtime.session.OUTPUTS`, B faces; not read where there is no face.
        frame: where their B crops lie in the photo.
        detections: B boxes and scores.
        model: see `Face`.
    """
    if not len(detections):
        return []
    landmarks = frame.to_photo(outputs["landmarks"])
    absolute = frame.to_photo(outputs["absolute"])
    projection = frame.to_photo(outputs["projection"])
    jawline = frame.to_photo(outputs["jawline"])
    own = frame.to_photo(outputs[OWN_OUTPUT]).astype(np.float32) if OWN_OUTPUT in outputs else None
    q = outputs["Q"].astype(np.float64)
    pose = transform_pose(q[:, POSE], frame.half, np.zeros(len(q)), np.asarray(frame.centre, np.float64))
    sizes = np.sqrt(np.ptp(landmarks, axis=1).prod(axis=1))
    errors = 100 * outputs["sigma"] * (frame.half / np.maximum(sizes, 1e-6))[:, None]
    return [
        Face(
            box=detections.boxes[i].astype(np.float32),
            score=float(detections.scores[i]),
            landmarks=landmarks[i].astype(np.float32),
            landmarks_jawline=absolute[i].astype(np.float32),
            projection=projection[i, :, :2].astype(np.float32),
            landmarks_3d=jawline[i].astype(np.float32),
            visible=outputs["visible"][i].astype(np.float32),
            confidence=Confidence(errors[i].astype(np.float32)),
            parameters=Parameters(
                pose=pose[i].astype(np.float32),
                identity=q[i, IDENTITY].astype(np.float32),
                expression=q[i, EXPRESSION].astype(np.float32),
            ),
            model=model,
            own=None if own is None else own[i],
        )
        for i in range(len(detections))
    ]


def load(
    weights: Path | str | None = None,
    *,
    backend: Backend = "openvino",
    threads: int | None = None,
    detector: Detector | None = None,
) -> Aligner:
    """Open the shipped weights, or one's own.

    Args:
        weights: path of a ``NAME.safetensors`` that `rdrface export` wrote, with its graph ``NAME.onnx`` beside it.
        backend: "openvino" or "onnxruntime".
        threads: how many the detector and the network may use; None leaves it to the backend.
        detector: finds the faces; RetinaFace by default.

    Raises:
        WeightsError: a file is missing, damaged, or not one of rdrface.
        ValueError: an unknown backend, or fewer threads than one.
    """
    path = PACKAGED_WEIGHTS if weights is None else Path(weights)
    session, info = open_session(path, backend, threads)
    _check_face_model(path, info, packaged_model())
    if detector is None:
        detector = RetinaFace(open_graph(retinaface_weights(), backend, threads))
    return Aligner(session, detector)


def _check_face_model(weights: Path, info: WeightsInfo, model: FaceModel) -> None:
    """The graph computes landmarks from its own copy of the face model, `Face.mesh` from the packaged one: the same Q
    must mean the same face in both."""
    ours = LandmarkModel.from_face_model(model).buffers()
    theirs = read_tensors(weights, [f"projection.{name}" for name in ("mean", "identity_basis", "expression_basis")])
    for name, tensor in theirs.items():
        own = ours[name.removeprefix("projection.")]
        if tensor.shape != own.shape or np.abs(tensor - own).max() > FACE_MODEL_TOLERANCE:
            raise WeightsError(
                f"{weights} was trained with another face model than the one in this rdrface: its 3D output would be "
                f"wrong. Train and export with this version, or install the one that wrote it ({info.version})"
            )
