"""Paired comparison of two reports of `rdrface evaluate --json` on the same faces.

The errors of two methods on one face are alike: a difficult face is difficult for both. The standard error of the mean
difference is therefore much smaller than that of either mean.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rdrface.errors import DataError
from rdrface.evaluation.metrics.standard_error import mean_error
from rdrface.evaluation.tables.standard_errors import large_faces
from rdrface.evaluation.tables.tables import Row, Table


def read_report(path: Path) -> dict[str, Any]:
    """Read a report of `rdrface evaluate --json`.

    Raises:
        DataError: the file cannot be read, or is not such a report.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        complete = all({"image", "errors", "size"} <= face.keys() for face in content["faces"]) and content["faces"]
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path} is not a report of `rdrface evaluate --json`") from error
    if not complete:
        raise DataError(
            f"{path} has no faces with image, errors and size; write it again with `rdrface evaluate --json`"
        )
    result: dict[str, Any] = content
    return result


def paired_table(first: Mapping[str, Any], second: Mapping[str, Any], names: Sequence[str]) -> Table:
    """Table of both means and of the mean difference, second - first, with its standard error.

    Args:
        first, second: reports on the same faces.
        names: names of the two in the columns.

    Raises:
        DataError: the reports are on different faces, or have no output in common.
    """
    images = [[face["image"] for face in report["faces"]] for report in (first, second)]
    if images[0] != images[1]:
        raise DataError(
            f"the reports have {len(images[0])} and {len(images[1])} faces, which are not the same; write both with "
            "the same dataset, folder and options"
        )
    size = np.array([face["size"] for face in first["faces"]], np.float64)
    common = [name for name in first["faces"][0]["errors"] if name in second["faces"][0]["errors"]]
    if not common:
        raise DataError("the reports have no output in common")
    rows = []
    for name in common:
        errors = [
            np.array([face["errors"][name] for face in report["faces"]], np.float64) for report in (first, second)
        ]
        for part, chosen in (("", np.ones(len(size), bool)), (", large faces", large_faces(size))):
            both = chosen & np.isfinite(errors[0]) & np.isfinite(errors[1])
            means = [mean_error(values[both]).mean for values in errors]
            change = mean_error(errors[1][both] - errors[0][both])
            percent = 100 * change.mean / means[0] if change.faces else float("nan")
            cells = (*means, change.mean, change.standard_error, percent, change.faces)
            rows.append(Row(f"{name}{part}", cells))
    columns = (*names, "difference", "standard error", "difference, %", "faces")
    notes = (
        "Only faces with an error in both reports. Difference: second - first.",
        "Large faces: as in `rdrface evaluate --held-out`.",
    )
    return Table("Paired comparison of the errors of the same faces", columns, tuple(rows), notes)
