"""A run over a collection, from the listing to the complete output."""

import secrets
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from rdrface.aligner import Aligner
from rdrface.collection.counts import Counts
from rdrface.collection.job import Job
from rdrface.collection.listing import Listing, has_listing, write_listing
from rdrface.collection.output import Output
from rdrface.collection.sources import Source
from rdrface.collection.work import Work
from rdrface.errors import ConfigError
from rdrface.recording.face_columns import import_pyarrow

Engine = Callable[[Work, Sequence[int]], Generator[Counts, None, None]]
"""Annotates the chunks with these numbers and yields the counts of each when its file is written."""


def annotate_collection(
    sources: Iterable[Source],
    path: Path,
    job: Job,
    open_aligner: Callable[[], Aligner],
    engine: Engine,
    *,
    num_gpus: int = 0,
    overwrite: bool = False,
    on_start: Callable[[int, int], None] = lambda done, total: None,
    on_chunk: Callable[[Counts], None] = lambda counts: None,
) -> Counts:
    """Find the faces of a collection of photos and write them to Parquet.

    If an earlier run with the same job was interrupted, this one goes on: it reads its listing instead of `sources`,
    and annotates the chunks that have no file.

    Args:
        sources: the photos, taken one by one.
        path: ``NAME.parquet``, or a folder.
        job: what determines the rows.
        open_aligner: opens the model in a worker; a function of a module, or a `functools.partial` of one.
        engine: `annotate_locally` or `annotate_with_ray`, with their other arguments bound.
        num_gpus: GPUs of each worker, for Ray.
        overwrite: begin from the start; when the photos are listed, the output of an earlier run is removed.
        on_start: called with the number of photos that are done, and of all.
        on_chunk: called with the counts of each chunk that is done.

    Returns:
        The counts of all photos, those of earlier runs included.

    Raises:
        ConfigError: pyarrow is not installed, there is no photo, or the output has other rows.
        DataError: a file cannot be written.
    """
    import_pyarrow("collection")
    output = Output(path)
    with output.opened(job, overwrite) as is_unfinished:
        if is_unfinished:
            listing = _listing(output, sources, job, overwrite)
            output.remove_earlier_file()
            done = output.is_done(len(listing))
            on_start(int(listing.counts[done].sum()), listing.num_photos)
            if not done.all():
                work = Work(output, job, open_aligner, secrets.token_hex(8), num_gpus)
                # Closed also after an error, whose traceback would keep it and its processes alive.
                with closing(engine(work, np.flatnonzero(~done).tolist())) as annotated:
                    for counts in annotated:
                        on_chunk(counts)
            output.finish(job, len(listing))
        return output.counts()


def _listing(output: Output, sources: Iterable[Source], job: Job, overwrite: bool) -> Listing:
    """The listing of an interrupted run, or a new one. An earlier output is removed when the photos are listed."""
    if overwrite or not (output.has_job(job) and has_listing(output.state)):
        with output.new_listing() as folder:
            write_listing(folder, sources, job.chunk)
            if not len(Listing(folder)):
                raise ConfigError(f"no photos in {', '.join(job.inputs)}")
            output.start(job, folder)
    return Listing(output.state)
