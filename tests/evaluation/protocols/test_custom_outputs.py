"""The row of fine-tuned weights in an evaluation, and the note about the photos that they were fitted to."""

from dataclasses import replace

import numpy as np
import pytest

from annotated_faces import annotations, predictions
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.protocols import aflw2000
from rdrface.evaluation.protocols.custom_outputs import custom_label, with_custom_landmarks, with_fitted_note
from rdrface.evaluation.protocols.sets import own68_jawline
from rdrface.runtime.weights import CustomScheme, image_digest
from some_face import some_face

LABEL = "custom_landmarks, fine-tuned on 2 photos of the set"


def scheme(*images: str) -> CustomScheme:
    return CustomScheme("aflw2000", 68, None, "aflw2000-3d", tuple(map(image_digest, images)))


def faces(count: int = 2):
    images = np.array([f"/data/image{i}.jpg" for i in range(count)])
    return replace(annotations(count, angles=[[0, 20 * i, 0] for i in range(count)]), image=images)


def test_the_custom_landmarks_are_the_last_output() -> None:
    points = np.ones((68, 2), np.float32)
    extended = with_custom_landmarks(own68_jawline, scheme("a.jpg", "b.jpg"))
    face = replace(some_face(), custom_landmarks=points)
    outputs = extended(face)
    assert list(outputs) == [*own68_jawline(face), LABEL]
    assert outputs[LABEL] is points
    with pytest.raises(ValueError, match="no custom landmarks"):
        extended(some_face())


def test_the_tables_of_aflw2000_have_the_row_and_the_note() -> None:
    records = faces()
    predicted = predictions(records, (1, 2, 1, 2))
    both = Predictions({**predicted.outputs, LABEL: predicted.outputs["landmarks"]})
    table = aflw2000.tables(records, both)[0]
    assert f"rdrface {LABEL}" in [row.name for row in table.rows]
    assert "*_jawline and custom_landmarks: contour on the absolute jawline" in table.to_text()
    assert custom_label(scheme("a.jpg", "b.jpg")) == LABEL
    same = with_fitted_note(table, scheme("other/image0.jpg", "image1.jpg"), records)
    assert same.notes[-1] == (
        "custom_landmarks: fitted to these photos, so this is not a held-out error; use `rdrface finetune --folds`."
    )
    some = with_fitted_note(table, scheme("image1.jpg", "image2.jpg"), records)
    assert "fitted to 1 of these 2 photos, so this is not a held-out error" in some.notes[-1]
    other = with_fitted_note(table, scheme("image7.jpg", "image8.jpg"), records)
    assert other.notes[-1] == "custom_landmarks: fitted to other photos of the set."


def test_tables_without_the_row_are_unchanged() -> None:
    records = faces()
    table = aflw2000.tables(records, predictions(records, (1, 2, 1, 2)))[0]
    assert with_fitted_note(table, scheme("image0.jpg", "image1.jpg"), records) is table
