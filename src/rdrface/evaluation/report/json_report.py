"""JSON report of `rdrface evaluate`: the tables, and every face with its errors."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rdrface._version import __version__
from rdrface.datasets.records import FaceRecords
from rdrface.evaluation.predictions.matching import relative_name
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.tables.tables import Table
from rdrface.files import write_aside
from rdrface.geometry.boxes import box_size


def report(
    name: str,
    root: Path,
    annotations: FaceRecords,
    predictions: Predictions,
    errors: Mapping[str, np.ndarray],
    tables: list[Table],
    how: Mapping[str, Any],
) -> dict[str, Any]:
    """The report as a JSON object. It contains no times, so the same evaluation gives the same object.

    The size of a face is sqrt(w h) of its annotated box, image pixels.

    Args:
        name: name of the dataset on the command line.
        root: folder of the dataset; images are named relative to it.
        annotations: N faces.
        predictions: of the same faces, in the same order.
        errors: name of the output -> (N,) error of every face.
        tables: the printed tables.
        how: how the predictions were made: boxes, weights, file of predictions and so on.
    """
    faces = []
    sizes = box_size(annotations.box)
    for i, image in enumerate(annotations.image.tolist()):
        face: dict[str, Any] = {
            "image": relative_name(image, root),
            "source": str(annotations.source[i]),
            "size": _plain(sizes[i]),
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
    """Write the object of `report`; an existing file is replaced only when the new one is complete.

    Raises:
        DataError: the file cannot be written.
    """
    with write_aside(path) as partial:
        partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _plain(value: float) -> float | None:
    # Six decimals exceed the accuracy of any measurement here and hide differences in the last bits between machines.
    return round(float(value), 6) if math.isfinite(value) else None
