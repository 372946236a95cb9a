"""Photos in files of their own: those of a folder, and those that a list names."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rdrface.collection.chunk import Chunk
from rdrface.collection.photo import Photo
from rdrface.files import is_special, printable


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
            yield photo_of_file(folder, name, printable(name))


def photo_of_file(folder: Path, path: str, name: str) -> Photo:
    """A photo in a file. A device or a pipe, which might never end, is an error.

    Args:
        folder: folder to which the path is relative.
        path: the path.
        name: see `Photo`.
    """
    if "\0" in path:
        return Photo(name, None, "the path contains a null character; a list must be UTF-8, not UTF-16")
    if is_special(folder / path):
        return Photo(name, None, f"{name} is a device, a pipe or a socket, not a file")
    return Photo(name, folder / path)
