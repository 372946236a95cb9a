"""The supervised descent method: a cascade of linear regressions from SIFT descriptors to landmark updates.

Xiong and De la Torre, "Supervised Descent Method and its Applications to Face Alignment", CVPR 2013:
x_(k+1) = x_k + R_k phi_k + b_k, where phi_k are the descriptors at the points x_k. Points are in the crop frame
(`rdrface.crop`), which does not depend on the size of the image.
"""

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from features import LENGTH, descriptors, gray_crops

from rdrface.crop import CropFrame
from rdrface.errors import DataError
from rdrface.files import write_aside
from rdrface.geometry.boxes import bounding_boxes
from rdrface.landmarks import NUM_LANDMARKS

Start = Literal["mean", "ours"]
STARTS: tuple[Start, ...] = get_args(Start)
"""Initial landmarks: the mean shape in the face's box, or the 3D output of rdrface."""

_FORMAT = "rdrface-sdm-1"


@dataclass(frozen=True)
class Stage:
    """One stage of the cascade.

    Attributes:
        face: side in pixels of the landmark box in the resized crop from which the stage computes its descriptors.
        weights: (68 * 128, 136) float32, R_k.
        bias: (136,) float32, b_k.
    """

    face: int
    weights: np.ndarray
    bias: np.ndarray

    def steps(self, phi: np.ndarray) -> np.ndarray:
        """(B, 68, 128) descriptors -> (B, 68, 2) float32 landmark updates, crop frame."""
        flat = phi.reshape(len(phi), -1).astype(np.float32)
        return (flat @ self.weights + self.bias).reshape(-1, NUM_LANDMARKS, 2)


@dataclass(frozen=True)
class SDM:
    """A trained cascade.

    Attributes:
        start: the initial landmarks that the stages were trained with.
        mean: (68, 2) float32, mean shape in the crop frame.
        stages: in the order of their application.
    """

    start: Start
    mean: np.ndarray
    stages: tuple[Stage, ...]

    def align(self, image: np.ndarray, boxes: np.ndarray | None = None, starts: np.ndarray | None = None) -> np.ndarray:
        """Landmarks of the faces of an image.

        Args:
            image: (H, W, 3) uint8 RGB.
            boxes: (B, 4) xyxy landmark boxes, image pixels; for a cascade that starts from the mean shape.
            starts: (B, 68, 2) image pixels, initial landmarks; for a cascade that starts from the output of rdrface.

        Returns:
            (B, 68, 2) float64 image pixels.

        Raises:
            ValueError: boxes where starts are needed, starts where boxes are needed, or wrong shapes.
        """
        if self.start == "mean":
            if boxes is None or starts is not None:
                raise ValueError("this cascade starts from the mean shape: pass boxes and no starts")
            frame = CropFrame.from_boxes(boxes)
            points = self.mean_starts(len(frame.half))
        else:
            if starts is None or boxes is not None:
                raise ValueError("this cascade starts from landmarks of rdrface: pass starts and no boxes")
            frame, points = from_landmarks(starts)
        return frame.to_image(self.apply(gray_crops(image, frame), points))

    def apply(self, crops: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Run all stages: crops (B, CROP, CROP) uint8 and starts (B, 68, 2) crop frame -> (B, 68, 2) crop frame."""
        for stage in self.stages:
            points = points + stage.steps(descriptors(crops, points, stage.face))
        return points

    def mean_starts(self, count: int) -> np.ndarray:
        """The mean shape for every face, (count, 68, 2)."""
        return np.repeat(self.mean[None], count, axis=0)

    def save(self, path: str | Path) -> None:
        """Write an .npz file of plain arrays, without pickle. No suffix is added to the name."""
        with write_aside(path) as partial, partial.open("wb") as file:
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
        """Read a file written by `save`.

        Raises:
            DataError: the file is missing, damaged, or not a cascade.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                content = {name: file[name] for name in file.files}
        except FileNotFoundError as error:
            raise DataError(f"no cascade at {path}; train.py writes one") from error
        except (OSError, ValueError, EOFError, zipfile.BadZipFile, TypeError, AttributeError) as error:
            raise DataError(f"{path} is not a readable cascade (.npz written by train.py): {error}") from error
        if str(content.get("format", "")) != _FORMAT:
            raise DataError(f"{path} is not a cascade of format '{_FORMAT}'; train it again with train.py")
        count = len(content.get("face", ()))
        shapes = {
            "mean": (NUM_LANDMARKS, 2),
            "weights": (count, NUM_LANDMARKS * LENGTH, 2 * NUM_LANDMARKS),
            "bias": (count, 2 * NUM_LANDMARKS),
        }
        wrong = [name for name, shape in shapes.items() if name not in content or content[name].shape != shape]
        start = str(content.get("start", ""))
        if not count or wrong or start not in STARTS:
            raise DataError(
                f"{path} is damaged ({', '.join(wrong) or 'start or stages'}); train it again with train.py"
            )
        stages = zip(content["face"].tolist(), content["weights"], content["bias"], strict=True)
        return cls(start, content["mean"], tuple(Stage(*stage) for stage in stages))


def from_landmarks(starts: np.ndarray) -> tuple[CropFrame, np.ndarray]:
    """Crop frames around landmarks (B, 68, 2) in image pixels, and the landmarks in these frames, float32."""
    starts = np.asarray(starts, np.float64)
    if starts.ndim != 3 or starts.shape[1:] != (NUM_LANDMARKS, 2):
        raise ValueError(f"starts must be (n, {NUM_LANDMARKS}, 2) image pixels; got {starts.shape}")
    frame = CropFrame.from_boxes(bounding_boxes(starts) if len(starts) else np.empty((0, 4)))
    return frame, frame.to_crop(starts).astype(np.float32)
