"""List of the annotated faces of a set, the input of the recorders of other methods (benchmarks/baselines)."""

import json
import os
from pathlib import Path

from rdrface.datasets.records import FaceRecords
from rdrface.errors import DataError
from rdrface.evaluation.predictions.matching import relative_name
from rdrface.files import write_aside


def write_face_list(path: Path, annotations: FaceRecords, root: Path) -> None:
    """Write a JSON list with one object per face: `face` (its index), `image`, `path` and `box`.

    Args:
        path: file to write.
        annotations: N faces.
        root: folder of the set; `image` is relative to it.

    Raises:
        DataError: the images of the set are not separate files, or the list cannot be written.
    """
    entries = []
    for i, image in enumerate(annotations.image.tolist()):
        source = annotations.open_image(image)
        if not isinstance(source, str | Path):
            raise DataError(
                f"{image} is stored inside another file of the set, but a list of faces needs images that are separate "
                "files; extract the images first"
            )
        box = annotations.box[i].round(4).tolist()
        entries.append({"face": i, "image": relative_name(image, root), "path": os.path.realpath(source), "box": box})
    with write_aside(path) as partial:
        partial.write_text(json.dumps(entries, indent=0) + "\n", encoding="utf-8")
