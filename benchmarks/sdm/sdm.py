"""The supervised descent method: a cascade of linear regressions from SIFT descriptors to steps of the landmarks.

Xiong and De la Torre, "Supervised Descent Method and its Applications to Face Alignment", CVPR 2013:
x_(k+1) = x_k + R_k phi_k + b_k, where phi_k are the descriptors at the points x_k. Points are in the frame of the crop
(`rdrface.crop`), so the size of the photo does not matter.
"""

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from features import LENGTH, descriptors, gray_crops

from rdrface.crop import CropFrame
from rdrface.errors import DataError
from rdrface.geometry.boxes import bounding_boxes
from rdrface.landmarks import NUM_LANDMARKS

Start = Literal["mean", "ours"]
STARTS: tuple[Start, ...] = get_args(Start)
"""Where the cascade starts: from the mean shape in the face's box, or from the 3D output of rdrface."""

_FORMAT = "rdrface-sdm-1"


@dataclass(frozen=True)
class Stage:
    """One step of the cascade.

    Attributes:
        face: side of the landmark box in the picture whose descriptors the stage reads, in pixels.
        weights: (68 * 128, 136) float32, R_k.
        bias: (136,) float32, b_k.
    """

    face: int
    weights: np.ndarray
    bias: np.ndarray

    def steps(self, phi: np.ndarray) -> np.ndarray:
        """(B, 68, 128) descriptors -> (B, 68, 2) float32 steps, crop frame."""
        flat = phi.reshape(len(phi), -1).astype(np.float32)
        return (flat @ self.weights + self.bias).reshape(-1, NUM_LANDMARKS, 2)


@dataclass(frozen=True)
class SDM:
    """A fitted cascade.

    Attributes:
        start: what the stages were fitted to start from.
        mean: (68, 2) float32, mean shape in the crop frame.
        stages: applied in this order.
    """

    start: Start
    mean: np.ndarray
    stages: tuple[Stage, ...]

    def align(self, photo: np.ndarray, boxes: np.ndarray | None = None, starts: np.ndarray | None = None) -> np.ndarray:
        """Landmarks of the faces of a photo.

        Args:
            photo: (H, W, 3) uint8 RGB.
            boxes: (B, 4) xyxy landmark boxes, photo pixels; for a cascade that starts from the mean shape.
            starts: (B, 68, 2) photo pixels; for one that starts from other landmarks.

        Returns:
            (B, 68, 2) float64 photo pixels.

        Raises:
            ValueError: boxes where starts are wanted or the other way round, or wrong shapes.
        """
        if self.start == "mean":
            if boxes is None or starts is not None:
                raise ValueError("this cascade starts from the mean shape: give it boxes and no starts")
            frame = CropFrame.from_boxes(boxes)
            points = self.mean_starts(len(frame.half))
        else:
            if starts is None or boxes is not None:
                raise ValueError("this cascade starts from landmarks of rdrface: give it starts and no boxes")
            frame, points = from_landmarks(starts)
        return frame.to_image(self.apply(gray_crops(photo, frame), points))

    def apply(self, crops: np.ndarray, points: np.ndarray) -> np.ndarray:
        """All stages: crops (B, CROP, CROP) uint8 and starts (B, 68, 2) crop frame -> (B, 68, 2) crop frame."""
        for stage in self.stages:
            points = points + stage.steps(descriptors(crops, points, stage.face))
        return points

    def mean_starts(self, count: int) -> np.ndarray:
        """(count, 68, 2), the mean shape for every face."""
        return np.repeat(self.mean[None], count, axis=0)

    def save(self, path: str | Path) -> None:
        """Write an .npz of plain arrays (no pickle); the file name is used as it is."""
        with Path(path).open("wb") as file:
            np.savez(
                file,
                allow_pickle=False,
                format=np.array(_FORMAT),
                start=np.array(self.start),
                mean=self.mean,
                face=np.array([stage.face for stage in self.stages]),
                weights=np.stack([stage.weights for stage in self.stages]),
                bias=np.stack([stage.bias for stage in self.stages]),
            )

    @classmethod
    def load(cls, path: str | Path) -> "SDM":
        """Read what `save` wrote.

        Raises:
            DataError: the file is missing, damaged, or no cascade of this program.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                content = {name: file[name] for name in file.files}
        except FileNotFoundError as error:
            raise DataError(f"no cascade at {path}; train.py makes one") from error
        except (OSError, ValueError, EOFError, zipfile.BadZipFile, TypeError, AttributeError) as error:
            raise DataError(f"{path} is not a readable cascade (.npz written by train.py): {error}") from error
        if str(content.get("format", "")) != _FORMAT:
            raise DataError(f"{path} is not a cascade of format '{_FORMAT}'; make it anew with train.py")
        count = len(content.get("face", ()))
        shapes = {
            "mean": (NUM_LANDMARKS, 2),
            "weights": (count, NUM_LANDMARKS * LENGTH, 2 * NUM_LANDMARKS),
            "bias": (count, 2 * NUM_LANDMARKS),
        }
        wrong = [name for name, shape in shapes.items() if name not in content or content[name].shape != shape]
        start = str(content.get("start", ""))
        if not count or wrong or start not in STARTS:
            raise DataError(f"{path} is damaged ({', '.join(wrong) or 'start or stages'}); make it anew with train.py")
        stages = zip(content["face"].tolist(), content["weights"], content["bias"], strict=True)
        return cls(start, content["mean"], tuple(Stage(*stage) for stage in stages))


def from_landmarks(starts: np.ndarray) -> tuple[CropFrame, np.ndarray]:
    """Crop frames around landmarks (B, 68, 2) photo pixels, and the landmarks in them, float32."""
    starts = np.asarray(starts, np.float64)
    if starts.ndim != 3 or starts.shape[1:] != (NUM_LANDMARKS, 2):
        raise ValueError(f"starts must be (n, {NUM_LANDMARKS}, 2) photo pixels; got {starts.shape}")
    frame = CropFrame.from_boxes(bounding_boxes(starts) if len(starts) else np.empty((0, 4)))
    return frame, frame.to_crop(starts).astype(np.float32)
