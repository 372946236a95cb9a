"""Parquet: one row per face and frame."""

import math
import shutil
import time
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rdrface._version import __version__
from rdrface.errors import DataError
from rdrface.face import Face
from rdrface.face_dict import ARRAY_SHAPES, PARAMETER_SHAPES
from rdrface.files import partial_path, write_aside
from rdrface.recording.face_columns import face_columns, face_fields, import_pyarrow
from rdrface.recording.frame_record import FrameRecord, RecordedFace

if TYPE_CHECKING:
    import pyarrow as pa

_PART_SECONDS = 5.0
_PART_ROWS = 2_000
"""A part is written after this time, or with this number of rows."""

_GROUP_ROWS = 10_000
"""Rows of a row group of the complete file, about 50 MB in memory."""

SCALARS = {
    "frame": "int64",
    "time": "float64",
    "id": "int32",
    "width": "int32",
    "height": "int32",
}
"""Column of the frame -> Arrow type; units as in `FrameRecord`."""

_CUSTOM = "custom_landmarks"


class ParquetWriter:
    """Writes one row per face and frame.

    A Parquet file without its end cannot be read. Therefore, until `close`, NAME.partial.parquet is a folder of
    complete files, one every five seconds, which pandas, DuckDB and `read_recording` read like one file. `close` joins
    them. If the process is killed, the folder remains and lacks at most the last seconds.

    Args:
        path: the file; replaced at the end if it exists. A partial folder of an earlier run is replaced at once.
        video: name of the video, for the metadata of the file.

    Raises:
        ConfigError: pyarrow is not installed.
        DataError: the folder cannot be created.
    """

    def __init__(self, path: Path, video: str = "") -> None:
        self._pa = import_pyarrow()
        self._path = path
        self._folder = partial_path(path)
        self._metadata = {"rdrface": __version__, "video": video}
        self._rows: list[tuple[FrameRecord, RecordedFace]] = []
        self._num_parts = self._num_frames = 0
        self._written = time.monotonic()
        self._num_custom: int | None = None
        self._is_open = True
        try:
            if self._folder.is_dir():
                shutil.rmtree(self._folder)
            self._folder.mkdir(parents=True)
        except OSError as error:
            raise DataError(f"cannot write {path}: {error.strerror or error}") from error

    def write(self, frame: FrameRecord) -> None:
        """Add the faces of a frame.

        Raises:
            DataError: a part cannot be written.
        """
        self._num_frames += 1
        self._rows += [(frame, one) for one in frame.faces]
        if len(self._rows) >= _PART_ROWS or time.monotonic() - self._written > _PART_SECONDS:
            self._write_part()

    def close(self) -> None:
        """Join the parts to one file.

        Raises:
            DataError: the file cannot be written; the folder of the parts remains.
        """
        if self._is_open:
            self.stop()
            with write_aside(self._path) as joined:
                self._join(joined)
            shutil.rmtree(self._folder, ignore_errors=True)

    def stop(self) -> None:
        """Write the last part; the folder remains: the video was not read to its end.

        Raises:
            DataError: the part cannot be written.
        """
        if self._is_open:
            self._is_open = False
            self._write_part()

    def _write_part(self) -> None:
        self._written = time.monotonic()
        if not self._rows and self._num_parts:
            return
        import pyarrow.parquet as pq

        if self._num_custom is None and self._rows:
            custom = self._rows[0][1].face.custom_landmarks
            self._num_custom = 0 if custom is None else len(custom)
        if not self._rows and self._is_open:
            return
        table = _table(self._pa, self._rows, self._num_custom or 0, self._metadata)
        # Under a hidden name until it is complete: readers of folders skip hidden files.
        with write_aside(self._folder / f"part-{self._num_parts:06d}.parquet") as part:
            self._guarded(pq.write_table, table, part)
        self._num_parts += 1
        self._rows = []

    def _join(self, target: Path) -> None:
        import pyarrow.parquet as pq

        parts = _parts(self._folder)
        schema = pq.read_schema(parts[0])
        with pq.ParquetWriter(target, schema) as writer:
            waiting: list[Any] = []
            for i, part in enumerate(parts):
                waiting.append(pq.read_table(part, partitioning=None))
                if sum(map(len, waiting)) >= _GROUP_ROWS or i == len(parts) - 1:
                    self._guarded(writer.write_table, self._pa.concat_tables(waiting).combine_chunks())
                    waiting = []
            writer.add_key_value_metadata({"num_frames": str(self._num_frames)})

    def _guarded(self, function: Any, *arguments: Any) -> None:
        try:
            function(*arguments)
        except self._pa.ArrowException as error:
            raise DataError(f"cannot write {self._path}: {error}") from error


def schema(num_custom: int = 0) -> "pa.Schema":
    """The columns: those of the frame, and `face_fields`.

    Args:
        num_custom: number of landmarks of the annotation scheme that the weights were fine-tuned to.

    Raises:
        ConfigError: pyarrow is not installed.
    """
    pa = import_pyarrow()
    fields = [pa.field(name, getattr(pa, kind)(), nullable=False) for name, kind in SCALARS.items()]
    return pa.schema([*fields, *face_fields(num_custom)])


def read_parquet(path: Path) -> Iterator[FrameRecord]:
    """The frames of a Parquet file, or of the partial folder of a run that was killed.

    Raises:
        DataError: it cannot be read, or columns are missing.
        ConfigError: pyarrow is not installed.
    """
    pa = import_pyarrow()
    return _frames(pa, path)


def _frames(pa: Any, path: Path) -> Iterator[FrameRecord]:
    try:
        for _, group in groupby(_rows(path), key=lambda row: row["frame"]):
            rows = list(group)
            faces = [RecordedFace(int(row["id"]), _face(row)) for row in rows]
            first = rows[0]
            seconds = float(first["time"])
            if not math.isfinite(seconds):
                raise ValueError(f"time must be finite; got {seconds}")
            yield FrameRecord(int(first["frame"]), seconds, int(first["width"]), int(first["height"]), faces)
    except (pa.ArrowException, OSError) as error:
        # Some exceptions of pyarrow are KeyErrors or ValueErrors, too.
        raise DataError(f"{path} cannot be read as Parquet: {error}") from error
    except KeyError as error:
        raise DataError(f"{path} is not a recording of `rdrface track`: the column {error} is missing") from error
    except (ValueError, OverflowError, TypeError, DataError) as error:
        raise DataError(f"{path} is not a recording of `rdrface track`: {error}") from error


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    import pyarrow.parquet as pq

    for part in _parts(path) if path.is_dir() else [path]:
        with pq.ParquetFile(part) as file:
            for batch in file.iter_batches(batch_size=256):
                columns = {name: _numpy(column) for name, column in zip(batch.schema.names, batch.columns, strict=True)}
                for i in range(len(batch)):
                    yield {name: column[i] for name, column in columns.items()}


def _numpy(column: Any) -> Any:
    # Not so if other programs have written the file: they have lists of any length, and null.
    if hasattr(column.type, "list_size") and not column.null_count:
        return column.flatten().to_numpy().reshape(-1, column.type.list_size)
    return column.to_pylist()


def _face(row: dict[str, Any]) -> Face:
    entries: dict[str, Any] = {name: _reshaped(row, name, shape) for name, shape in ARRAY_SHAPES.items()}
    entries["parameters"] = {name: row[f"parameters_{name}"] for name in PARAMETER_SHAPES}
    custom = row.get(_CUSTOM)
    entries[_CUSTOM] = None if custom is None else _reshaped(row, _CUSTOM, (-1, 2))
    # Other programs may have changed the file.
    return Face.from_dict(entries | {"score": row["score"]})


def _reshaped(row: dict[str, Any], name: str, shape: tuple[int, ...]) -> np.ndarray:
    try:
        return np.reshape(row[name], shape)
    except ValueError as error:
        raise ValueError(f"the column {name} must have {math.prod(shape)} numbers per row: {error}") from error


def _parts(folder: Path) -> list[Path]:
    return sorted(folder.glob("part-*.parquet"))


def _table(
    pa: Any, rows: list[tuple[FrameRecord, RecordedFace]], num_custom: int, metadata: dict[str, str]
) -> "pa.Table":
    values = {
        "frame": [frame.index for frame, _ in rows],
        "time": [frame.time for frame, _ in rows],
        "id": [one.id for _, one in rows],
        "width": [frame.width for frame, _ in rows],
        "height": [frame.height for frame, _ in rows],
    }
    columns = [pa.array(values[name], getattr(pa, kind)()) for name, kind in SCALARS.items()]
    columns += face_columns([one.face for _, one in rows], num_custom).values()
    return pa.Table.from_arrays(columns, schema=schema(num_custom).with_metadata(metadata))
