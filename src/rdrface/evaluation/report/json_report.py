"""Everything a run of `rdrface evaluate` found out, for JSON: the tables, and every face with its errors."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rdrface._version import __version__
from rdrface.datasets.records import FaceRecords
from rdrface.errors import DataError
from rdrface.evaluation.predictions.matching import relative_name
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.tables.tables import Table


def report(
    name: str,
    root: Path,
    annotations: FaceRecords,
    predictions: Predictions,
    errors: Mapping[str, np.ndarray],
    tables: list[Table],
    how: Mapping[str, Any],
) -> dict[str, Any]:
    """One object for JSON; the same run gives the same object, so no times are in it.

    Args:
        name: of the set on the command line.
        root: its folder; photos are named relative to it.
        annotations: N faces.
        predictions: for them.
        errors: name -> (N,) error of every face.
        tables: what was printed.
        how: boxes, weights, file of predictions and so on.
    """
    faces = []
    for i, image in enumerate(annotations.image.tolist()):
        face: dict[str, Any] = {
            "image": relative_name(image, root),
            "source": str(annotations.source[i]),
            "found": bool(predictions.found[i]),
            "errors": {key: _plain(values[i]) for key, values in errors.items()},
        }
        if annotations.yaw is not None:
            face["yaw"] = _plain(annotations.yaw[i])
        faces.append(face)
    return {
        "rdrface": __version__,
        "set": name,
        "method": predictions.method,
        **how,
        "faces": faces,
        "missed": [face["image"] for face in faces if not face["found"]],
        "tables": [table.to_dict() for table in tables],
    }


def write_report(path: Path, content: Mapping[str, Any]) -> None:
    """Write the object of `report`.

    Raises:
        DataError: the file cannot be written.
    """
    try:
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}") from error


def _plain(value: float) -> float | None:
    # Six digits: more than any measurement here is worth, and the same on every machine's rounding of the last bits.
    return round(float(value), 6) if math.isfinite(value) else None
