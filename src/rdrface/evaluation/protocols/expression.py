"""Expression: the 46 coefficients compared with annotated eyes, mouth and brows, and with those of mirrored images."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rdrface.datasets.records import UNKNOWN, VISIBLE, FaceRecords
from rdrface.evaluation.metrics.expression import (
    ACTIVE,
    FRONTAL_YAW,
    ONE_EYE_YAW,
    PART_PREFIXES,
    STRONG,
    WINK_MARGIN,
    AnnotatedExpression,
    both_active,
    eye_statistics,
    measure_annotations,
    part_of,
    pearson,
    wink_statistics,
)
from rdrface.evaluation.predictions.predictions import OUTPUT_NAMES, Predictions
from rdrface.evaluation.protocols.notes import check_points, missed_note
from rdrface.evaluation.tables.tables import Row, Table
from rdrface.geometry.boxes import box_size
from rdrface.geometry.eyes import CLOSED_EYE, OPEN_EYE, eye_aspect
from rdrface.geometry.rotation import euler_angles
from rdrface.landmarks import NUM_LANDMARKS
from rdrface.morphable.antagonists import ANTAGONISTS, SIDEWAYS, pair_indices

_BLINK = "eyeBlink"
_ASPECTS = {f"eye aspect ratio, {output}": output for output in OUTPUT_NAMES[:2]}


@dataclass(frozen=True)
class ExpressionResults:
    """Predicted expression coefficients of N faces, and the measures of their annotations.

    Attributes:
        names: names of the 46 coefficients.
        coefficients: (N, 46) in 0..1; NaN for faces that were not found.
        mirrored: (N, 46) coefficients of the mirrored images with left and right swapped back; None if they were not
            run.
        labels: measures of the annotated points.
        aspects: row of the table -> (N, 2) predicted eye aspect ratio of the image's left and right eye.
        predictions: the predictions that the coefficients belong to.
    """

    names: tuple[str, ...]
    coefficients: np.ndarray
    mirrored: np.ndarray | None
    labels: AnnotatedExpression
    aspects: Mapping[str, np.ndarray]
    predictions: Predictions

    def of(self, *names: str) -> np.ndarray:
        """(N,) mean of the named coefficients."""
        mean: np.ndarray = self.coefficients[:, [self.names.index(name) for name in names]].mean(1)
        return mean

    @property
    def blink(self) -> np.ndarray:
        """(N, 2) eyeBlink of the image's left and right eye. ARKit's sides are the subject's, so Right comes first."""
        return np.stack([self.of("eyeBlinkRight"), self.of("eyeBlinkLeft")], axis=1)


def measure(
    annotations: FaceRecords,
    predictions: Predictions,
    names: tuple[str, ...],
    mirrored: Predictions | None = None,
    yaw: np.ndarray | None = None,
    aspect: np.ndarray | None = None,
) -> ExpressionResults:
    """Measure the annotations and combine the results with the predicted coefficients.

    A point counts when it has a position and is visible or of unknown state.

    Args:
        annotations: N faces with 68 points.
        predictions: of the same faces, with rdrface's outputs, rotation and expression.
        names: names of the 46 coefficients.
        mirrored: predictions on the mirrored images, mirrored back (`rdrface.evaluation.predictions.mirroring`).
        yaw: (N,) degrees, yaw of P, from the annotations; where it is NaN or None, that of the predicted rotation. It
            measures from which side the head is seen, and does not change with a rotation of the image.
        aspect: (N, 2) annotated eye aspect ratios, see `measure_annotations`.

    Raises:
        ValueError: not 68 points, or predictions without expression, rotation or rdrface's outputs.
    """
    check_points(annotations, predictions, NUM_LANDMARKS, "The expression protocol")
    if predictions.expression is None or predictions.rotation is None or OUTPUT_NAMES[1] not in predictions.outputs:
        raise ValueError("the expression protocol needs rdrface's outputs, rotation and expression of every face")
    counted = (annotations.state == VISIBLE) | (annotations.state == UNKNOWN)
    points = np.where(counted[..., None], annotations.points, np.nan)
    size = box_size(annotations.box)
    return ExpressionResults(
        names=names,
        coefficients=_clipped(predictions.expression),
        mirrored=None if mirrored is None or mirrored.expression is None else _clipped(mirrored.expression),
        labels=measure_annotations(points, size, _yaw(yaw, predictions.rotation), aspect),
        aspects={name: eye_aspect(predictions.outputs[output]) for name, output in _ASPECTS.items()},
        predictions=predictions,
    )


def tables(results: ExpressionResults) -> list[Table]:
    """All tables, in the order of docs/expression.md."""
    result = [eyes(results), winks(results), correlations(results), antagonists(results), ranges(results)]
    return result if results.mirrored is None else [*result, mirror(results)]


def eyes(results: ExpressionResults) -> Table:
    """eyeBlink of closed and open eyes, with the eye aspect ratio of the predicted points for comparison."""
    rows = []
    for name, value, rises in _eye_values(results):
        figures = eye_statistics(value, results.labels.eye_aspect, rises)
        rows.append(Row(name, (figures.closed_median, figures.open_median, 100 * figures.area)))
    counts = eye_statistics(results.blink, results.labels.eye_aspect, True)
    return Table(
        "Expression, eyes: median over closed and open eyes, and separation of the two",
        ("closed", "open", "area under ROC, %"),
        tuple(rows),
        (
            f"{counts.closed_count} eyes are closed (annotated aspect ratio below {CLOSED_EYE}), "
            f"{counts.open_count} are open (above {OPEN_EYE}); the others are left out.",
            f"Beyond {ONE_EYE_YAW:.0f} degrees of yaw only the near eye counts.",
            missed_note(results.predictions),
        ),
    )


def winks(results: ExpressionResults) -> Table:
    """Accuracy of finding the closed eye in faces with one eye closed and the other open."""
    rows = []
    count = 0
    for name, value, rises in _eye_values(results):
        figures = wink_statistics(value, results.labels.eye_aspect, rises)
        rows.append(Row(name, (figures.accuracy, figures.clear if name == _BLINK else None)))
        count = figures.count
    return Table(
        "Expression, winks: accuracy of identifying the closed eye, percent of faces",
        ("accuracy", f"by {WINK_MARGIN} or more"),
        tuple(rows),
        (f"Faces with one eye closed and the other open: {count}.",),
    )


def correlations(results: ExpressionResults) -> Table:
    """Correlation of coefficients with distances of annotated points."""
    labels = results.labels
    raised = results.of("browInnerUp") + results.of("browOuterUpLeft", "browOuterUpRight")
    brows = raised - results.of("browDownLeft", "browDownRight")
    rows = []
    for name, value, distance in (
        ("jawOpen, gap of the inner lips", results.of("jawOpen"), labels.lip_gap),
        ("mouthSmile, width of the mouth", results.of("mouthSmileLeft", "mouthSmileRight"), labels.mouth_width),
        ("brows up - down, height of the brows", brows, labels.brow_height),
    ):
        rows.append(Row(name, pearson(value, distance)))
    return Table(
        "Expression, mouth and brows: correlation of coefficients with annotated distances",
        ("Pearson", "faces"),
        tuple(rows),
        (
            "Gap: divided by sqrt(w h) of the landmark box. Width and height: divided by the distance of the outer eye",
            f"corners, only faces below {FRONTAL_YAW:.0f} degrees of yaw. Left and right coefficients are averaged.",
        ),
    )


def antagonists(results: ExpressionResults) -> Table:
    """Share of faces with both coefficients of an antagonistic pair active."""
    found = results.predictions.found
    on = both_active(results.coefficients[found], pair_indices(results.names))
    sideways = both_active(results.coefficients[found], pair_indices(results.names, SIDEWAYS))
    rows = [
        Row("jaw or mouth to both sides", (_percent(np.any(sideways, axis=1)),)),
        Row("any pair", (_percent(np.any(on, axis=1)),)),
    ]
    rows += [Row(f"{a}, {b}", (_percent(on[:, i]),)) for i, (a, b) in enumerate(ANTAGONISTS)]
    return Table(
        f"Expression, antagonistic pairs: percent of faces with both coefficients above {ACTIVE}",
        ("both",),
        tuple(rows),
        (f"Over {int(found.sum())} faces.",),
    )


def ranges(results: ExpressionResults) -> Table:
    """Range of each coefficient over the faces."""
    values = results.coefficients[results.predictions.found]
    reached = values.max(0) >= STRONG
    rows = []
    for i, name in enumerate(results.names):
        middle, high, most = (float(np.percentile(values[:, i], share)) for share in (50, 99, 100))
        rows.append(Row(name, (middle, high, most, _percent(values[:, i] >= STRONG))))
    return Table(
        f"Expression, range: {int(reached.sum())} of {len(reached)} coefficients reach {STRONG} in at least one face",
        ("median", "99th percentile", "maximum", f"{STRONG} or more, % of faces"),
        tuple(rows),
        (f"Over {int(results.predictions.found.sum())} faces.",),
    )


def mirror(results: ExpressionResults) -> Table:
    """Difference between the coefficients of the image and of the mirrored image, by part of the face.

    Raises:
        ValueError: the mirrored images were not run.
    """
    if results.mirrored is None:
        raise ValueError("the mirrored images were not run; pass `mirrored` to `measure`")
    differ = np.abs(results.mirrored - results.coefficients)
    differ = differ[np.isfinite(differ).all(1)]
    parts = np.array([part_of(name) for name in results.names])
    groups = [*((part, parts == part) for part in PART_PREFIXES), ("all", np.ones(len(parts), bool))]
    rows = []
    for name, group in groups:
        values = 100 * differ[:, group].ravel()
        cells = (float(values.mean()), float(np.percentile(values, 95))) if len(values) else (None, None)
        rows.append(Row(name, (*cells, int(group.sum()))))
    return Table(
        "Expression, mirrored photos: absolute difference of the coefficients x 100",
        ("mean", "95th percentile", "coefficients"),
        tuple(rows),
        (f"Over {len(differ)} faces. The coefficients of mirrored photos have left and right swapped back.",),
    )


def _eye_values(results: ExpressionResults) -> list[tuple[str, np.ndarray, bool]]:
    # Name of the row, (N, 2) values of both eyes, and whether they are larger for closed eyes.
    return [(_BLINK, results.blink, True), *((name, value, False) for name, value in results.aspects.items())]


def _yaw(yaw: np.ndarray | None, rotation: np.ndarray) -> np.ndarray:
    predicted = np.full(len(rotation), np.nan)
    found = np.isfinite(rotation).all((1, 2))
    predicted[found] = np.degrees(euler_angles(rotation[found])[:, 1])
    return predicted if yaw is None else np.where(np.isfinite(yaw), yaw, predicted)


def _clipped(expression: np.ndarray) -> np.ndarray:
    clipped: np.ndarray = np.clip(expression, 0, 1)
    return clipped


def _percent(share: np.ndarray) -> float:
    return 100 * float(share.mean()) if len(share) else float("nan")
