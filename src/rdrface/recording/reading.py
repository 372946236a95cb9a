"""Reading recordings."""

from collections.abc import Iterator
from os import PathLike
from pathlib import Path

from rdrface.errors import DataError
from rdrface.recording.frame_record import FrameRecord
from rdrface.recording.json_lines import read_json_lines
from rdrface.recording.parquet import read_parquet

JSON_SUFFIXES = (".jsonl", ".json", ".ndjson")
PARQUET_SUFFIX = ".parquet"


def read_recording(path: str | PathLike[str]) -> Iterator[FrameRecord]:
    """The frames of a recording, one after the other: memory does not depend on its length.

    The partial file of a run that was killed can be read too. Parquet contains no frames without a face.

    Args:
        path: a JSON Lines or Parquet file of `rdrface track`.

    Raises:
        DataError: the file cannot be read, or is not a recording.
        ConfigError: a Parquet file, and pyarrow is not installed.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if not path.exists():
        raise DataError(f"no recording at {path}")
    if suffix == PARQUET_SUFFIX:
        return read_parquet(path)
    if suffix in JSON_SUFFIXES:
        return read_json_lines(path)
    raise DataError(f"{path} is not a recording: expected the suffix .jsonl or .parquet")
