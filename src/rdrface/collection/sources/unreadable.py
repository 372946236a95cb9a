"""Sources that cannot be read: each becomes a row with the reason."""

from collections.abc import Iterator
from dataclasses import dataclass

from rdrface.collection.chunk import Chunk
from rdrface.collection.photo import Photo


@dataclass(frozen=True)
class UnreadableSource:
    """A folder, shard or table that cannot be read, or the rest of one.

    Attributes:
        name: the source as on the command line.
        reason: the error message.
    """

    name: str
    reason: str

    def chunks(self, size: int) -> Iterator[Chunk]:
        """One chunk of one photo."""
        yield Chunk("unreadable", self.name, 1, {"reason": self.reason})


def photos_of_unreadable(chunk: Chunk) -> Iterator[Photo]:
    """A photo without a name, with the reason."""
    yield Photo(None, None, chunk.place["reason"])
