"""OpenCV's YuNet detector, read from a file ``face_detection_yunet_2023mar.onnx`` of the OpenCV Zoo (MIT).

Needs ``pip install rdrface[opencv]``. OpenCV is imported only when a `YuNet` is created.
"""

from pathlib import Path
from threading import Lock

import numpy as np

from rdrface.detection.face_box import completed_boxes, face_angles, landmark_boxes
from rdrface.detection.protocol import Detections
from rdrface.errors import ConfigError, WeightsError


class YuNet:
    """YuNet through `cv2.FaceDetectorYN`.

    Args:
        model: path of the ONNX file.
        score_threshold: faces with a lower score are dropped.
        max_side: maximum of the long side in pixels; larger images are downscaled.

    Raises:
        ConfigError: OpenCV is not installed.
        WeightsError: the file does not exist, or OpenCV cannot read it.
    """

    def __init__(self, model: Path | str, score_threshold: float = 0.7, max_side: int = 640) -> None:
        try:
            import cv2
        except ImportError as error:
            raise ConfigError(f"YuNet needs OpenCV ({error}): pip install 'rdrface[opencv]'") from error
        if not Path(model).is_file():
            raise WeightsError(
                f"no YuNet model at {model}; download face_detection_yunet_2023mar.onnx from the OpenCV Zoo"
            )
        try:
            self._detector = cv2.FaceDetectorYN.create(str(model), "", (320, 320), score_threshold)
        except cv2.error as error:
            raise WeightsError(f"OpenCV cannot read {model} as YuNet: {error}") from error
        self.max_side = max_side
        # The size of the input is a state of OpenCV's detector, and threads can share a detector.
        self._lock = Lock()

    def detect(self, image: np.ndarray) -> Detections:
        """Detect faces; see `rdrface.detection.protocol.Detector`."""
        import cv2

        height, width = image.shape[:2]
        scale = min(1.0, self.max_side / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA) if scale < 1 else image
        with self._lock:
            self._detector.setInputSize(size)
            _, found = self._detector.detect(np.ascontiguousarray(small[..., ::-1]))
        if found is None:
            return Detections.empty()
        found = found[np.argsort(-found[:, 14], kind="stable")].astype(np.float64)
        ratio = np.array([width / size[0], height / size[1]])
        low = found[:, :2] * ratio - 0.5
        boxes = np.concatenate([low, low + found[:, 2:4] * ratio], axis=1)
        points = found[:, 4:14].reshape(-1, 5, 2) * ratio - 0.5
        angles = face_angles(boxes, points)
        completed = completed_boxes(boxes, angles, height, width)
        return Detections(landmark_boxes(completed, angles), found[:, 14].astype(np.float32), boxes, angles)
