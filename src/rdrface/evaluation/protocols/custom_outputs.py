"""`Face.custom_landmarks` as a further output of an evaluation, for weights fine-tuned to the evaluated dataset."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from rdrface.datasets.records import FaceRecords
from rdrface.evaluation.predictions.aligning import Outputs
from rdrface.evaluation.tables.tables import Table
from rdrface.face import Face
from rdrface.runtime.weights import CustomScheme, image_digest

CUSTOM = "custom_landmarks"
"""Start of the label of the output."""


def custom_label(scheme: CustomScheme) -> str:
    """Label of the output, with the number of photos that the scheme was fitted to."""
    return f"{CUSTOM}, fine-tuned on {len(scheme.fitted_to)} photos of the set"


def with_custom_landmarks(outputs: Outputs, scheme: CustomScheme) -> Callable[[Face], Mapping[str, np.ndarray]]:
    """Outputs of a face, see `rdrface.evaluation.protocols.sets.EvaluationSet`, with the custom landmarks as the last.

    The custom landmarks follow the contour convention of the annotations that they were fitted to, the dataset's own.

    Args:
        outputs: the outputs of a dataset.
        scheme: scheme of the weights, fine-tuned to the same dataset.
    """
    label = custom_label(scheme)

    def extended(face: Face) -> dict[str, np.ndarray]:
        if face.custom_landmarks is None:
            raise ValueError(f"the face has no custom landmarks, although its weights have the scheme {scheme.name!r}")
        return {**outputs(face), label: face.custom_landmarks}

    return extended


def with_fitted_note(table: Table, scheme: CustomScheme, annotations: FaceRecords) -> Table:
    """A table with a note about the evaluated photos to which the custom landmarks were fitted.

    Photos are compared by their file names.

    Args:
        table: table of a protocol; returned unchanged if no row or column is that of the custom landmarks.
        scheme: scheme of the weights.
        annotations: the evaluated faces.
    """
    names = [*(row.name for row in table.rows), *table.columns]
    if not any(custom_label(scheme) in name for name in names):
        return table
    fitted, images = set(scheme.fitted_to), {image_digest(image) for image in annotations.image.tolist()}
    known = len(images & fitted)
    if known == len(images):
        text = "fitted to these photos, so this is not a held-out error; use `rdrface finetune --folds`"
    elif known:
        text = (
            f"fitted to {known} of these {len(images)} photos, so this is not a held-out error; use "
            "`rdrface finetune --folds`"
        )
    else:
        text = "fitted to other photos of the set"
    return replace(table, notes=(*table.notes, f"{CUSTOM}: {text}."))
