"""Photos in tar files: WebDataset's shards, and any other uncompressed tar file."""

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from rdrface.collection.chunk import Chunk
from rdrface.collection.photo import MAX_ENCODED_BYTES, Photo
from rdrface.collection.sources.unreadable import UnreadableSource
from rdrface.files import printable
from rdrface.image import SUFFIXES

_BLOCK = 512
_BUFFER = 1 << 20

_COMPRESSIONS = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
"""First bytes of a compressed file -> its format."""


@dataclass(frozen=True)
class ShardSource:
    """Photos in a tar file.

    In WebDataset's layout, the files of a sample are KEY.EXTENSION; the key ends at the first dot of the file name.

    Attributes:
        path: absolute path.
        name: the shard as on the command line.
        extension: the extension of the photos, for example "jpg" or "left.jpg"; None takes every file whose suffix is
            that of an image.
    """

    path: Path
    name: str
    extension: str | None = None

    def chunks(self, size: int) -> Iterator[Chunk]:
        """The chunks, in the order of the file. Only the headers of the tar file are read."""
        start, count = 0, 0
        try:
            _check_uncompressed(self.path)
            with _opened(self.path) as (file, tar):
                for member in _members(tar):
                    if is_photo(member, self.extension):
                        start = member.offset if count == 0 else start
                        count += 1
                        if count == size:
                            yield self._chunk(start, count)
                            count = 0
                # The module tarfile takes a damaged header for the end, and ignores what is behind the end mark.
                file.seek(tar.offset)
                if any(file.read(_BLOCK)):
                    raise tarfile.ReadError(f"no header at byte {tar.offset}")
                while rest := file.read(_BUFFER):
                    if rest.strip(b"\0"):
                        raise tarfile.ReadError(
                            "the file goes on behind the end mark; shards cannot be joined with cat"
                        )
        except (OSError, tarfile.TarError) as error:
            yield from self._rest(start, count)
            reason = error.strerror if isinstance(error, OSError) else str(error)
            text = f"{self.name} cannot be read to its end: {reason}; photos may be missing"
            yield from UnreadableSource(self.name, printable(text)).chunks(size)
            return
        yield from self._rest(start, count)

    def _rest(self, start: int, count: int) -> Iterator[Chunk]:
        if count:
            yield self._chunk(start, count)

    def _chunk(self, start: int, count: int) -> Chunk:
        place = {"path": str(self.path), "offset": start, "extension": self.extension}
        return Chunk("shard", self.name, count, place)


def photos_of_shard(chunk: Chunk) -> Iterator[Photo]:
    """The photos of a chunk of a shard."""
    place = chunk.place
    with _opened(Path(place["path"]), place["offset"]) as (_, tar):
        for member in _members(tar):
            if not is_photo(member, place["extension"]):
                continue
            name = printable(member.name)
            if member.size > MAX_ENCODED_BYTES:
                yield Photo(name, None, f"the file has {member.size} bytes, above the maximum of {MAX_ENCODED_BYTES}")
                continue
            content = tar.extractfile(member)
            yield Photo(name, content.read() if content else b"")


def is_photo(member: tarfile.TarInfo, extension: str | None) -> bool:
    """Whether a member of a tar file is a photo, see `ShardSource`. Links and hidden files are not."""
    name = PurePosixPath(member.name).name
    if not member.isfile() or name.startswith("."):
        return False
    if extension is not None:
        return name.partition(".")[2].lower() == extension.lower().lstrip(".")
    return PurePosixPath(name).suffix.lower() in SUFFIXES


def _check_uncompressed(path: Path) -> None:
    with path.open("rb") as file:
        first = file.read(max(map(len, _COMPRESSIONS)))
    for start, name in _COMPRESSIONS.items():
        if first.startswith(start):
            raise tarfile.ReadError(f"it is compressed with {name}; a shard must be an uncompressed tar file")


@contextmanager
def _opened(path: Path, offset: int = 0) -> Iterator[tuple[IO[bytes], tarfile.TarFile]]:
    with path.open("rb") as file:
        file.seek(offset)
        with tarfile.open(fileobj=file, mode="r:") as tar:
            yield file, tar


def _members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    while (member := tar.next()) is not None:
        yield member
        # The list of a shard with a million files would fill the memory.
        tar.members.clear()  # type: ignore[attr-defined]
