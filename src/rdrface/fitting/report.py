"""The printed account of a fit: how well, for whom, and who came out worst."""

import numpy as np

from rdrface.datasets.records import FaceRecords
from rdrface.geometry.eyes import CLOSED_EYE, OPEN_EYE, eye_aspect
from rdrface.geometry.yaw_bins import YAW_BIN_NAMES, yaw_index
from rdrface.morphable.antagonists import pair_indices
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import EXPRESSION

DOUBTFUL = 15
"""Percent of sqrt(w h): annotators differ by 1 or 2, on hidden contours by some 10."""
_FACING = 45
"""Degrees of yaw up to which both eyes are seen well."""
_ACTIVE = 0.05
_SIDES = {"left": 1, "lefthalf": 1, "right": -1, "righthalf": -1}
"""MERL-RAV's folders and the sign of the yaw of the faces in them."""


def fit_report(records: FaceRecords, worst: int = 10) -> str:
    """Residuals by source and yaw, sanity of the yaw's sign, worst faces.

    Args:
        records: fitted records.
        worst: how many names to list.

    Returns:
        Text of several lines; residuals in percent of sqrt(w h) of the fitted box.

    Raises:
        ValueError: the records are not fitted.
    """
    if records.Q is None or records.residual is None:
        raise ValueError("a report needs fitted records; run fit_records first")
    residual, yaw = records.residual, np.rad2deg(records.Q[:, 51])
    lines = [
        "Residual of the labeled points, percent of sqrt(w h)",
        f"{'faces':<36}{'number':>8}{'median':>8}{'mean':>8}{'95 %':>8}",
    ]
    groups = [(source, records.source == source) for source in np.unique(records.source).tolist()]
    groups += [(f"|yaw| {name}", yaw_index(yaw) == i) for i, name in enumerate(YAW_BIN_NAMES)]
    groups += [("all", np.ones(len(records), bool))]
    for name, chosen in groups:
        if chosen.any():
            here = residual[chosen]
            figures = f"{np.median(here):>8.2f}{here.mean():>8.2f}{np.percentile(here, 95):>8.2f}"
            lines.append(f"{name:<36}{chosen.sum():>8}{figures}")
    lines += _yaw_signs(records.source, yaw)
    wrong = doubtful_labels(records)
    lines.append(f"Labels more than {DOUBTFUL} % off their fit: {wrong.sum()}, in {wrong.any(axis=1).sum()} faces")
    lines += _expression(records)
    order = np.argsort(-residual)[:worst]
    lines.append(f"Worst {len(order)}:")
    lines += [f"  {residual[i]:6.2f} %  yaw {yaw[i]:4.0f}  {records.image[i]}" for i in order]
    return "\n".join(lines)


def doubtful_labels(records: FaceRecords) -> np.ndarray:
    """Labels so far from the fit of their face that they are more likely wrong than exact.

    Args:
        records: N fitted records.

    Returns:
        (N, 68) bool.

    Raises:
        ValueError: the records are not fitted.
    """
    if records.outline is None or records.jawline is None:
        raise ValueError("finding doubtful labels needs fitted records; run fit_records first")
    fitted = np.where(records.on_jawline[:, None, None], records.jawline, records.outline)
    side = np.sqrt((records.box[:, 2:] - records.box[:, :2]).prod(axis=1))
    distance = 100 * np.linalg.norm(records.points - fitted, axis=-1) / side[:, None]
    return distance > DOUBTFUL  # False where there is no label


def wrong_yaw_signs(source: np.ndarray, yaw: np.ndarray) -> np.ndarray:
    """Faces of MERL-RAV that were fitted as looking the other way than their folder says.

    Args:
        source: (N,) str as the reader makes them, "merl_rav/<side>/<split>set". yaw: (N,).

    Returns:
        (N,) bool; False for every other set.
    """
    sign = np.array([_SIDES.get(s.split("/")[1], 0) if s.startswith("merl_rav/") else 0 for s in source.tolist()])
    return sign * yaw < 0


def _expression(records: FaceRecords) -> list[str]:
    """Do the fitted eyes and lips open and close as the labeled ones do, and by how many units?"""
    assert records.Q is not None and records.outline is not None
    names = FaceModel.load().expression_names
    strength = records.Q[:, EXPRESSION]
    if strength.shape[1] != len(names):
        return []
    # The picture's left eye is the subject's right one.
    blink = strength[:, [names.index("eyeBlinkRight"), names.index("eyeBlinkLeft")]]
    facing = (np.abs(records.Q[:, 51]) < np.deg2rad(_FACING))[:, None]
    labeled, fitted = eye_aspect(records.points), eye_aspect(records.outline)
    lines = [f"Eyes within {_FACING} degrees of yaw{'':<12}{'number':>8}{'eyeBlink':>10}{'labeled':>10}{'fitted':>8}"]
    for name, chosen in (("closed", labeled < CLOSED_EYE), ("open", labeled > OPEN_EYE)):
        here = chosen & facing
        if here.any():
            figures = (np.median(values[here]) for values in (blink, labeled, fitted))
            lines.append(f"{name:<36}{here.sum():>8}" + "{:>10.2f}{:>10.3f}{:>8.3f}".format(*figures))
    lines.append("eyeBlink, and lid aperture over eye width of labels and fit: medians")
    both = np.any(np.all(strength[:, pair_indices(names)] > 0, axis=2), axis=1)
    lines.append(
        f"Expression: {(strength > _ACTIVE).sum(axis=1).mean():.1f} shapes per face are above {_ACTIVE}; "
        f"{(strength.max(axis=0) >= 0.5).sum()} of {len(names)} reach 0.5 in some face; "
        f"antagonists together in {both.sum()} faces"
    )
    return lines


def _yaw_signs(source: np.ndarray, yaw: np.ndarray) -> list[str]:
    sided = np.array([s.startswith("merl_rav/") and s.split("/")[1] in _SIDES for s in source.tolist()])
    if not sided.any():
        return []
    wrong = wrong_yaw_signs(source, yaw)
    return [f"Yaw sign against MERL-RAV's folders: {wrong.sum()} of {sided.sum()} wrong"]
