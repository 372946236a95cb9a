"""Trains a cascade (`sdm.py`) on the faces of record files.

python benchmarks/sdm/train.py RECORDS.npz ... -o runs/sdm/mean.npz [--start mean|ours] [--faces N] [--starts N]

RECORDS.npz is written by `rdrface fit`, one file per set. After every stage, the errors on training faces and on
held-out faces are printed.
"""

import argparse
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from features import CROP, LENGTH, MAX_FACE, descriptors, gray_crops
from sdm import SDM, STARTS, Stage, Start, from_landmarks
from tqdm import tqdm

import rdrface
from rdrface.cli.script import reports_errors
from rdrface.crop import CropFrame
from rdrface.datasets.records import FaceRecords
from rdrface.errors import DataError
from rdrface.evaluation.metrics.errors import bounding_box_size, nme
from rdrface.image import read_image
from rdrface.landmarks import CONTOUR, MIRROR, NUM_LANDMARKS

FACES: dict[Start, tuple[int, ...]] = {"mean": (60, 80, 100, MAX_FACE, MAX_FACE), "ours": (80, 100, MAX_FACE)}
"""Start -> side of the landmark box in pixels, for each stage (`sdm.Stage.face`). Starting from rdrface's 3D output,
no stages with large windows are needed."""

SHIFT, SCALE = 0.05, 0.08
"""Standard deviations of the errors added to training boxes: of the center, in units of the box's side, and of the
logarithm of the side. They are as large as the errors of a detector, and larger than the differences between the
annotated boxes of the sets."""

COMPONENTS = 40
"""Principal components of each landmark's descriptor, used in the regression only: a stage has 2,720 unknowns per
coordinate instead of 8,704, and its normal equations cost a tenth. The trained stage takes full descriptors."""

RIDGE = 6000.0
"""Weight of the ridge, as a number of additional starts with an update of zero, spread evenly over the components."""

HELD_OUT = 0.05
"""Share of the images that are not used for training."""

_CHUNK = 1024


@dataclass(frozen=True)
class Samples:
    """M samples: crops with initial landmarks.

    Attributes:
        crops: (M, CROP, CROP) uint8.
        points: (M, 68, 2) float32 crop frame, current landmarks.
        truth: (M, 68, 2) float32 crop frame, target landmarks.
        is_train: (M,) bool, False for held-out samples.
    """

    crops: np.ndarray
    points: np.ndarray
    truth: np.ndarray
    is_train: np.ndarray

    def errors(self) -> np.ndarray:
        """NME (M,) in percent of sqrt(w h) of the box of the target landmarks."""
        return nme(self.points, self.truth, bounding_box_size(self.truth))


def targets(records: FaceRecords) -> np.ndarray:
    """Target landmarks (N, 68, 2) float64, image pixels: annotated points, or the fitted outline where there are none.

    Raises:
        DataError: the records contain no fit.
    """
    if records.outline is None:
        raise DataError("the records contain no fit, so hidden points have no position; run `rdrface fit` first")
    known = np.isfinite(records.points).all(-1)
    # The contour on the absolute jawline is not the visible outline.
    known[np.ix_(records.on_jawline, CONTOUR)] = False
    return np.where(known[..., None], records.points, records.outline)


def jittered(boxes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Boxes (N, 4) xyxy with random errors (`SHIFT`, `SCALE`); their proportions are kept."""
    center, size = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    side = np.sqrt(size.prod(1, keepdims=True))
    center = center + SHIFT * side * rng.standard_normal(center.shape)
    size = size * np.exp(SCALE * rng.standard_normal((len(boxes), 1)))
    return np.concatenate([center - size / 2, center + size / 2], axis=1)


def mirrored(points: np.ndarray) -> np.ndarray:
    """Landmarks (..., 68, 2), crop frame, of the mirrored crop: x changes its sign, left and right are swapped."""
    return (points * np.array([-1, 1], points.dtype))[..., MIRROR, :]


def collect(records: FaceRecords, mean: np.ndarray | None, starts: int, seed: int, aligner: Any = None) -> Samples:
    """Samples of all faces: `starts` boxes per face, each also mirrored.

    Args:
        records: N fitted faces.
        mean: (68, 2) crop frame, initial landmarks of every face; None uses the 3D output of the aligner.
        starts: boxes per face.
        seed: seed of the box errors and of the choice of held-out images.
        aligner: `rdrface.Aligner`; needed without `mean`.

    Raises:
        ImageError: an image cannot be read.
        DataError: the records contain no fit.
    """
    truth = targets(records)
    rng = np.random.default_rng(seed)
    images = np.unique(records.image)
    held_out = rng.permutation(images)[: round(HELD_OUT * len(images))]
    boxes = np.stack([jittered(records.box.astype(np.float64), rng) for _ in range(starts)], axis=1)
    count = 2 * starts * len(records)
    samples = Samples(
        crops=np.empty((count, CROP, CROP), np.uint8),
        points=np.empty((count, NUM_LANDMARKS, 2), np.float32),
        truth=np.empty((count, NUM_LANDMARKS, 2), np.float32),
        is_train=np.repeat(~np.isin(records.image, held_out), 2 * starts),
    )
    for i in tqdm(range(len(records)), desc="starts", disable=None):
        image = read_image(str(records.image[i]))
        if mean is None:
            found = np.stack([face.projection for face in aligner.align(image, boxes[i])])
            frame, points = from_landmarks(found)
        else:
            frame, points = CropFrame.from_boxes(boxes[i]), np.repeat(mean[None], starts, axis=0)
        crops = gray_crops(image, frame)
        target = frame.to_crop(np.repeat(truth[i][None], starts, axis=0))
        plain = slice(2 * starts * i, 2 * starts * i + starts)
        flipped = slice(plain.stop, plain.stop + starts)
        samples.crops[plain], samples.crops[flipped] = crops, crops[:, :, ::-1]
        samples.points[plain], samples.truth[plain] = points, target
        # The mean shape is symmetric, so mirroring it is harmless.
        samples.points[flipped], samples.truth[flipped] = mirrored(points), mirrored(target)
    return samples


def mean_shape(records: FaceRecords) -> np.ndarray:
    """Mean (68, 2) float32, crop frame, of the faces and their mirror images."""
    shape = CropFrame.from_boxes(records.box).to_crop(targets(records)).mean(0)
    return ((shape + mirrored(shape)) / 2).astype(np.float32)


def fit_stage(face: int, phi: np.ndarray, steps: np.ndarray) -> Stage:
    """Ridge regression from descriptors to landmark updates.

    Args:
        face: see `sdm.Stage`.
        phi: (M, 68, 128) uint8.
        steps: (M, 68, 2) crop frame, the updates.
    """
    center = phi.mean(0, dtype=np.float64).astype(np.float32)
    basis = np.empty((NUM_LANDMARKS, LENGTH, COMPONENTS), np.float32)
    for i in range(NUM_LANDMARKS):
        centered = phi[:, i] - center[i]
        basis[i] = np.linalg.eigh((centered.T @ centered).astype(np.float64))[1][:, -COMPONENTS:]
    width = NUM_LANDMARKS * COMPONENTS
    offset = steps.mean(0, dtype=np.float64).reshape(-1)
    gram, cross = np.zeros((width, width)), np.zeros((width, 2 * NUM_LANDMARKS))
    for first in range(0, len(phi), _CHUNK):
        part = slice(first, first + _CHUNK)
        centered = (phi[part] - center).transpose(1, 0, 2)
        features = (centered @ basis).transpose(1, 0, 2).reshape(-1, width)
        gram += features.T @ features
        cross += features.T @ (steps[part].reshape(-1, 2 * NUM_LANDMARKS) - offset).astype(np.float32)
    gram[np.diag_indices(width)] += RIDGE * np.trace(gram) / (width * len(phi))
    solution = np.linalg.solve(gram, cross).reshape(NUM_LANDMARKS, COMPONENTS, 2 * NUM_LANDMARKS)
    # From components back to descriptors: one matrix for projection and regression.
    weights = (basis @ solution).reshape(NUM_LANDMARKS * LENGTH, 2 * NUM_LANDMARKS)
    return Stage(face, weights.astype(np.float32), (offset - center.reshape(-1) @ weights).astype(np.float32))


def fit(samples: Samples, start: Start, mean: np.ndarray, faces: tuple[int, ...] | None = None) -> SDM:
    """Train the stages one after the other, each from the landmarks that the previous stages predict.

    Args:
        samples: samples from `collect`.
        start, mean: see `sdm.SDM`.
        faces: side of the landmark box in pixels for each stage; `FACES` by default.
    """
    stages: list[Stage] = []
    report("start", samples)
    for face in FACES[start] if faces is None else faces:
        phi = descriptors(samples.crops, samples.points, face)
        is_train = samples.is_train
        stage = fit_stage(face, phi[is_train], (samples.truth - samples.points)[is_train])
        steps = [stage.steps(phi[i : i + _CHUNK]) for i in range(0, len(phi), _CHUNK)]
        samples = replace(samples, points=samples.points + np.concatenate(steps))
        stages.append(stage)
        report(f"stage {len(stages)}", samples)
    return SDM(start, mean, tuple(stages))


def report(name: str, samples: Samples) -> None:
    """Print the errors on training and held-out samples."""
    errors = samples.errors()
    train, held_out = errors[samples.is_train], errors[~samples.is_train]
    print(
        f"{name:8} NME training {train.mean():5.2f} %, held out {held_out.mean() if len(held_out) else np.nan:5.2f} %",
        flush=True,
    )


@reports_errors
def main() -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("records", type=Path, nargs="+", metavar="RECORDS.npz", help="fitted records (`rdrface fit`)")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.npz", help="cascade to write")
    parser.add_argument(
        "--start", choices=STARTS, default="mean", help="mean: the mean shape (default); ours: the 3D output of rdrface"
    )
    parser.add_argument("--faces", type=int, metavar="N", help="train on N random faces instead of all")
    parser.add_argument(
        "--starts", type=int, default=1, metavar="N", help="boxes per face, each also mirrored (default: 1)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="random seed (default: 0)")
    args = parser.parse_args()
    if args.starts < 1 or (args.faces is not None and args.faces < 1):
        parser.error("--starts and --faces must be at least 1")
    cv2.setNumThreads(1)
    begin = time.process_time()
    records = FaceRecords.concat([FaceRecords.load(path) for path in args.records])
    if args.faces is not None and args.faces < len(records):
        index = np.random.default_rng(args.seed).choice(len(records), args.faces, replace=False)
        records = records.select(np.sort(index))
    mean = mean_shape(records)
    aligner = rdrface.load(threads=1) if args.start == "ours" else None
    samples = collect(records, mean if aligner is None else None, args.starts, args.seed, aligner)
    print(
        f"{len(records)} faces, {len(samples.is_train)} samples, {samples.is_train.sum()} of them for training",
        flush=True,
    )
    model = fit(samples, args.start, mean)
    args.output.parent.mkdir(parents=True, exist_ok=True)
    model.save(args.output)
    print(f"{args.output}: {args.output.stat().st_size / 1e6:.1f} MB, {time.process_time() - begin:.0f} s of CPU time")
    return 0


if __name__ == "__main__":
    sys.exit(main())
