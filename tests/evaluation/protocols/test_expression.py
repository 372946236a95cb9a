"""The expression protocol on faces with known coefficients."""

import numpy as np
import pytest

from annotated_faces import cells
from expressive_faces import face_with
from rdrface.datasets.records import OCCLUDED, FaceRecords
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.protocols import expression
from rdrface.evaluation.protocols.sets import own68
from rdrface.face import packaged_model

NAMES = packaged_model().expression_names


def measured(values, mirrored=None, state=None, annotated=None, **options):
    """Faces with predicted coefficients `values`, annotated with the points of `annotated` (by default the same)."""
    shown = [face_with(v) for v in (values if annotated is None else annotated)]
    outputs = {name: np.stack([own68(face)[name] for face in shown]) for name in own68(shown[0])}
    count = len(shown)
    coefficients = np.stack([face_with(v).parameters.expression for v in values])

    def predicted(expression_):
        return Predictions(outputs, rotation=np.tile(np.eye(3), (count, 1, 1)), expression=expression_)

    annotations = FaceRecords(
        image=np.arange(count).astype(str),
        points=outputs["landmarks"],
        state=np.ones((count, 68)) if state is None else state,
        box=np.stack([face.box for face in shown]),
        source=np.full(count, "synthetic"),
        is_test=np.ones(count, bool),
    )
    other = None if mirrored is None else predicted(np.asarray(mirrored(coefficients)))
    return expression.measure(annotations, predicted(coefficients), NAMES, other, **options)


def test_eye_blink_is_compared_with_the_eye_of_its_own_side() -> None:
    wink = {"eyeBlinkLeft": 1.0}
    result = measured([wink, {"eyeBlinkRight": 0.9}])
    np.testing.assert_allclose(result.blink, [[0, 1], [0.9, 0]], atol=1e-6)
    eyes = cells(expression.eyes(result), "eyeBlink")
    assert eyes["closed"] == pytest.approx(0.95) and eyes["open"] == 0 and eyes["area under ROC, %"] == 100
    winks = expression.winks(result)
    assert cells(winks, "eyeBlink") == {"accuracy": 100, "by 0.3 or more": 100}
    assert cells(winks, "eye aspect ratio, landmarks")["accuracy"] == 100
    assert "the other open: 2." in winks.notes[0]


def test_a_blink_of_the_wrong_eye_lowers_all_figures() -> None:
    result = measured([{"eyeBlinkRight": 0.2}], annotated=[{"eyeBlinkLeft": 1.0}])
    assert cells(expression.eyes(result), "eyeBlink")["area under ROC, %"] == 0
    assert cells(expression.winks(result), "eyeBlink")["accuracy"] == 0
    assert cells(expression.eyes(result), "eye aspect ratio, projection")["area under ROC, %"] == 100


def test_an_occluded_eye_does_not_count() -> None:
    state = np.ones((1, 68))
    state[0, 43] = OCCLUDED
    result = measured([{"eyeBlinkLeft": 1.0}], state=state)
    assert np.isnan(result.labels.eye_aspect[0, 1]) and np.isfinite(result.labels.eye_aspect[0, 0])


def test_the_annotated_yaw_decides_which_eye_is_near() -> None:
    result = measured([{}, {}], yaw=np.array([70.0, np.nan]))
    assert np.isfinite(result.labels.eye_aspect).tolist() == [[True, False], [True, True]]
    assert np.isfinite(result.labels.mouth_width).tolist() == [False, True]


def test_coefficients_correlate_with_the_distances_they_change() -> None:
    mouths = [{"jawOpen": v, "mouthSmileLeft": v, "mouthSmileRight": v} for v in (0.0, 0.2, 0.6)]
    up = {"browInnerUp": 1.0, "browOuterUpLeft": 1.0, "browOuterUpRight": 1.0}
    table = expression.correlations(measured([*mouths, up, {"browDownLeft": 1.0, "browDownRight": 1.0}]))
    for row in table.rows:
        assert row.cells[0] > 0.9 and row.cells[1] == 5, row


def test_antagonistic_pairs_are_counted_per_face() -> None:
    table = expression.antagonists(
        measured([{"jawLeft": 0.2, "jawRight": 0.2}, {"eyeBlinkLeft": 0.2, "eyeWideLeft": 0.2}, {"mouthLeft": 0.9}, {}])
    )
    assert cells(table, "jaw or mouth to both sides")["both"] == 25
    assert cells(table, "any pair")["both"] == 50
    assert cells(table, "jawLeft, jawRight")["both"] == 25
    assert cells(table, "mouthLeft, mouthRight")["both"] == 0


def test_the_range_of_a_coefficient_is_clipped_and_counted() -> None:
    table = expression.ranges(measured([{"jawOpen": 1.4}, {"jawOpen": 0.2}, {"jawOpen": -0.3}, {"mouthFunnel": 0.4}]))
    row = cells(table, "jawOpen")
    assert row["maximum"] == 1 and row["median"] == pytest.approx(0.1) and row["0.5 or more, % of faces"] == 25
    assert "1 of 46 coefficients" in table.title and len(table.rows) == 46


def test_mirrored_coefficients_are_compared_by_part() -> None:
    def shifted(values):
        eyes = [i for i, name in enumerate(NAMES) if name.startswith("eye")]
        result = values + 0
        result[:, eyes] += 0.1
        return result

    table = expression.mirror(measured([{"jawOpen": 0.3}, {}], mirrored=shifted))
    assert cells(table, "eyes")["mean"] == pytest.approx(10, abs=1e-4) and cells(table, "mouth")["mean"] == 0
    assert cells(table, "all")["mean"] == pytest.approx(100 / 46, abs=1e-3)
    assert len(expression.tables(measured([{}]))) == 5


def test_predictions_without_expression_are_rejected() -> None:
    faces = measured([{}]).predictions
    without_expression = Predictions(faces.outputs)
    annotations = FaceRecords(
        np.array(["a"]), faces.landmarks, np.ones((1, 68)), np.array([[0, 0, 9, 9]]), np.array(["a"]), np.array([True])
    )
    with pytest.raises(ValueError, match="expression"):
        expression.measure(annotations, without_expression, NAMES)
