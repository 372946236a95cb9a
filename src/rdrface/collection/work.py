"""The work of one process: the model, and chunks that it annotates and writes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from rdrface.aligner import Aligner
from rdrface.collection.attempts import Attempts
from rdrface.collection.chunk_annotation import annotate
from rdrface.collection.counts import Counts
from rdrface.collection.job import Job
from rdrface.collection.listing import Listing
from rdrface.collection.output import Output
from rdrface.collection.reading import photos_of
from rdrface.collection.rows import read_counts, table_of, write_part
from rdrface.errors import ConfigError, DataError


@dataclass(frozen=True)
class Work:
    """What a process needs to take part in a run. It can be pickled.

    Attributes:
        output: the files.
        job: the job.
        open_aligner: opens the model; a function of a module, or a `functools.partial` of one.
        run: identifies the run.
        num_gpus: GPUs of each process, for Ray.
    """

    output: Output
    job: Job
    open_aligner: Callable[[], Aligner]
    run: str
    num_gpus: int = 0


class Worker:
    """Annotates chunks in this process.

    Args:
        work: what to do.

    Raises:
        RdrError: the model or the listing cannot be opened, or this machine chooses another precision than the one
            where the run was started.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._listing = Listing(work.output.state)
        self._aligner = work.open_aligner()
        precision = precisions(self._aligner)
        if precision != work.job.precision:
            raise ConfigError(
                f"this machine runs the networks in {'/'.join(precision)}, and the run was started with "
                f"{'/'.join(work.job.precision)}: pass --precision float32 to a new run"
            )

    def annotate(self, index: int) -> Counts:
        """Annotate a chunk and write its file.

        Raises:
            DataError: the file cannot be written, or several processes ended while they worked on this chunk.
        """
        work, path = self._work, self._work.output.part(index)
        if path.exists():  # the process that wrote it ended before it could report it
            return read_counts(path)
        self._aligner.reset()  # the rows of a chunk do not depend on what this process did before
        chunk = self._listing.chunk(index)
        attempts = Attempts(work.output.attempts(index), work.run)
        photos = annotate(self._aligner, partial(photos_of, chunk), attempts.excluded, attempts.at)
        first = self._listing.first(index)
        if not work.output.has_job(work.job):  # an actor of Ray can outlive its run for a moment
            raise DataError(f"{work.output.parts} belongs to another run now")
        write_part(path, table_of(photos, chunk.source, first, work.job.metadata(), work.job.num_custom))
        attempts.finish()
        return read_counts(path)


def precisions(aligner: Aligner) -> tuple[str, ...]:
    """Precisions of the network and of the detector of an aligner."""
    detector = getattr(getattr(aligner.detector, "session", None), "precision", None)
    return (aligner.precision, *([] if detector is None else [detector]))
