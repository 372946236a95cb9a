"""Cross-validation of fine-tuning: every photo is measured with custom landmarks that were not fitted to it."""

from pathlib import Path

import numpy as np
from tqdm import tqdm

from rdrface.errors import ConfigError
from rdrface.evaluation.metrics.errors import by_yaw, mean_known
from rdrface.evaluation.protocols.notes import BINS
from rdrface.evaluation.tables.tables import Row, Table
from rdrface.finetuning.faces import CustomFaces
from rdrface.finetuning.fit import fit_readout
from rdrface.finetuning.validation import STAGES, assign_folds, stage_errors
from rdrface.landmarks import INNER
from rdrface.network.rdr import RDR


def check_folds(count: int, photos: int) -> None:
    """Check the number of folds.

    Raises:
        ConfigError: it is less than 2, or a fold would have fewer than two photos.
    """
    if photos < 4:
        raise ConfigError(f"--folds needs at least 4 different photos; there are {photos}")
    if not 2 <= count <= photos // 2:
        raise ConfigError(f"--folds must be from 2 to {photos // 2}, half the number of photos; got {count}")


def cross_validate(
    network: RDR,
    size: int,
    faces: CustomFaces,
    output: str | None,
    seconds: float,
    seed: int,
    count: int,
    sheet: Path | None = None,
) -> np.ndarray:
    """Errors of every face with custom landmarks that were fitted to the other folds.

    Surface points, corrections and ridge penalties are all determined without the photos of the measured fold.

    Args:
        network, size, faces, output, seconds, seed: see `rdrface.finetuning.fit.fit_readout`; `seconds` for each fold.
        count: number of folds.
        sheet: path of a contact sheet of the first fold's faces; None writes none.

    Returns:
        (`STAGES`, N, L) float64, see `rdrface.finetuning.validation.stage_errors`.
    """
    fold = assign_folds(faces.photo, count)
    errors = np.empty((STAGES, *faces.labels.shape[:2]))
    for k in tqdm(range(count), desc="folds", disable=None):
        fit = fit_readout(network, size, faces.select(fold != k), output, seconds, seed)
        measured = faces.select(fold == k)
        errors[:, fold == k] = stage_errors(network, fit.readout, measured, size, sheet if k == 0 else None)
    return errors


def cross_validation_table(errors: np.ndarray, yaw: np.ndarray, output: str | None, count: int) -> Table:
    """Table of a cross-validation, by yaw.

    Args:
        errors: (`STAGES`, N, L), from `cross_validate`.
        yaw: (N,) degrees; faces with NaN are left out.
        output: see `cross_validate`.
        count: number of folds.
    """
    known = np.isfinite(yaw)
    first = "surface points only" if output is None else f"as trained ({output})"
    groups = {f"{errors.shape[2]} points": np.arange(errors.shape[2])}
    if output is not None:
        groups[f"{len(INNER)} inner points"] = INNER
    rows = []
    for group, points in groups.items():
        for stage, name in ((0, first), (-1, "fine-tuned")):
            binned = by_yaw(mean_known(errors[stage][:, points], 1)[known], yaw[known])
            rows.append(Row(f"{group}, {name}", binned.cells))
    landmarks = "predicted" if output is None else "annotated"
    return Table(
        f"{count}-fold cross-validation: error in percent of sqrt(w h) of the box of the 68 {landmarks} landmarks, by "
        "|yaw| in degrees",
        BINS,
        (*rows, Row("faces", (*binned.counts, None, sum(binned.counts)))),
        ("Each photo is measured with a fit to the other folds; the penalties are chosen within these.",),
    )
