"""Text report of a fit: residuals by dataset and yaw, plausibility checks, and the worst faces."""

import numpy as np

from rdrface.datasets.records import FaceRecords
from rdrface.geometry.boxes import box_size
from rdrface.geometry.eyes import CLOSED_EYE, OPEN_EYE, eye_aspect
from rdrface.geometry.yaw_bins import YAW_BIN_NAMES, yaw_index
from rdrface.morphable.antagonists import pair_indices
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import EXPRESSION, POSE, YAW

DOUBTFUL = 15
"""Distance from the fit above which an annotation is doubtful, percent of sqrt(w h). Annotators differ by 1 or 2
percent, and by about 10 on hidden contours."""
_FRONTAL = 45
"""Degrees of yaw below which both eyes are clearly visible."""
_ACTIVE = 0.05
"""Value above which an expression coefficient counts as active."""
_YAW_SIGNS = {"left": 1, "lefthalf": 1, "right": -1, "righthalf": -1}
"""Sign of the yaw of the faces in each of MERL-RAV's folders."""


def fit_report(records: FaceRecords, worst: int = 10) -> str:
    """Residuals by source and yaw, checks of yaw signs, annotations and expression, and the worst faces.

    The yaw is that of P: it measures from which side the head is seen, and does not change if the image is rotated.

    Args:
        records: fitted records.
        worst: number of faces to list.

    Returns:
        Text of several lines. Residuals are in percent of sqrt(w h) of the box of the fitted landmarks.

    Raises:
        ValueError: the records are not fitted.
    """
    if records.Q is None or records.residual is None:
        raise ValueError("fit_report needs fitted records; call fit_records first")
    residual, yaw = records.residual, np.rad2deg(records.Q[:, POSE][:, YAW])
    lines = [
        "Distance of annotated points from the fit, percent of sqrt(w h)",
        f"{'':<36}{'faces':>8}{'median':>8}{'mean':>8}{'95 %':>8}",
    ]
    groups = [(source, records.source == source) for source in np.unique(records.source).tolist()]
    groups += [(f"|yaw| {name}", yaw_index(yaw) == i) for i, name in enumerate(YAW_BIN_NAMES)]
    groups += [("all", np.ones(len(records), bool))]
    for name, mask in groups:
        if mask.any():
            values = residual[mask]
            figures = f"{np.median(values):>8.2f}{values.mean():>8.2f}{np.percentile(values, 95):>8.2f}"
            lines.append(f"{name:<36}{mask.sum():>8}{figures}")
    lines += _yaw_sign_lines(records.source, yaw)
    doubtful = doubtful_labels(records)
    lines.append(
        f"Annotated points more than {DOUBTFUL} % from the fit: {doubtful.sum()} in {doubtful.any(axis=1).sum()} faces"
    )
    lines += _expression_lines(records)
    order = np.argsort(-residual)[:worst]
    lines.append(f"Worst {len(order)} fits:")
    lines += [f"  {residual[i]:6.2f} %  yaw {yaw[i]:4.0f}  {records.image[i]}" for i in order]
    return "\n".join(lines)


def doubtful_labels(records: FaceRecords) -> np.ndarray:
    """Annotated points so far from the fit of their face that the annotation is probably wrong.

    Args:
        records: N fitted records.

    Returns:
        (N, 68) bool; False for points without a position.

    Raises:
        ValueError: the records are not fitted.
    """
    if records.outline is None or records.jawline is None:
        raise ValueError("doubtful_labels needs fitted records; call fit_records first")
    fitted = np.where((~records.on_jawline)[:, None, None], records.outline, records.jawline)
    distance = 100 * np.linalg.norm(records.points - fitted, axis=-1) / box_size(records.box)[:, None]
    doubtful: np.ndarray = distance > DOUBTFUL
    return doubtful


def wrong_yaw_signs(source: np.ndarray, yaw: np.ndarray) -> np.ndarray:
    """Faces of MERL-RAV whose fitted yaw has the wrong sign for their folder.

    Args:
        source: (N,) str from the reader, "merl_rav/<folder>/<split>set".
        yaw: (N,) degrees or radians.

    Returns:
        (N,) bool; False for other datasets and for frontal faces.
    """
    sign = np.array([_YAW_SIGNS.get(s.split("/")[1], 0) if s.startswith("merl_rav/") else 0 for s in source.tolist()])
    contradicted: np.ndarray = sign * yaw < 0
    return contradicted


def _yaw_sign_lines(source: np.ndarray, yaw: np.ndarray) -> list[str]:
    has_sign = np.array([s.startswith("merl_rav/") and s.split("/")[1] in _YAW_SIGNS for s in source.tolist()])
    if not has_sign.any():
        return []
    wrong = wrong_yaw_signs(source, yaw)
    return [f"Faces whose yaw has the wrong sign for their MERL-RAV folder: {wrong.sum()} of {has_sign.sum()}"]


def _expression_lines(records: FaceRecords) -> list[str]:
    """Annotated and fitted aperture of closed and open eyes, and the number of active expression coefficients."""
    assert records.Q is not None and records.outline is not None
    names = FaceModel.load().expression_names
    expression = records.Q[:, EXPRESSION]
    if expression.shape[1] != len(names):
        return []
    # The left eye in the image is the person's right one.
    blink = expression[:, [names.index("eyeBlinkRight"), names.index("eyeBlinkLeft")]]
    frontal = (np.abs(records.Q[:, POSE][:, YAW]) < np.deg2rad(_FRONTAL))[:, None]
    annotated, fitted = eye_aspect(records.points), eye_aspect(records.outline)
    lines = [
        f"Eyes of faces with |yaw| < {_FRONTAL}: median of eyeBlink, and of lid aperture / eye width",
        f"{'':<36}{'eyes':>8}{'eyeBlink':>10}{'annotated':>11}{'fitted':>8}",
    ]
    for name, mask in (("closed", annotated < CLOSED_EYE), ("open", annotated > OPEN_EYE)):
        group = mask & frontal
        if group.any():
            figures = (np.median(values[group]) for values in (blink, annotated, fitted))
            lines.append(f"{name:<36}{group.sum():>8}" + "{:>10.2f}{:>11.3f}{:>8.3f}".format(*figures))
    both = np.any(np.all(expression[:, pair_indices(names)] > 0, axis=2), axis=1)
    lines.append(
        f"Expression coefficients: {(expression > _ACTIVE).sum(axis=1).mean():.1f} per face above {_ACTIVE}; "
        f"{(expression.max(axis=0) >= 0.5).sum()} of {len(names)} reach 0.5 in at least one face; "
        f"both of two antagonists active in {both.sum()} faces"
    )
    return lines
