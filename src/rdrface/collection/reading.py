"""Reading the photos of a chunk."""

from collections.abc import Callable, Iterator

from rdrface.collection.chunk import Chunk, Kind
from rdrface.collection.photo import Photo
from rdrface.collection.sources.files import photos_of_files
from rdrface.collection.sources.shards import photos_of_shard
from rdrface.collection.sources.tables import photos_of_table
from rdrface.collection.sources.unreadable import photos_of_unreadable
from rdrface.files import printable

_READERS: dict[Kind, Callable[[Chunk], Iterator[Photo]]] = {
    "files": photos_of_files,
    "shard": photos_of_shard,
    "table": photos_of_table,
    "unreadable": photos_of_unreadable,
}


def photos_of(chunk: Chunk) -> Iterator[Photo]:
    """The photos of a chunk: exactly `chunk.count`, also if its source can no longer be read."""
    photos = _READERS[chunk.kind](chunk)
    reason = "the file has become shorter since its photos were listed"
    for i in range(chunk.count):
        try:
            photo = next(photos, None)
        # pyarrow and tarfile have exceptions of their own, and damaged data can make a decompressor raise anything.
        except Exception as error:
            photo, reason = None, f"cannot be read: {str(error) or type(error).__name__}"
        if photo is None:
            rest = Photo(None, None, printable(f"{chunk.source}: {reason}"))
            yield from [rest] * (chunk.count - i)
            return
        yield photo
