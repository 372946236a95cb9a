"""A photo of a collection, before it is decoded."""

from pathlib import Path
from typing import NamedTuple

MAX_ENCODED_BYTES = 600_000_000
"""Maximum size of an encoded photo inside a shard or a table: an uncompressed image of the maximum number of pixels."""


class Photo(NamedTuple):
    """A photo of a collection.

    Attributes:
        name: the path of its file relative to the folder, the entry of the list, or its name in the shard or table;
            None if it has none.
        content: the file, or the encoded image; None if it cannot be read.
        error: the reason why it cannot be read; empty otherwise.
    """

    name: str | None
    content: Path | bytes | None
    error: str = ""
