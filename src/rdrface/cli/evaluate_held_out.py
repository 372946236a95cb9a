"""`rdrface evaluate SET DIR --held-out CONFIG`: the training images that a training does not learn from."""

import argparse
from pathlib import Path

import numpy as np

from rdrface.datasets.annotation_offset import without_offset
from rdrface.datasets.records import FaceRecords
from rdrface.errors import ConfigError, DataError
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.protocols.sets import SETS, EvaluationSet
from rdrface.evaluation.tables.standard_errors import standard_error_table
from rdrface.evaluation.tables.tables import Table
from rdrface.geometry.boxes import box_size
from rdrface.training.config_file import load_config
from rdrface.training.face_order import held_out_faces, person_keys


def add_argument(parser: argparse.ArgumentParser) -> None:
    """Add the option ``--held-out``."""
    names = ", ".join(name for name, each in SETS.items() if each.read_training is not None)
    parser.add_argument(
        "--held-out",
        metavar="CONFIG",
        help="measure the images of the training part that a training with CONFIG (a packaged configuration or a TOML "
        f"file) holds out for validation; for {names}",
    )


def read_held_out(name: str, folder: Path, config: str) -> FaceRecords:
    """The faces of a dataset's training part that a training holds out, annotated as the protocol needs them.

    Args:
        name: name of the dataset on the command line.
        folder: folder of the dataset.
        config: see `rdrface.training.config_file.load_config`; its `validation_fraction` decides.

    Raises:
        ConfigError: rdrface is not trained on this dataset, or the configuration cannot be read.
        DataError: the dataset cannot be read, or no face is held out.
    """
    read = SETS[name].read_training
    if read is None:
        trained = ", ".join(name for name, each in SETS.items() if each.read_training is not None)
        raise ConfigError(
            f"--held-out does not apply to {name}, which rdrface is not trained on; it is for {trained}. Leave it out"
        )
    fraction = load_config(config).validation_fraction
    records = read(folder)
    held = held_out_faces(records, fraction)
    if not held.any():
        raise DataError(
            f"a validation_fraction of {fraction:g} ({config}) holds out none of the {len(records)} training faces in "
            f"{folder}; use more faces, or a configuration with a larger fraction"
        )
    return records.select(held)


def held_out_tables(
    evaluation_set: EvaluationSet, annotations: FaceRecords, predictions: Predictions, config: str
) -> list[Table]:
    """Mean errors with standard errors; a second table if the training removes an annotation offset from these faces.

    Args:
        evaluation_set: the dataset.
        annotations: N faces of `read_held_out`.
        predictions: of the same faces.
        config: the configuration, whose `annotation_offset` is removed in the second table.
    """
    groups, size = person_keys(annotations), box_size(annotations.box)
    title = f"{evaluation_set.title}, held out by {Path(config).name}: mean error, percent"

    def table(faces: FaceRecords, end: str = "") -> Table:
        return standard_error_table(evaluation_set.errors(faces, predictions), size, f"{title}{end}", groups)

    corrected = without_offset(annotations, load_config(config).annotation_offset)
    if np.array_equal(corrected.points, annotations.points, equal_nan=True):
        return [table(annotations)]
    return [table(annotations), table(corrected, ", annotation offset of the training removed")]
