"""Photos in Parquet files: paths, or encoded images."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rdrface.collection.chunk import Chunk, lengths
from rdrface.collection.photo import MAX_ENCODED_BYTES, Photo
from rdrface.collection.sources.files import FileSource, photo_of_file
from rdrface.collection.sources.unreadable import UnreadableSource
from rdrface.errors import ConfigError
from rdrface.files import printable
from rdrface.recording.face_columns import import_pyarrow

_PATH_COLUMNS = ("path", "image_path", "file_path", "file", "file_name", "filename", "image")
_NAME_COLUMNS = ("__key__", "key", "path", "image_path", "file_name", "filename", "name", "id", "url")

_READ_ROWS = 16
"""Encoded photos that are in memory at the same time."""

_BUFFER = 1 << 20


@dataclass(frozen=True)
class TableSource:
    """Photos in a Parquet file: a column of paths, of encoded images, or of Hugging Face's images (bytes, or a path).

    Attributes:
        path: absolute path.
        name: the file as on the command line.
        folder: absolute path of the folder to which paths in the file are relative.
        column: name of the column; None takes the only binary column, or a text column with the name of a path.
    """

    path: Path
    name: str
    folder: Path
    column: str | None = None

    def chunks(self, size: int) -> Iterator[Chunk]:
        """The chunks, in the order of the rows. A chunk of encoded images does not cross a row group.

        Raises:
            ConfigError: pyarrow is not installed, or the column is missing or ambiguous.
        """
        pa = import_pyarrow("collection")
        try:
            with _opened(self.path) as file:
                column, is_text = self._column(file.schema_arrow)
                if is_text:
                    paths = (
                        row for batch in file.iter_batches(columns=[column]) for row in batch.column(0).to_pylist()
                    )
                    yield from FileSource(self.name, self.folder, paths).chunks(size)
                    return
                first_of_group = 0
                for group in range(file.num_row_groups):
                    num_rows = file.metadata.row_group(group).num_rows
                    for first, count in lengths(num_rows, size):
                        place = {"path": str(self.path), "column": column, "group": group, "first": first}
                        place |= {"folder": str(self.folder)}
                        yield Chunk("table", self.name, count, place | {"row": first_of_group + first})
                    first_of_group += num_rows
        except (OSError, pa.ArrowException) as error:
            reason = printable(f"{self.name} cannot be read as Parquet: {error}")
            yield from UnreadableSource(self.name, reason).chunks(size)

    def _column(self, schema: Any) -> tuple[str, bool]:
        """Name of the column of the photos, and whether it contains paths."""
        images = [field.name for field in schema if _is_image(field.type)]
        texts = [field.name for field in schema if _is_text(field.type)]
        if self.column is not None:
            if self.column not in images + texts:
                raise ConfigError(
                    f"{self.name} has no column {self.column} of paths or encoded images; it has "
                    f"{', '.join(f'{field.name} ({field.type})' for field in schema)}"
                )
            return self.column, self.column in texts
        paths = [name for name in _PATH_COLUMNS if name in texts] or (texts if len(texts) == 1 else [])
        if len(images) == 1 or (not images and paths):
            return (images[0], False) if images else (paths[0], True)
        raise ConfigError(
            f"{self.name} has {len(images)} columns of encoded images and no obvious column of paths; name the column "
            f"of the photos with --column: {', '.join(f'{field.name} ({field.type})' for field in schema)}"
        )


def photos_of_table(chunk: Chunk) -> Iterator[Photo]:
    """The photos of a chunk of a table with encoded images."""
    place = chunk.place
    column, first, end = place["column"], place["first"], place["first"] + chunk.count
    with _opened(Path(place["path"])) as file:
        texts = [field.name for field in file.schema_arrow if _is_text(field.type)]
        name_column = next((name for name in _NAME_COLUMNS if name in texts), None)
        columns = [column] if name_column is None else [column, name_column]
        row = 0
        for batch in file.iter_batches(_READ_ROWS, row_groups=[place["group"]], columns=columns):
            if row + len(batch) > first:
                part = batch.slice(max(0, first - row), min(len(batch), end - row) - max(0, first - row))
                names = part.column(name_column).to_pylist() if name_column else [None] * len(part)
                for i, name in enumerate(names):
                    number = str(place["row"] + max(row, first) - first + i)
                    yield _photo(part.column(column)[i].as_py(), name, number, Path(place["folder"]))
            row += len(batch)
            if row >= end:
                return


def _photo(value: Any, name: str | None, number: str, folder: Path) -> Photo:
    path = None
    if isinstance(value, dict):
        path, value = value.get("path"), value["bytes"]
    text = printable(str(name or path or number))
    if value is None and isinstance(path, str) and path:  # Hugging Face's images need not be embedded
        return photo_of_file(folder, path, text)
    if value is None:
        return Photo(text, None, "the row has no image")
    if len(value) > MAX_ENCODED_BYTES:
        return Photo(text, None, f"the image has {len(value)} bytes, above the maximum of {MAX_ENCODED_BYTES}")
    return Photo(text, value)


def _opened(path: Path) -> Any:
    import pyarrow.parquet as pq

    # Through a buffer: otherwise a column of a row group is read as a whole.
    return pq.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False)


def _is_text(kind: Any) -> bool:
    return str(_value_type(kind)) in ("string", "large_string", "string_view")


def _is_image(kind: Any) -> bool:
    if hasattr(kind, "num_fields") and str(kind).startswith("struct"):
        return any(kind.field(i).name == "bytes" and _is_binary(kind.field(i).type) for i in range(kind.num_fields))
    return _is_binary(kind)


def _is_binary(kind: Any) -> bool:
    text = str(_value_type(kind))
    return text in ("binary", "large_binary", "binary_view") or text.startswith("fixed_size_binary")


def _value_type(kind: Any) -> Any:
    """The type of the values of a column, which can be encoded with a dictionary (pandas' categories)."""
    return kind.value_type if str(kind).startswith("dictionary") else kind
