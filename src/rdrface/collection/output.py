"""The output of a run: a Parquet file or a folder of Parquet files, and what a later run needs to go on."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from rdrface.collection.counts import METADATA_KEY, Counts
from rdrface.collection.job import Job, difference, read_job
from rdrface.collection.listing import has_listing, move_listing, remove_listing
from rdrface.collection.lock import locked
from rdrface.collection.rows import WRITE_OPTIONS, read_counts
from rdrface.collection.schema import schema
from rdrface.errors import ConfigError, DataError
from rdrface.files import partial_path, real_path, write_aside
from rdrface.recording.face_columns import import_pyarrow

SUFFIX = ".parquet"

_STATE = ".rdrface"
"""Folder inside the folder of the parts. Readers of Parquet folders skip names that start with a dot."""

_JOB, _COMPLETE, _LOCK, _JOINED, _NEW = "job.json", "complete.json", "lock", "joined.parquet", "new"

_GROUP_ROWS = 10_000
"""Rows of a row group of the joined file, about 40 MB in memory."""


class Output:
    """The files of a run.

    While it runs, there is a folder with a Parquet file for each chunk that is done, and a hidden folder with the job
    and the listing. If the name of the output ends in .parquet, this folder is NAME.partial.parquet, and `finish` joins
    its files; otherwise it is the output itself, whose files remain.

    Attributes:
        target: the output, an absolute path without symbolic links.
        is_file: whether it is a single file.
        parts: the folder of the files of the chunks.
        state: the hidden folder.
    """

    def __init__(self, path: Path) -> None:
        self.target = real_path(path)
        self.is_file = path.suffix.lower() == SUFFIX
        self.parts = partial_path(self.target) if self.is_file else self.target
        self.state = self.parts / _STATE

    def part(self, index: int) -> Path:
        """The file of a chunk."""
        return self.parts / f"part-{index:07d}{SUFFIX}"

    def attempts(self, index: int) -> Path:
        """The file with the starts of a chunk, see `Attempts`."""
        return self.state / f"attempts-{index:07d}"

    @contextmanager
    def opened(self, job: Job, overwrite: bool) -> Iterator[bool]:
        """Prepare the folders, keep other runs out meanwhile.

        Args:
            job: the job of the run.
            overwrite: other runs may have left files; `start` removes them.

        Yields:
            Whether there is work to do: False if an earlier run has completed this job.

        Raises:
            ConfigError: there are files of another job or of other software, or another run is in progress.
            DataError: the folders cannot be written.
        """
        self._check(job, overwrite)
        try:
            self.state.mkdir(parents=True, exist_ok=True)
            with locked(self.state / _LOCK):
                self._check(job, overwrite)
                if overwrite or not self._is_complete(job):
                    self._remove_temporary_files()
                    try:
                        yield True
                    finally:
                        self._remove_temporary_files()
                else:
                    yield False
            self._remove_rest()
        except OSError as error:
            raise DataError(f"cannot write {self.target}: {error.strerror or error}") from error

    def has_job(self, job: Job) -> bool:
        """Whether the folder still belongs to a job."""
        return _read_job(self.state / _JOB) == job.to_json()

    @contextmanager
    def new_listing(self) -> Iterator[Path]:
        """An empty folder for the listing of a new run. It is removed at the end, and so is a folder without a run."""
        folder = self.state / _NEW
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            if not (self.state / _JOB).is_file():
                shutil.rmtree(self.state, ignore_errors=True)
                with suppress(OSError):  # it has other files
                    self.parts.rmdir()

    def start(self, job: Job, listing: Path) -> None:
        """Start a run whose listing is in the folder `listing`; the files of an earlier run are removed."""
        # The files of chunks belong to a job, so the job is removed before them and written after them.
        (self.state / _JOB).unlink(missing_ok=True)
        (self.state / _COMPLETE).unlink(missing_ok=True)
        for path in self.parts.glob(f"part-*{SUFFIX}"):
            path.unlink()
        move_listing(listing, self.state)
        with write_aside(self.state / _JOB) as path:
            path.write_text(job.to_json(), encoding="utf-8")

    def is_done(self, num_chunks: int) -> np.ndarray:
        """(num_chunks,) bool, whether each chunk has its file."""
        done = np.zeros(num_chunks, bool)
        present = {path.name for path in self.parts.glob(f"part-*{SUFFIX}")}
        for i in range(num_chunks):
            done[i] = self.part(i).name in present
        return done

    def remove_earlier_file(self) -> None:
        """Remove the file of an earlier run after the photos were listed: a listing without photos leaves it."""
        if self.is_file:
            self.target.unlink(missing_ok=True)

    def counts(self) -> Counts:
        """The counts of all photos of a complete output."""
        if self.is_file:
            return read_counts(self.target)
        return Counts.from_json((self.state / _COMPLETE).read_text())

    def finish(self, job: Job, num_chunks: int) -> None:
        """Complete the output after the last chunk.

        Raises:
            DataError: a file cannot be read or written.
        """
        paths = [self.part(i) for i in range(num_chunks)]
        if self.is_file:
            joined = self.state / _JOINED
            _join(paths, joined, job)
            # Before the parts are removed, the rows must be on the disk, and under their name.
            _sync(joined)
            joined.replace(self.target)
            _sync(self.target.absolute().parent)
        else:
            total = sum(map(read_counts, paths), Counts())
            with write_aside(self.state / _COMPLETE) as path:
                path.write_text(total.to_json())

    def _check(self, job: Job, overwrite: bool) -> None:
        """Refuse outputs that must not be replaced; nothing is changed."""
        if self.is_file and self.target.is_dir():
            raise ConfigError(f"{self.target} is a folder; a name that ends in {SUFFIX} is that of a file")
        if not self.is_file and self.target.is_file():
            raise ConfigError(f"{self.target} is a file; name a folder, or a file that ends in {SUFFIX}")
        if self.parts.is_dir() and not self.state.is_dir() and any(self.parts.iterdir()):
            raise ConfigError(f"the folder {self.parts} has other files; remove it, or choose another output")
        if overwrite:
            return
        # A run that was killed before it had listed its photos has left nothing to go on with.
        earlier = _read_job(self.state / _JOB)
        if earlier not in (None, job.to_json()) and (has_listing(self.state) or (self.state / _COMPLETE).exists()):
            raise ConfigError(
                f"{self.parts} has another run: {difference(earlier or '', job)}. Call that run again to go on with "
                "it, choose another output, or pass --overwrite to remove it"
            )
        if self.is_file and self.target.exists() and read_job(self.target) != job.to_json():
            raise ConfigError(f"{self.target} exists, and has other rows; name another file or pass --overwrite")

    def _is_complete(self, job: Job) -> bool:
        if self.is_file:
            return self.target.exists() and read_job(self.target) == job.to_json()
        return (self.state / _COMPLETE).is_file()

    def _remove_temporary_files(self) -> None:
        """Remove what killed processes have left: files under a temporary name, and starts of chunks."""
        for folder in (self.parts, self.state):
            for path in folder.glob(".rdrface-*"):
                path.unlink(missing_ok=True)
        for path in self.state.glob("attempts-*"):
            path.unlink(missing_ok=True)

    def _remove_rest(self) -> None:
        if self.is_file:
            shutil.rmtree(self.parts, ignore_errors=True)
        else:
            remove_listing(self.state)
            (self.state / _LOCK).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk. Windows does not open folders."""
    if path.is_dir() and os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read_job(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _join(paths: list[Path], target: Path, job: Job) -> None:
    """Join the files of the chunks to one, whose rows are in the order of the photos."""
    pa = import_pyarrow("collection")
    import pyarrow.parquet as pq

    total = Counts()
    try:
        description = schema(job.num_custom).with_metadata(job.metadata())
        with pq.ParquetWriter(target, description, **WRITE_OPTIONS) as writer:
            waiting: list[Any] = []
            for i, path in enumerate(paths):
                total += read_counts(path)
                waiting.append(pq.read_table(path, partitioning=None).replace_schema_metadata(description.metadata))
                if sum(map(len, waiting)) >= _GROUP_ROWS or i == len(paths) - 1:
                    writer.write_table(pa.concat_tables(waiting).combine_chunks())
                    waiting = []
            writer.add_key_value_metadata({METADATA_KEY: total.to_json()})
    except pa.ArrowException as error:
        raise DataError(f"the files in {target.parents[1]} cannot be joined: {error}") from error
