"""Running our own aligner for `rdrface evaluate`: which boxes, which weights, and which faces were not found."""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from rdrface.aligner import PACKAGED_WEIGHTS
from rdrface.datasets.records import FaceRecords
from rdrface.detection.boxes import BoxFile
from rdrface.errors import DataError
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.runtime.weights import read_info

_NAMED = 20
"""So many faces that were not found are named on the terminal; the JSON names all."""


def chosen_boxes(word: str) -> tuple[str | BoxFile, str]:
    """What `--boxes` asks for, and how it is called in a heading.

    Raises:
        DataError: `word` is a file of boxes that cannot be read.
    """
    named = {"gt": "true landmarks", "detector": "detector"}.get(word)
    return (word, named) if named is not None else (BoxFile.read(Path(word)), Path(word).name)


def run_description(boxes: str, weights: Path | None) -> dict[str, Any]:
    """How the faces were aligned, for the JSON: boxes, and the weights with their checksum.

    Raises:
        WeightsError: the weights cannot be read.
    """
    weights = PACKAGED_WEIGHTS if weights is None else weights
    # The checksum identifies the weights; a file's name does not.
    checksum = read_info(weights)[0].checksum
    return {"said": f"boxes: {boxes}", "boxes": boxes, "weights": weights.name, "weights_sha256": checksum}


def name_missed(annotations: FaceRecords, predictions: Predictions, unreadable: dict[str, str]) -> None:
    """Name the faces that were not found on standard error.

    Args:
        annotations: N faces.
        predictions: of them.
        unreadable: photo -> reason.

    Raises:
        DataError: no face was found.
    """
    missed = [str(annotations.image[i]) for i in np.flatnonzero(~predictions.found)]
    for image in missed[:_NAMED]:
        print(f"rdrface evaluate: {unreadable.get(image, f'{image}: face not found')}", file=sys.stderr)
    if len(missed) > _NAMED:
        print(f"rdrface evaluate: and {len(missed) - _NAMED} more (all are in the JSON)", file=sys.stderr)
    if len(missed) == len(annotations):
        raise DataError(f"none of the {len(annotations)} faces was found, so there is nothing to measure")
