"""Designs of the landmark setting of a dataset: cross-validated errors of corrections that are simpler than that of
`rdrface finetune` (docs/finetuning.md).

    python experiments/landmark_setting.py aflw2000_3d_dev

DIR contains a dataset with the 68 landmarks (docs/finetuning.md, Public datasets). The network is frozen. Every design
is a linear correction of one of its outputs, fitted by the robust ridge regression of `rdrface finetune` to crops
without augmentation and their mirror images; the penalty is chosen within the training folds.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from rdrface.cli.options import positive, weights_or_run
from rdrface.cli.script import reports_errors
from rdrface.crop import CropFrame, cut
from rdrface.detection.retinaface import RetinaFace, weights
from rdrface.errors import ConfigError
from rdrface.evaluation.metrics.errors import by_yaw, mean_known
from rdrface.evaluation.tables.tables import Row, Table
from rdrface.finetuning.cross_validation import check_folds, cross_validate
from rdrface.finetuning.faces import CustomFaces, align_faces
from rdrface.finetuning.formats import FORMATS, PTS, base_output, photo_names, read_annotations
from rdrface.finetuning.ridge_regression import GLOBAL_PENALTIES, context_scale, fit_ridge
from rdrface.finetuning.validation import assign_folds
from rdrface.finetuning.weights import load_network
from rdrface.image import read_image
from rdrface.landmarks import INNER, MIRROR
from rdrface.loading import PACKAGED_WEIGHTS
from rdrface.morphable.params import PITCH, POSE, YAW
from rdrface.network.custom_landmarks import CustomLandmarks, extract_features
from rdrface.network.rdr import RDR
from rdrface.runtime.session import open_graph


@dataclass(frozen=True)
class Views:
    """What the network predicts on M crops, crop frame.

    Attributes:
        photo: (M,) int64, number of the photo; several images may be made from one.
        labels: (M, 68, 2) annotated points; NaN where a point has no position.
        output: (M, 68, 2), the network's landmarks in the contour convention of the dataset.
        projection: (M, 68, 2), points of the projected 3D face in this convention.
        context: (M, D), see `rdrface.network.custom_landmarks`.
        angles: (M, 2) predicted pitch and yaw, radians.
    """

    photo: Tensor
    labels: Tensor
    output: Tensor
    projection: Tensor
    context: Tensor
    angles: Tensor

    def select(self, index: np.ndarray) -> "Views":
        """The crops at `index`, (M,) bool."""
        return Views(*(getattr(self, field.name)[torch.from_numpy(index)] for field in fields(self)))


@dataclass(frozen=True)
class Design:
    """A linear correction.

    Attributes:
        name: row of the table.
        base: attribute of `Views` that is corrected.
        inputs: the inputs (M, D) of the correction of every landmark.
        scale: divisors (D,) for the inputs (M, D) of the crops that the correction is fitted to.
    """

    name: str
    base: str
    inputs: Callable[[Views], Tensor]
    scale: Callable[[Tensor], Tensor] = lambda inputs: torch.ones(inputs.shape[1])


def adapter(powers: int) -> Callable[[Views], Tensor]:
    """Powers of the sine of the yaw, and the sine of the pitch: (M, powers + 1)."""

    def inputs(views: Views) -> Tensor:
        pitch, yaw = views.angles.sin().T
        return torch.stack([*(yaw**power for power in range(1, powers + 1)), pitch], dim=1)

    return inputs


DESIGNS = (
    Design("constant offset per landmark", "output", lambda views: views.angles[:, :0]),
    Design("affine adapter per landmark: powers of sin yaw up to the third, sin pitch", "output", adapter(3)),
    Design("the same, up to the fourth power", "output", adapter(4)),
    Design("global correction of the projected 3D face", "projection", lambda views: views.context, context_scale),
)


@torch.no_grad()
def read_views(network: RDR, size: int, faces: CustomFaces, output: str, is_mirrored: bool) -> Views:
    """Run the network on the crop of every face, as at run time, or on its mirror image."""
    readout = CustomLandmarks(output, network.sizes)
    projection = "projection_jawline" if output == "landmarks_jawline" else "projection"
    annotated = faces.frame.to_image(faces.labels)
    photo = np.unique(faces.photo, return_inverse=True)[1]
    rows = []
    for i, image in enumerate(tqdm(faces.image, desc="mirrored crops" if is_mirrored else "crops", disable=None)):
        frame = CropFrame.from_boxes(faces.boxes[i : i + 1])
        crop, labels = cut(read_image(image), frame, size), frame.to_crop(annotated[i : i + 1])
        if is_mirrored:
            crop, labels = crop[..., ::-1].copy(), labels[:, MIRROR] * [-1, 1]
        features = extract_features(network, torch.from_numpy(crop))
        last = features.prediction.steps[-1]
        pose = last.q[:, POSE]
        rows.append(
            (
                torch.from_numpy(photo[i : i + 1]),
                torch.from_numpy(labels).float(),
                getattr(last, output),
                getattr(last, projection)[..., :2],
                readout.context(last, features.hidden),
                pose[:, [PITCH, YAW]],
            )
        )
    return Views(*map(torch.cat, zip(*rows, strict=True)))


def corrected(design: Design, fitted_to: Views, measured: Views) -> Tensor:
    """Landmarks (M, 68, 2) of the measured crops after a correction that is fitted to others."""
    base, inputs = getattr(fitted_to, design.base), design.inputs(fitted_to)
    scale = design.scale(inputs)
    each = (inputs / scale)[:, None].expand(-1, base.shape[1], -1)
    weights, bias, _ = fit_ridge(each, fitted_to.labels - base, fitted_to.photo, GLOBAL_PENALTIES)
    correction = torch.einsum("md,ldc->mlc", design.inputs(measured) / scale, weights) + bias
    moved: Tensor = getattr(measured, design.base) + correction
    return moved


def design_errors(design: Design, views: Views, mirrored: Views, fold: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Cross-validated errors (N, 68) in percent of the faces' sizes (N,), crop frame."""
    errors = np.empty(views.labels.shape[:2])
    for k in range(int(fold.max()) + 1):
        others = [each.select(fold != k) for each in (views, mirrored)]
        together = Views(*(torch.cat([getattr(one, field.name) for one in others]) for field in fields(Views)))
        measured = views.select(fold == k)
        distance = (corrected(design, together, measured) - measured.labels).norm(dim=-1).numpy()
        errors[fold == k] = 100 * distance / sizes[fold == k, None]
    return errors


def row(name: str, errors: np.ndarray, yaw: np.ndarray) -> Row:
    """A row of the table for errors (N, 68)."""
    return Row(name, tuple(by_yaw(mean_known(part, 1), yaw).mean_of_bins for part in (errors, errors[:, INNER])))


@reports_errors
def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of the dataset")
    parser.add_argument(
        "--format",
        choices=[name for name in FORMATS if name not in (PTS, "wflw")],
        default="aflw2000-3d",
        help="the dataset (default: aflw2000-3d)",
    )
    parser.add_argument(
        "--weights",
        type=weights_or_run,
        default=PACKAGED_WEIGHTS,
        metavar="FILE|RUN",
        help="weights file, lite, or folder of a training run (default: the packaged full weights)",
    )
    parser.add_argument("--folds", type=positive, default=5, metavar="K", help="number of folds (default: 5)")
    args = parser.parse_args()
    annotated = read_annotations(args.format, args.folder)
    output = base_output(annotated)
    if output is None or annotated.yaw is None:
        raise ConfigError(f"--format must be a dataset with the 68 landmarks and head poses; got {args.format}")
    check_folds(args.folds, len(set(photo_names(annotated).tolist())))
    network, size, _ = load_network(args.weights)
    faces = align_faces(annotated, network, size, RetinaFace(open_graph(weights())))
    fold = assign_folds(faces.photo, args.folds)
    stages = cross_validate(network, size, faces, output, 0.0, 0, args.folds)
    names = (
        f"as trained, {output}",
        f"global correction of {output}",
        "global and local correction: `rdrface finetune --minutes 0`",
    )
    as_trained, with_global, with_both = (row(n, e, faces.yaw) for n, e in zip(names, stages, strict=True))
    views, mirrored = (read_views(network, size, faces, output, mirror) for mirror in (False, True))
    sizes = faces.sizes * faces.frame.half / CropFrame.from_boxes(faces.boxes).half
    simpler = [row(d.name, design_errors(d, views, mirrored, fold, sizes), faces.yaw) for d in DESIGNS]
    title = (
        f"{args.folds}-fold cross-validation on {len(faces)} images, percent of the face's size, mean of the yaw bins"
    )
    rows = (as_trained, *simpler[:-1], with_global, simpler[-1], with_both)
    print(Table(title, ("68 points", "51 inner points"), rows).to_text())


if __name__ == "__main__":
    sys.exit(main())
