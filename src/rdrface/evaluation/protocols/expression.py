"""Expression: the 46 coefficients against the labels' eyes, mouth and brows, against each other and the mirror."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rdrface.datasets.records import UNKNOWN, VISIBLE, FaceRecords
from rdrface.evaluation.metrics.expression import (
    ACTIVE,
    CLOSED_EYE,
    FRONTAL_YAW,
    ONE_EYE_YAW,
    OPEN_EYE,
    PART_PREFIXES,
    STRONG,
    WINK_MARGIN,
    AnnotatedExpression,
    both_active,
    eye_aspect,
    eye_statistics,
    measure_annotations,
    part_of,
    pearson,
    wink_statistics,
)
from rdrface.evaluation.predictions.predictions import OUTPUT_LABELS, Predictions
from rdrface.evaluation.protocols.notes import check_points, missed_note
from rdrface.evaluation.tables.tables import Row, Table
from rdrface.geometry.rotation import euler_angles
from rdrface.landmarks import NUM_LANDMARKS
from rdrface.morphable.antagonists import ANTAGONISTS, SIDEWAYS, pair_indices

_BLINK = "eyeBlink"
_ASPECTS = {
    "aspect of the 2D landmarks": OUTPUT_LABELS["landmarks"],
    "aspect of the 3D face": OUTPUT_LABELS["projection"],
}


@dataclass(frozen=True)
class MeasuredExpressions:
    """Coefficients of the faces of a set, and what their labels show.

    Attributes:
        names: of the 46 coefficients, ARKit's blendshapes.
        coefficients: (N, 46) in 0..1; NaN for faces that were not found.
        mirrored: (N, 46) the same from the mirrored photos, sides put back; None: not run.
        labels: see `AnnotatedExpression`.
        aspects: name of one of our outputs -> (N, 2) aspect of the picture's left and right eye there.
        predictions: of which all this is.
    """

    names: tuple[str, ...]
    coefficients: np.ndarray
    mirrored: np.ndarray | None
    labels: AnnotatedExpression
    aspects: Mapping[str, np.ndarray]
    predictions: Predictions

    def of(self, *names: str) -> np.ndarray:
        """(N,) mean of the coefficients of these names."""
        return self.coefficients[:, [self.names.index(name) for name in names]].mean(1)

    @property
    def blink(self) -> np.ndarray:
        """(N, 2) eyeBlink of the picture's left and right eye. ARKit's sides are the subject's: Right comes first."""
        return np.stack([self.of("eyeBlinkRight"), self.of("eyeBlinkLeft")], axis=1)


def measure(
    annotations: FaceRecords,
    predictions: Predictions,
    names: tuple[str, ...],
    mirrored: Predictions | None = None,
    yaw: np.ndarray | None = None,
    aspect: np.ndarray | None = None,
) -> MeasuredExpressions:
    """Bring coefficients and labels together.

    A point counts when it has a position and is visible or of unknown state.

    Args:
        annotations: N faces with 68 points.
        predictions: of them, with our outputs and the expression.
        names: of the 46 coefficients.
        mirrored: of the mirrored photos, brought back (`rdrface.evaluation.predictions.mirroring`).
        yaw: (N,) degrees in rdrface's convention, of the labels; the predicted one where it is NaN or not given.
        aspect: (N, 2) eye aspects that the set brings along, see `measure_annotations`.

    Raises:
        ValueError: not 68 points, or predictions without expression or without our outputs.
    """
    check_points(annotations, predictions, NUM_LANDMARKS, "the expression protocol")
    if (
        predictions.expression is None
        or predictions.rotation is None
        or OUTPUT_LABELS["projection"] not in predictions.outputs
    ):
        raise ValueError("the expression protocol needs rdrface's outputs, expression and rotation of every face")
    counted = (annotations.state == VISIBLE) | (annotations.state == UNKNOWN)
    points = np.where(counted[..., None], annotations.points, np.nan)
    size = np.sqrt((annotations.box[:, 2:] - annotations.box[:, :2]).prod(1))
    return MeasuredExpressions(
        names=names,
        coefficients=_clipped(predictions.expression),
        mirrored=None if mirrored is None or mirrored.expression is None else _clipped(mirrored.expression),
        labels=measure_annotations(points, size, _yaw(yaw, predictions.rotation), aspect),
        aspects={name: eye_aspect(predictions.outputs[output]) for name, output in _ASPECTS.items()},
        predictions=predictions,
    )


def tables(measured: MeasuredExpressions) -> list[Table]:
    """All tables, in the order of docs/expression.md."""
    result = [eyes(measured), winks(measured), correlations(measured), antagonists(measured), shapes(measured)]
    return result if measured.mirrored is None else [*result, mirror(measured)]


def eyes(measured: MeasuredExpressions) -> Table:
    """eyeBlink over closed and open eyes, and the aspects of our own points for comparison."""
    rows = []
    for name, value, rises in _eye_values(measured):
        figures = eye_statistics(value, measured.labels.eye_aspect, rises)
        rows.append(Row(name, (figures.closed_median, figures.open_median, 100 * figures.area)))
    counts = eye_statistics(measured.blink, measured.labels.eye_aspect, True)
    return Table(
        "Expression, eyes: medians over closed and open eyes, and how well the value tells them apart",
        ("closed", "open", "area under ROC, %"),
        tuple(rows),
        (
            f"{counts.closed_count} eyes are closed (labels' aspect below {CLOSED_EYE}), {counts.open_count} open "
            f"(above {OPEN_EYE}); eyes between are not counted.",
            f"Beyond {ONE_EYE_YAW:.0f} degrees of yaw only the near eye counts.",
            missed_note(measured.predictions),
        ),
    )


def winks(measured: MeasuredExpressions) -> Table:
    """Faces with one eye closed and the other open: is it the right one?"""
    rows = []
    count = 0
    for name, value, rises in _eye_values(measured):
        figures = wink_statistics(value, measured.labels.eye_aspect, rises)
        rows.append(Row(name, (figures.accuracy, figures.clear if name == _BLINK else None)))
        count = figures.count
    return Table(
        "Expression, winks: percent of the faces in which the value finds the closed eye",
        ("closed eye found", f"by {WINK_MARGIN} or more"),
        tuple(rows),
        (f"Faces with one eye closed and the other open: {count}.",),
    )


def correlations(measured: MeasuredExpressions) -> Table:
    """Coefficients against distances of the labels."""
    labels = measured.labels
    raised = measured.of("browInnerUp") + measured.of("browOuterUpLeft", "browOuterUpRight")
    brows = raised - measured.of("browDownLeft", "browDownRight")
    rows = []
    for name, value, truth in (
        ("jawOpen, gap of the inner lips", measured.of("jawOpen"), labels.lip_gap),
        ("mouthSmile, width of the mouth", measured.of("mouthSmileLeft", "mouthSmileRight"), labels.mouth_width),
        ("brows up - down, height of the brows", brows, labels.brow_height),
    ):
        rows.append(Row(name, pearson(value, truth)))
    return Table(
        "Expression, mouth and brows: correlation of coefficients with the labels",
        ("Pearson", "faces"),
        tuple(rows),
        (
            "Gap over sqrt(w h) of the landmark box. Width and height over the distance of the outer eye corners, for",
            f"faces below {FRONTAL_YAW:.0f} degrees of yaw only. Both sides are averaged.",
        ),
    )


def antagonists(measured: MeasuredExpressions) -> Table:
    """Share of the faces with both of a pair on."""
    found = measured.predictions.found
    on = both_active(measured.coefficients[found], pair_indices(measured.names))
    sideways = both_active(measured.coefficients[found], pair_indices(measured.names, SIDEWAYS))
    rows = [
        Row("jaw or mouth to both sides", (_percent(np.any(sideways, axis=1)),)),
        Row("any pair", (_percent(np.any(on, axis=1)),)),
    ]
    rows += [Row(f"{a}, {b}", (_percent(on[:, i]),)) for i, (a, b) in enumerate(ANTAGONISTS)]
    return Table(
        f"Expression, opposites: percent of the faces with both of a pair on (above {ACTIVE})",
        ("both on",),
        tuple(rows),
        (f"Over {int(found.sum())} faces.",),
    )


def shapes(measured: MeasuredExpressions) -> Table:
    """Range of each coefficient over the faces."""
    values = measured.coefficients[measured.predictions.found]
    reached = values.max(0) >= STRONG
    rows = []
    for i, name in enumerate(measured.names):
        middle, high, most = (float(np.percentile(values[:, i], share)) for share in (50, 99, 100))
        rows.append(Row(name, (middle, high, most, _percent(values[:, i] >= STRONG))))
    return Table(
        f"Expression, range: {int(reached.sum())} of {len(reached)} blendshapes reach {STRONG} in at least one face",
        ("median", "99th percentile", "maximum", f"{STRONG} or more, % of faces"),
        tuple(rows),
        (f"Over {int(measured.predictions.found.sum())} faces.",),
    )


def mirror(measured: MeasuredExpressions) -> Table:
    """How far the coefficients of the photo and of the mirrored photo differ.

    Raises:
        ValueError: the mirrored photos were not run.
    """
    if measured.mirrored is None:
        raise ValueError("the mirrored photos were not run")
    differ = np.abs(measured.mirrored - measured.coefficients)
    differ = differ[np.isfinite(differ).all(1)]
    parts = np.array([part_of(name) for name in measured.names])
    groups = [*((part, parts == part) for part in PART_PREFIXES), ("all", np.ones(len(parts), bool))]
    rows = []
    for name, group in groups:
        values = 100 * differ[:, group].ravel()
        cells = (float(values.mean()), float(np.percentile(values, 95))) if len(values) else (None, None)
        rows.append(Row(name, (*cells, int(group.sum()))))
    return Table(
        "Expression, mirrored photos: absolute difference of the coefficients x 100, sides put back",
        ("mean", "95th percentile", "blendshapes"),
        tuple(rows),
        (f"Over {len(differ)} faces.",),
    )


def _eye_values(measured: MeasuredExpressions) -> list[tuple[str, np.ndarray, bool]]:
    # Name of a row, the values of both eyes, and whether they are larger for closed eyes.
    return [(_BLINK, measured.blink, True), *((name, value, False) for name, value in measured.aspects.items())]


def _yaw(yaw: np.ndarray | None, rotation: np.ndarray) -> np.ndarray:
    predicted = np.full(len(rotation), np.nan)
    found = np.isfinite(rotation).all((1, 2))
    predicted[found] = np.degrees(euler_angles(rotation[found])[:, 1])
    return predicted if yaw is None else np.where(np.isfinite(yaw), yaw, predicted)


def _clipped(expression: np.ndarray) -> np.ndarray:
    return np.clip(expression, 0, 1)


def _percent(share: np.ndarray) -> float:
    return 100 * float(share.mean()) if len(share) else float("nan")
