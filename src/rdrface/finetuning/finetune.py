"""Fine-tuning as one function: annotated images in, weights with custom landmarks out (``rdrface finetune``)."""

import math
import sys
from dataclasses import replace
from pathlib import Path

import torch

from rdrface.datasets.crops import MARGIN
from rdrface.detection.retinaface import RetinaFace
from rdrface.detection.retinaface import weights as retinaface_weights
from rdrface.errors import ConfigError, DataError
from rdrface.evaluation.metrics.errors import mean_known
from rdrface.finetuning.cross_validation import check_folds, cross_validate, cross_validation_table
from rdrface.finetuning.faces import CustomFaces, align_faces
from rdrface.finetuning.fit import Fit, fit_readout, print_fit
from rdrface.finetuning.formats import PTS, base_output, photo_names, read_annotations
from rdrface.finetuning.validation import held_out, stage_errors
from rdrface.finetuning.weights import load_network
from rdrface.network.rdr import RDR
from rdrface.runtime.session import open_graph
from rdrface.runtime.weights import CustomScheme, image_digest
from rdrface.training.export import describe, export
from rdrface.training.int8_export import CROPS, network_crops, spread, write_int8_graph

MIN_PHOTOS = 10
"""Minimum number of annotated photos: fewer are not enough to fit and validate."""

MAX_NAME = 200
"""Maximum length of a scheme's name, bytes. File systems allow 255, with the suffixes of its files."""

MINUTES = 3.0
"""Default time for drawing views, in minutes. Aligning the faces and exporting the weights are not included."""


def fine_tune(
    weights: Path,
    folder: Path,
    out: Path,
    name: str,
    minutes: float = MINUTES,
    origin: int | None = None,
    seed: int = 0,
    size: int | None = None,
    annotation_format: str = PTS,
    folds: int | None = None,
) -> Path:
    """Fit custom landmarks and write ``OUT/weights/NAME.safetensors`` with its graphs.

    Also writes ``OUT/NAME.jpg``, a contact sheet of held-out faces with their predicted custom landmarks.

    Args:
        weights: trained network, see `rdrface.finetuning.weights.load_network`.
        folder: images and annotations in the format `annotation_format`.
        out: output folder.
        name: name of the annotation scheme and of its weights file.
        minutes: time limit for drawing views; with `folds`, for each fold and once more for the weights.
        origin: see `rdrface.finetuning.formats.read_annotations`.
        seed: seed of the random numbers.
        size: side of the crops in pixels, the only size of the new weights; see `load_network`.
        annotation_format: one of `rdrface.finetuning.formats.FORMATS`.
        folds: number of folds of a cross-validation, after which the weights are fitted to all photos; None holds out a
            tenth of the photos instead.

    Returns:
        Path of the weights file.

    Raises:
        ConfigError: `name`, `minutes`, `origin`, `folds`, `out` or `size` cannot be used.
        DataError: images or annotations cannot be used; the message names the file.
        WeightsError: `weights` cannot be used.
    """
    check_name(name)
    if not 0 <= minutes < math.inf:
        raise ConfigError(f"--minutes must be a number of 0 or more; got {minutes:g}")
    annotated = read_annotations(annotation_format, folder, origin)
    output = base_output(annotated)
    # 300W-LP has several images per photo, which are held out together.
    photos = len(set(photo_names(annotated).tolist()))
    if photos < MIN_PHOTOS:
        raise DataError(
            f"{folder} contains annotations of {photos} photos; fine-tuning needs at least {MIN_PHOTOS}, and a "
            "hundred or more for good results. Annotate more photos"
        )
    if folds is not None:
        check_folds(folds, photos)
    # Before the folder is created: weights that cannot be used leave nothing behind.
    network, size, training_data = load_network(weights, size)
    path = weights_path(out, name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        raise ConfigError(
            f"-o must be an existing folder or one that can be created; got {out}: {failure.strerror}"
        ) from failure
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    detector = RetinaFace(open_graph(retinaface_weights()))
    faces = align_faces(annotated, network, size, detector)
    boxes = (
        f"face detected in {int(faces.detected.sum())} of them"
        if output is None
        else "aligned from the boxes of the annotated landmarks"
    )
    print(f"{len(faces)} images, {annotated.points.shape[1]} points each; {boxes}")
    seconds, sheet = minutes * 60, sheet_path(out, name)
    if folds is None:
        fitted, fit, error = fit_custom_landmarks(network, size, faces, seconds, seed, sheet, output)
        measured = "held-out photos"
    else:
        errors = cross_validate(network, size, faces, output, seconds, seed, folds, sheet)
        print(cross_validation_table(errors, faces.yaw, output, folds).to_text())
        fitted, fit = faces, fit_readout(network, size, faces, output, seconds, seed)
        print_fit(fit, len(fitted))
        error, measured = float(mean_known(errors[-1], 1).mean()), f"{folds}-fold cross-validation"
    readout, mirror = fit.readout, None if fit.mirror is None else tuple(fit.mirror.tolist())
    digests = tuple(map(image_digest, fitted.image))
    scheme = CustomScheme(name, readout.count, mirror, annotation_format, digests)
    metrics = {f"{name}, {measured}, % of face size": round(error, 3)}
    info = describe(network, size, (*training_data, name), metrics)
    # The channels_last memory format, which is faster during fine-tuning, would change the exported graph.
    network = network.to(memory_format=torch.contiguous_format)
    export(network, path, replace(info, custom_scheme=scheme), readout=readout)
    chosen = spread(len(faces), CROPS)
    write_int8_graph(path, network_crops(faces.packed_images[chosen], faces.valid[chosen], MARGIN, size))
    print(f"weights: {path}")
    return path


def check_name(name: str) -> None:
    """Check the name of an annotation scheme, which is also that of its files.

    Raises:
        ConfigError: it cannot be the name of a file.
    """
    if not name or name != Path(name).name or name.startswith(".") or len(name.encode()) > MAX_NAME:
        raise ConfigError(
            f"--name must be a file name without folders, of at most {MAX_NAME} bytes, for the weights file; got "
            f"{name!r}"
        )


def weights_path(out: Path, name: str) -> Path:
    """The weights file of a fine-tuning with output folder `out` and the annotation scheme `name`."""
    return out / "weights" / f"{name}.safetensors"


def sheet_path(out: Path, name: str) -> Path:
    """The contact sheet of a fine-tuning with output folder `out` and the annotation scheme `name`."""
    return out / f"{name}.jpg"


def fit_custom_landmarks(
    network: RDR,
    size: int,
    faces: CustomFaces,
    seconds: float,
    seed: int,
    sheet: Path | None = None,
    output: str | None = None,
) -> tuple[CustomFaces, Fit, float]:
    """Fit custom landmarks to nine tenths of the photos, and print the errors on the others.

    Args:
        network: frozen RDR in evaluation mode.
        size: N, side of its crops in pixels.
        faces: all annotated faces.
        seconds, seed, output: see `fit_readout`.
        sheet: path of a contact sheet of the held-out faces; None writes none.

    Returns:
        The faces that the landmarks were fitted to, the fit, and the mean error on the held-out faces in percent of the
        face size.
    """
    held = held_out(faces.photo)
    train, val = faces.select(~held), faces.select(held)
    fit = fit_readout(network, size, train, output, seconds, seed)
    print_fit(fit, len(train))
    stages = mean_known(stage_errors(network, fit.readout, val, size, sheet), 2).mean(1)
    first = "surface points only" if output is None else "as trained"
    print(f"mean distance of predicted from annotated points on {len(val)} held-out images, % of face size:")
    for name, stage in zip((first, "+ global correction", "+ local correction"), stages, strict=True):
        print(f"  {name:<24} {stage:.2f}")
    if stages[-1] >= stages[0]:
        print(
            "warning: the corrections did not reduce the error: there are too few images, or the annotations are "
            "inconsistent. More images help most; a larger --minutes helps little",
            file=sys.stderr,
        )
    return train, fit, float(stages[-1])
