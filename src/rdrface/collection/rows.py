"""The rows of a chunk, and the files that contain them."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rdrface.collection.chunk_annotation import AnnotatedPhoto, count
from rdrface.collection.counts import METADATA_KEY, Counts
from rdrface.collection.schema import schema
from rdrface.detection.box_file import FACE, FAILED, NO_FACE
from rdrface.errors import DataError
from rdrface.face import Face
from rdrface.files import write_aside
from rdrface.recording.face_columns import face_columns, import_pyarrow

if TYPE_CHECKING:
    import pyarrow as pa

WRITE_OPTIONS: dict[str, Any] = {
    "compression": "zstd",
    "use_dictionary": ["source", "image", "status", "error"],
    "use_byte_stream_split": True,
}
"""Two fifths smaller than pyarrow's defaults: floats do not repeat, so that a dictionary of them only takes space, and
the bytes of their exponents compress better next to each other."""


def table_of(
    photos: Sequence[AnnotatedPhoto], source: str | None, first: int, metadata: dict[str, str], num_custom: int = 0
) -> "pa.Table":
    """The rows of photos: one per face, and one for each photo without a face or with an error.

    Args:
        photos: the photos.
        source: the column `source`.
        first: number of the first photo.
        metadata: metadata of the table.
        num_custom: see `schema`.
    """
    pa = import_pyarrow("collection")
    rows: list[tuple[int, AnnotatedPhoto, int | None, Face | None]] = []
    for number, photo in enumerate(photos, first):
        faces: list[tuple[int | None, Face | None]] = [*enumerate(photo.faces)] or [(None, None)]
        rows += [(number, photo, i, face) for i, face in faces]
    description = schema(num_custom).with_metadata({**metadata, METADATA_KEY: count(photos).to_json()})
    values: dict[str, list[Any]] = {
        "image_index": [number for number, *_ in rows],
        "source": [source] * len(rows),
        "image": [photo.name for _, photo, _, _ in rows],
        "status": [FAILED if photo.error else FACE if photo.faces else NO_FACE for _, photo, _, _ in rows],
        "error": [photo.error or None for _, photo, _, _ in rows],
        "width": [photo.width or None for _, photo, _, _ in rows],
        "height": [photo.height or None for _, photo, _, _ in rows],
        "num_frames": [photo.num_frames or None for _, photo, _, _ in rows],
        "num_faces": [None if photo.error else len(photo.faces) for _, photo, _, _ in rows],
        "dropped": [None if photo.error else photo.dropped for _, photo, _, _ in rows],
        "face_index": [i for _, _, i, _ in rows],
    }
    arrays = [pa.array(column, description.field(name).type) for name, column in values.items()]
    arrays += face_columns([face for *_, face in rows], num_custom).values()
    return pa.Table.from_arrays(arrays, schema=description)


def write_part(path: Path, table: "pa.Table") -> None:
    """Write a table to a file, completely or not at all, also if the machine loses power.

    Raises:
        DataError: the file cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with write_aside(path) as partial:
        try:
            with partial.open("wb") as file:
                pq.write_table(table, file, **WRITE_OPTIONS)
                file.flush()
                os.fsync(file.fileno())
        except pa.ArrowException as error:
            raise DataError(f"cannot write {path}: {error}") from error


def read_counts(path: Path) -> Counts:
    """The counts of the photos of a file.

    Raises:
        DataError: it was not written by `rdrface annotate`, or it is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return Counts.from_json((pq.read_metadata(path).metadata or {})[METADATA_KEY.encode()])
    except (pa.ArrowException, OSError, KeyError, ValueError, TypeError) as error:
        raise DataError(f"{path} is damaged or was not written by `rdrface annotate`: {error}") from error
