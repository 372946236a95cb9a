"""Shared parts of the evaluation commands: the option --boxes, the description of a run, and faces not found."""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from rdrface.aligner import Aligner
from rdrface.datasets.records import FaceRecords
from rdrface.detection.box_file import BoxFile
from rdrface.errors import DataError
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.loading import PACKAGED_WEIGHTS
from rdrface.runtime.weights import read_info

_NAMED = 20
"""Largest number of missed faces that are named on the terminal; the JSON report names all."""


def parse_boxes(argument: str) -> tuple[str | BoxFile, str]:
    """Boxes of the option --boxes, for `run_aligner`, and their name in headings and reports.

    Args:
        argument: "gt", "detector", or the path of a box file.

    Raises:
        DataError: the box file cannot be read.
    """
    name = {"gt": "true landmarks", "detector": "detector"}.get(argument)
    return (argument, name) if name is not None else (BoxFile.read(Path(argument)), Path(argument).name)


def describe_run(boxes: str, weights: Path | None, aligner: Aligner) -> dict[str, Any]:
    """Boxes, weights, precision and crop size of a run of the aligner, for the JSON report.

    Args:
        boxes: name of the boxes, from `parse_boxes`.
        weights: path of the weights file; None means the packaged weights.
        aligner: the aligner.

    Raises:
        WeightsError: the weights cannot be read.
    """
    weights = PACKAGED_WEIGHTS if weights is None else weights
    # The checksum identifies the weights; a file's name does not.
    checksum = read_info(weights)[0].checksum
    return {
        "boxes": boxes,
        "weights": weights.name,
        "weights_sha256": checksum,
        "precision": aligner.precision,
        "crop_size": aligner.crop_size,
    }


def report_missed(annotations: FaceRecords, predictions: Predictions, unreadable: dict[str, str]) -> None:
    """Print the faces that were not found to standard error.

    Args:
        annotations: N faces.
        predictions: predictions for these faces.
        unreadable: image -> reason why the image could not be read.

    Raises:
        DataError: no face was found.
    """
    missed = [str(annotations.image[i]) for i in np.flatnonzero(~predictions.found)]
    for image in missed[:_NAMED]:
        print(f"rdrface evaluate: {unreadable.get(image, f'{image}: face not found')}", file=sys.stderr)
    if len(missed) > _NAMED:
        print(f"rdrface evaluate: and {len(missed) - _NAMED} more (--json lists all)", file=sys.stderr)
    if len(missed) == len(annotations):
        raise DataError(
            f"none of the {len(annotations)} faces was found, so there is nothing to measure; check --boxes and the "
            "images"
        )
