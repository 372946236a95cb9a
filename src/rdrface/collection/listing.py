"""The listing: all photos of a run, in chunks, in a file. Only the positions of the chunks are in memory."""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from rdrface.collection.chunk import Chunk
from rdrface.collection.sources import Source
from rdrface.errors import DataError
from rdrface.files import read_npy, write_aside

_CHUNKS, _POSITIONS = "chunks.jsonl", "chunks.npy"


class Listing:
    """The listing of a run.

    Attributes:
        counts: (n,) int64, number of photos of each chunk.

    Args:
        folder: folder of the files.

    Raises:
        DataError: they cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / _CHUNKS
        positions = read_npy(folder / _POSITIONS, "listing of photos")
        self._offsets, self.counts = positions
        self._firsts = np.cumsum(self.counts) - self.counts

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def num_photos(self) -> int:
        """Number of photos of all chunks."""
        return int(self.counts.sum())

    def first(self, index: int) -> int:
        """Number of the first photo of a chunk."""
        return int(self._firsts[index])

    def chunk(self, index: int) -> Chunk:
        """A chunk.

        Raises:
            DataError: it cannot be read.
        """
        try:
            with self._path.open("rb") as file:
                file.seek(int(self._offsets[index]))
                return Chunk(**json.loads(file.readline()))
        except (OSError, ValueError, TypeError) as error:
            raise DataError(f"{self._path} cannot be read: {error}") from error


def has_listing(folder: Path) -> bool:
    """Whether a folder has a complete listing."""
    return (folder / _POSITIONS).is_file()


def write_listing(folder: Path, sources: Iterable[Source], size: int) -> None:
    """List all photos. If the process is killed, the folder has no listing.

    Args:
        folder: folder of the files.
        sources: the photos. They are taken one by one.
        size: number of photos of a chunk.

    Raises:
        DataError: the files cannot be written.
        ConfigError: a table has no column of photos.
    """
    offsets, counts = [], []
    with write_aside(folder / _CHUNKS) as chunks, chunks.open("wb") as file:
        for source in sources:
            for chunk in source.chunks(size):
                offsets.append(file.tell())
                counts.append(chunk.count)
                # Bytes of file names that are not UTF-8 are escapes in JSON.
                file.write(json.dumps(chunk.to_dict()).encode("ascii") + b"\n")
    with write_aside(folder / _POSITIONS) as positions:
        np.save(positions, np.array([offsets, counts], np.int64).reshape(2, -1))


def move_listing(folder: Path, target: Path) -> None:
    """Move the files to the folder `target`, in an order that never leaves an incomplete listing there."""
    remove_listing(target)
    (folder / _CHUNKS).replace(target / _CHUNKS)
    (folder / _POSITIONS).replace(target / _POSITIONS)


def remove_listing(folder: Path) -> None:
    """Remove the files, in an order that never leaves an incomplete listing."""
    (folder / _POSITIONS).unlink(missing_ok=True)
    (folder / _CHUNKS).unlink(missing_ok=True)
