"""Fine-tuning as one function: annotated images in, weights with custom landmarks out (``rdrface finetune``)."""

import math
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from rdrface.datasets.crops import MARGIN
from rdrface.datasets.readers.custom_points import read_custom_points
from rdrface.detection.retinaface import RetinaFace
from rdrface.detection.retinaface import weights as retinaface_weights
from rdrface.errors import ConfigError, DataError
from rdrface.finetuning.faces import CustomFaces, align_faces
from rdrface.finetuning.placement import Placement, mirror_pairs, place_points
from rdrface.finetuning.ridge_regression import fit_global_correction, fit_local_correction
from rdrface.finetuning.validation import held_out, mean_error
from rdrface.finetuning.views import cache_features
from rdrface.finetuning.weights import load_network
from rdrface.morphable.model import FaceModel
from rdrface.network.custom_landmarks import CustomLandmarks
from rdrface.network.rdr import RDR
from rdrface.runtime.session import open_graph
from rdrface.runtime.weights import CustomScheme
from rdrface.training.export import describe, export
from rdrface.training.int8_export import CROPS, network_crops, spread, write_int8_graph

MIN_FACES = 10
"""Minimum number of annotated images: fewer are not enough to fit and validate."""

MINUTES = 3.0
"""Default time for drawing views, in minutes. Aligning the faces and exporting the weights are not included."""

GLOBAL_SHARE = 0.3
"""Share of the time for the views to which the first correction is fitted. The remaining time is for the second, whose
features are sampled at the landmarks after the first correction."""

MAX_MISFIT = 6.0
"""Misfit, percent of the face size, above which a custom landmark is probably not a point of the face."""


def fine_tune(
    weights: Path,
    folder: Path,
    out: Path,
    name: str,
    minutes: float = MINUTES,
    origin: int = 1,
    seed: int = 0,
    size: int | None = None,
) -> Path:
    """Fit custom landmarks and write ``OUT/weights/NAME.safetensors`` with its graphs.

    Also writes ``OUT/custom_landmarks.jpg``, a contact sheet of held-out faces with their predicted custom landmarks.

    Args:
        weights: trained network, see `rdrface.finetuning.weights.load_network`.
        folder: images and .pts files, see `rdrface.datasets.readers.custom_points`.
        out: output folder.
        name: name of the annotation scheme and of its weights file.
        minutes: time limit for drawing views.
        origin: pixel coordinate of the first pixel in the .pts files, 1 or 0.
        seed: seed of the random numbers.
        size: side of the crops in pixels, the only size of the new weights; see `load_network`.

    Returns:
        Path of the weights file.

    Raises:
        ConfigError: `name`, `minutes`, `out` or `size` cannot be used.
        DataError: images or annotations cannot be used; the message names the file.
        WeightsError: `weights` cannot be used.
    """
    if not name or name != Path(name).name or name.startswith("."):
        raise ConfigError(f"--name must be a file name without folders, for the weights file; got {name!r}")
    if not 0 <= minutes < math.inf:
        raise ConfigError(f"--minutes must be a number of 0 or more; got {minutes:g}")
    annotated = read_custom_points(folder, origin)
    if len(annotated) < MIN_FACES:
        raise DataError(
            f"{folder} contains {len(annotated)} annotated images; fine-tuning needs at least {MIN_FACES}, and a "
            "hundred or more for good results. Annotate more images"
        )
    path = weights_path(out, name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        raise ConfigError(
            f"-o must be an existing folder or one that can be created; got {out}: {failure.strerror}"
        ) from failure
    network, size, training_data = load_network(weights, size)
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    detector = RetinaFace(open_graph(retinaface_weights()))
    faces = align_faces(annotated.image.tolist(), annotated.points, network, size, detector)
    print(
        f"{len(faces)} images, {annotated.points.shape[1]} points each; "
        f"face detected in {int(faces.detected.sum())} of them"
    )
    readout, mirror, error = fit_custom_landmarks(
        network, size, faces, minutes * 60, seed, out / "custom_landmarks.jpg"
    )
    scheme = CustomScheme(name, readout.count, None if mirror is None else tuple(mirror.tolist()))
    metrics = {f"{name}, held-out photos, % of face size": round(error, 3)}
    info = describe(network, size, (*training_data, name), metrics)
    # The channels_last memory format, which is faster during fine-tuning, would change the exported graph.
    network = network.to(memory_format=torch.contiguous_format)
    export(network, path, replace(info, custom_scheme=scheme), readout=readout)
    chosen = spread(len(faces), CROPS)
    write_int8_graph(path, network_crops(faces.packed_images[chosen], faces.valid[chosen], MARGIN, size))
    print(f"weights: {path}")
    return path


def weights_path(out: Path, name: str) -> Path:
    """The weights file of a fine-tuning with output folder `out` and the annotation scheme `name`."""
    return out / "weights" / f"{name}.safetensors"


def fit_custom_landmarks(
    network: RDR, size: int, faces: CustomFaces, seconds: float, seed: int, sheet: Path | None = None
) -> tuple[CustomLandmarks, np.ndarray | None, float]:
    """Place the custom landmarks on the 3D face, fit both corrections, and print the errors on held-out images.

    Args:
        network: frozen RDR in evaluation mode.
        size: N, side of its crops in pixels.
        faces: all annotated faces; a tenth of them is held out.
        seconds: time for drawing views. At least one view of each face is drawn for each correction.
        seed: seed of all random numbers.
        sheet: path of a contact sheet of the held-out faces; None writes none.

    Returns:
        The custom landmarks, their mirror permutation (L,) or None, and the mean error on the held-out faces in percent
        of the face size.
    """
    held = held_out(faces.image)
    train, val = faces.select(~held), faces.select(held)
    model = FaceModel.load()
    placement = place_points(model, train.q, train.labels, train.sizes)
    _print_misfits(placement)
    mirror = _mirror(model, placement)
    readout = CustomLandmarks(model.reduced(placement.points), network.sizes).requires_grad_(False).eval()
    surface_error = mean_error(network, readout, val, size)
    start = time.monotonic()
    first = cache_features(network, readout, train, mirror, size, GLOBAL_SHARE * seconds, seed)
    fit_global_correction(readout, first)
    global_error = mean_error(network, readout, val, size)
    remaining = seconds - (time.monotonic() - start)
    second = cache_features(network, readout, train, mirror, size, remaining, seed + 1)
    fit_local_correction(readout, second)
    error = mean_error(network, readout, val, size, sheet)
    print(
        f"fitted to {len(train)} images: {len(first)} views for the global, {len(second)} for the local correction\n"
        f"mean distance of predicted from annotated points on {len(val)} held-out images, % of face size:\n"
        f"  surface points only      {surface_error:.2f}\n"
        f"  + global correction      {global_error:.2f}\n"
        f"  + local correction       {error:.2f}"
    )
    if error >= surface_error:
        print(
            "warning: the corrections did not reduce the error: there are too few images, or the annotations are "
            "inconsistent. More images help most; a larger --minutes helps little",
            file=sys.stderr,
        )
    return readout, mirror, error


def _mirror(model: FaceModel, placement: Placement) -> np.ndarray | None:
    """The mirror permutation of the custom landmarks, or None if they do not form pairs; prints the result."""
    mirror, reason = mirror_pairs(model, placement.points)
    if mirror is None:
        print(
            f"warning: the points do not form left-right pairs ({reason}), so mirrored views are not used. This is "
            "expected of an annotation scheme that is not symmetric; otherwise check that the points have the same "
            "order in all files",
            file=sys.stderr,
        )
        return None
    middle = int((mirror == np.arange(len(mirror))).sum())
    print(f"mirror image: {(len(mirror) - middle) // 2} pairs and {middle} points on the midline")
    return mirror


def _print_misfits(placement: Placement) -> None:
    """Print the misfit of every custom landmark, and a warning if some are large."""
    print("median distance of the annotations from the point's place on the 3D face, % of face size:")
    cells = [f"{k + 1:4d}: {misfit:4.1f}" for k, misfit in enumerate(placement.misfit)]
    for first in range(0, len(cells), 10):
        print(" ".join(cells[first : first + 10]))
    bad = np.flatnonzero(~(placement.misfit <= MAX_MISFIT)) + 1
    if len(bad):
        print(
            f"warning: points {', '.join(map(str, bad[:10]))}{', ...' if len(bad) > 10 else ''} do not fit any place "
            "on the 3D face. Check that they have the same order in all files and mark the same spot in every image",
            file=sys.stderr,
        )
