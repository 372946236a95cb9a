"""Chunks: the units of work of a collection."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

Kind = Literal["files", "shard", "table", "unreadable"]


@dataclass(frozen=True)
class Chunk:
    """Consecutive photos of one source. A chunk is annotated by one process, and its rows are written together.

    Attributes:
        kind: how the photos are read.
        source: the folder, list, shard or table, as on the command line; None for files that were named there.
        count: number of photos.
        place: where the photos are, JSON values; see the function of the kind in `rdrface.collection.sources`.
    """

    kind: Kind
    source: str | None
    count: int
    place: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The chunk as JSON values."""
        return asdict(self)


def lengths(total: int, size: int) -> Iterator[tuple[int, int]]:
    """First index and length of the pieces of `total` things, each of `size` except the last."""
    for first in range(0, total, size):
        yield first, min(size, total - first)
