"""Fit a cascade (`sdm.py`) to the faces of a record file.

python benchmarks/sdm/train.py RECORDS.npz ... -o runs/sdm/mean.npz [--start mean|ours] [--faces N] [--starts N]

RECORDS.npz is what `rdrface fit` writes, one file per set. After every stage the error on the faces it learns from and
on a held-out part of them is printed.
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
from rdrface.crop import CropFrame
from rdrface.datasets.records import FaceRecords
from rdrface.errors import DataError, RdrError
from rdrface.evaluation.metrics.errors import bounding_box_size, nme
from rdrface.image import read_image
from rdrface.landmarks import CONTOUR, MIRROR, NUM_LANDMARKS

FACES: dict[Start, tuple[int, ...]] = {"mean": (60, 80, 100, MAX_FACE, MAX_FACE), "ours": (80, 100, MAX_FACE)}
"""How large each stage sees the face, in pixels. Our 3D output needs no far-sighted first stages."""

SHIFT, SCALE = 0.05, 0.08
"""Standard deviations of the training boxes: of the center in units of the box's side, of the side's logarithm. Boxes
are then as wrong as those that a detector gives, and the annotated boxes of other sets lie well within them."""

COMPONENTS = 40
"""Principal components kept of each landmark's 128 numbers, for the fit alone: a stage then has 2,720 unknowns per
coordinate instead of 8,704, so its normal equations cost a tenth. The stage that comes out reads whole descriptors."""

RIDGE = 6000.0
"""Weight of the ridge: as if so many more starts, spread evenly over the components, had asked for no step at all."""

HELD_OUT = 0.05
"""Share of the photos that nothing is learned from."""

_CHUNK = 1024


@dataclass(frozen=True)
class Samples:
    """M training starts.

    Attributes:
        crops: (M, CROP, CROP) uint8.
        points: (M, 68, 2) float32 crop frame, where the cascade is.
        truth: (M, 68, 2) float32 crop frame, where it shall go.
        learned: (M,) bool, False for the held-out ones.
    """

    crops: np.ndarray
    points: np.ndarray
    truth: np.ndarray
    learned: np.ndarray

    def errors(self) -> np.ndarray:
        """(M,) distances to the truth in percent of its box's side, mean of the 68 points."""
        return nme(self.points, self.truth, bounding_box_size(self.truth))


def targets(records: FaceRecords) -> np.ndarray:
    """(N, 68, 2) float32 photo pixels: the annotated points, where there are none the fitted outline.

    Raises:
        DataError: the records hold no fit.
    """
    if records.outline is None:
        raise DataError("the records hold no fit, so hidden points have no place; run `rdrface fit` on them first")
    known = np.isfinite(records.points).all(-1)
    # A contour on the absolute jawline says nothing about the visible outline.
    known[np.ix_(records.contour == "jawline", CONTOUR)] = False
    return np.where(known[..., None], records.points, records.outline)


def jittered(boxes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Boxes (N, 4) xyxy that are off by `SHIFT` and `SCALE`; their proportions stay."""
    center, size = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    side = np.sqrt(size.prod(1, keepdims=True))
    center = center + SHIFT * side * rng.standard_normal(center.shape)
    size = size * np.exp(SCALE * rng.standard_normal((len(boxes), 1)))
    return np.concatenate([center - size / 2, center + size / 2], axis=1)


def mirrored(points: np.ndarray) -> np.ndarray:
    """Points (..., 68, 2), crop frame, of the mirrored picture: x changes its sign and left becomes right."""
    return (points * np.array([-1, 1], points.dtype))[..., MIRROR, :]


def collect(records: FaceRecords, mean: np.ndarray | None, starts: int, seed: int, aligner: Any = None) -> Samples:
    """Training starts of all faces: `starts` boxes each, and every start mirrored too.

    Args:
        records: with a fit.
        mean: (68, 2) crop frame, the start of every face; None starts from the aligner's 3D output.
        starts: boxes per face.
        seed: of boxes and held-out photos.
        aligner: `rdrface.Aligner`.

    Raises:
        ImageError, DataError: a photo cannot be read; no fit.
    """
    truth = targets(records)
    rng = np.random.default_rng(seed)
    photos = np.unique(records.image)
    held = rng.permutation(photos)[: round(HELD_OUT * len(photos))]
    boxes = np.stack([jittered(records.box.astype(np.float64), rng) for _ in range(starts)], axis=1)
    count = 2 * starts * len(records)
    samples = Samples(
        crops=np.empty((count, CROP, CROP), np.uint8),
        points=np.empty((count, NUM_LANDMARKS, 2), np.float32),
        truth=np.empty((count, NUM_LANDMARKS, 2), np.float32),
        learned=np.repeat(~np.isin(records.image, held), 2 * starts),
    )
    for i in tqdm(range(len(records)), desc="starts", disable=None):
        photo = read_image(str(records.image[i]))
        if mean is None:
            found = np.stack([face.projection for face in aligner.align(photo, boxes[i])])
            frame, points = from_landmarks(found)
        else:
            frame, points = CropFrame.from_boxes(boxes[i]), np.repeat(mean[None], starts, axis=0)
        crops = gray_crops(photo, frame)
        goal = frame.to_crop(np.repeat(truth[i][None], starts, axis=0))
        plain = slice(2 * starts * i, 2 * starts * i + starts)
        turned = slice(plain.stop, plain.stop + starts)
        samples.crops[plain], samples.crops[turned] = crops, crops[:, :, ::-1]
        samples.points[plain], samples.truth[plain] = points, goal
        # The mean is the mean of faces and mirrored faces: its own mirror image.
        samples.points[turned], samples.truth[turned] = mirrored(points), mirrored(goal)
    return samples


def mean_shape(records: FaceRecords) -> np.ndarray:
    """(68, 2) float32 crop frame: mean of the faces in their boxes and of their mirror images."""
    shape = CropFrame.from_boxes(records.box).to_crop(targets(records)).mean(0)
    return ((shape + mirrored(shape)) / 2).astype(np.float32)


def fit_stage(face: int, phi: np.ndarray, steps: np.ndarray) -> Stage:
    """Ridge regression from descriptors to steps.

    Args:
        face: see `sdm.Stage`.
        phi: (M, 68, 128) uint8.
        steps: (M, 68, 2) crop frame.
    """
    center = phi.mean(0, dtype=np.float64).astype(np.float32)
    basis = np.empty((NUM_LANDMARKS, LENGTH, COMPONENTS), np.float32)
    for i in range(NUM_LANDMARKS):
        off = phi[:, i] - center[i]
        basis[i] = np.linalg.eigh((off.T @ off).astype(np.float64))[1][:, -COMPONENTS:]
    width = NUM_LANDMARKS * COMPONENTS
    offset = steps.mean(0, dtype=np.float64).reshape(-1)
    gram, cross = np.zeros((width, width)), np.zeros((width, 2 * NUM_LANDMARKS))
    for first in range(0, len(phi), _CHUNK):
        part = slice(first, first + _CHUNK)
        off = (phi[part] - center).transpose(1, 0, 2)
        seen = (off @ basis).transpose(1, 0, 2).reshape(-1, width)
        gram += seen.T @ seen
        cross += seen.T @ (steps[part].reshape(-1, 2 * NUM_LANDMARKS) - offset).astype(np.float32)
    gram[np.diag_indices(width)] += RIDGE * np.trace(gram) / (width * len(phi))
    solved = np.linalg.solve(gram, cross).reshape(NUM_LANDMARKS, COMPONENTS, 2 * NUM_LANDMARKS)
    # Back from components to descriptors: one matrix does the work of both.
    weights = (basis @ solved).reshape(NUM_LANDMARKS * LENGTH, 2 * NUM_LANDMARKS)
    return Stage(face, weights.astype(np.float32), (offset - center.reshape(-1) @ weights).astype(np.float32))


def fit(samples: Samples, start: Start, mean: np.ndarray, faces: tuple[int, ...] | None = None) -> SDM:
    """Fit the stages one after the other, each to where the ones before it left the points.

    Args:
        samples: see `collect`.
        start, mean: see `sdm.SDM`.
        faces: how large each stage sees the face; `FACES` by default.
    """
    stages: list[Stage] = []
    report("start", samples)
    for face in FACES[start] if faces is None else faces:
        phi = descriptors(samples.crops, samples.points, face)
        learned = samples.learned
        stage = fit_stage(face, phi[learned], (samples.truth - samples.points)[learned])
        steps = [stage.steps(phi[i : i + _CHUNK]) for i in range(0, len(phi), _CHUNK)]
        samples = replace(samples, points=samples.points + np.concatenate(steps))
        stages.append(stage)
        report(f"stage {len(stages)}", samples)
    return SDM(start, mean, tuple(stages))


def report(name: str, samples: Samples) -> None:
    """Print the errors of both parts."""
    errors = samples.errors()
    learned, held = errors[samples.learned], errors[~samples.learned]
    print(
        f"{name:8} NME learned {learned.mean():5.2f} %, held out {held.mean() if len(held) else np.nan:5.2f} %",
        flush=True,
    )


def main() -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("records", type=Path, nargs="+", metavar="RECORDS.npz", help="fitted records (`rdrface fit`)")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.npz", help="the cascade")
    parser.add_argument("--start", choices=STARTS, default="mean", help="the mean shape, or rdrface's 3D output")
    parser.add_argument("--faces", type=int, metavar="N", help="a random choice of N faces instead of all")
    parser.add_argument("--starts", type=int, default=1, metavar="N", help="boxes per face, each mirrored too (1)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="default: 0")
    args = parser.parse_args()
    if args.starts < 1 or (args.faces is not None and args.faces < 1):
        parser.error("--starts and --faces must be at least 1")
    cv2.setNumThreads(1)
    begin = time.process_time()
    try:
        records = FaceRecords.concat([FaceRecords.load(path) for path in args.records])
        if args.faces is not None and args.faces < len(records):
            chosen = np.random.default_rng(args.seed).choice(len(records), args.faces, replace=False)
            records = records.select(np.sort(chosen))
        mean = mean_shape(records)
        aligner = rdrface.load(threads=1) if args.start == "ours" else None
        samples = collect(records, mean if aligner is None else None, args.starts, args.seed, aligner)
        print(
            f"{len(records)} faces, {len(samples.learned)} starts, {samples.learned.sum()} of them learned from",
            flush=True,
        )
        model = fit(samples, args.start, mean)
    except RdrError as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 1
    args.output.parent.mkdir(parents=True, exist_ok=True)
    model.save(args.output)
    print(f"{args.output}: {args.output.stat().st_size / 1e6:.1f} MB, {time.process_time() - begin:.0f} s of CPU time")
    return 0


if __name__ == "__main__":
    sys.exit(main())
