"""Photos in files of their own: those of a folder, and those that a list names."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rdrface.collection.chunk import Chunk
from rdrface.collection.photo import Photo
from rdrface.files import printable


@dataclass(frozen=True)
class FileSource:
    """Photos in files.

    Attributes:
        name: the folder or list as on the command line; None for files that were named there.
        folder: absolute path of the folder to which `names` are relative.
        names: the paths. They are taken one by one, so there can be more than fit into memory. None is an entry without
            a path.
    """

    name: str | None
    folder: Path
    names: Iterable[str | None]

    def chunks(self, size: int) -> Iterator[Chunk]:
        """The chunks, in the order of the names."""
        names: list[str | None] = []
        for name in self.names:
            names.append(name)
            if len(names) == size:
                yield self._chunk(names)
                names = []
        if names:
            yield self._chunk(names)

    def _chunk(self, names: list[str | None]) -> Chunk:
        return Chunk("files", self.name, len(names), {"folder": str(self.folder), "names": names})


def photos_of_files(chunk: Chunk) -> Iterator[Photo]:
    """The photos of a chunk of files."""
    folder = Path(chunk.place["folder"])
    for name in chunk.place["names"]:
        if not name:
            yield Photo(None, None, "the entry has no path")
        else:
            yield Photo(printable(name), folder / name)
