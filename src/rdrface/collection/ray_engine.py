"""Actors on a Ray cluster."""

import logging
from collections.abc import Generator, Sequence
from typing import Any

import numpy as np

from rdrface import errors
from rdrface.collection.counts import Counts
from rdrface.collection.work import Work, Worker
from rdrface.errors import ConfigError, DataError
from rdrface.recording.face_columns import import_pyarrow

_BLOCKS_PER_ACTOR = 64
"""Blocks of chunks for each actor: the last ones end at about the same time."""

_MAX_BLOCKS = 10_000

_CHUNK, _ERROR_TYPE, _ERROR = "chunk", "error_type", "error"

_COUNTS = tuple(Counts.__dataclass_fields__)


def annotate_with_ray(work: Work, chunks: Sequence[int], num_workers: int | None) -> Generator[Counts, None, None]:
    """Annotate chunks with the actors of a Ray Data pipeline.

    Each actor holds the model, and writes the file of a chunk as soon as it is annotated. If an actor or its machine is
    lost, Ray starts its chunks again elsewhere.

    The cluster is that of the environment variable RAY_ADDRESS or of `ray start` on this machine; without one, a
    cluster of one machine is started. All machines need rdrface, and the inputs and outputs under the same paths.

    Args:
        work: what to do.
        chunks: numbers of the chunks.
        num_workers: number of actors; None for the number of CPUs, or of GPUs if the work needs them.

    Yields:
        The counts of each chunk; its file is written.

    Raises:
        ConfigError: Ray is not installed, or the cluster has too few CPUs or GPUs.
        RdrError: an actor cannot open the model or write a file.
    """
    ray, pa = _import_ray(), import_pyarrow("ray")
    if not ray.is_initialized():
        ray.init(include_dashboard=False, logging_level="ERROR", log_to_driver=False)
    num_actors = _num_actors(ray, work, num_workers)
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = context.print_on_execution_start = False
    num_blocks = min(len(chunks), num_actors * _BLOCKS_PER_ACTOR, _MAX_BLOCKS)
    # Blocks instead of a range: the tasks that produce a range would wait forever for a CPU if the actors have all.
    blocks = [pa.table({_CHUNK: one}) for one in np.array_split(np.asarray(chunks, np.int64), num_blocks)]
    annotated = ray.data.from_arrow(blocks).map_batches(
        _Actor,
        fn_constructor_args=(work,),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=min(num_actors, num_blocks)),
        num_cpus=1,
        num_gpus=work.num_gpus,
    )
    try:
        for row in annotated.iter_rows():
            if row[_ERROR]:
                raise getattr(errors, row[_ERROR_TYPE])(row[_ERROR])
            yield Counts(*(int(row[name]) for name in _COUNTS))
    except ray.exceptions.RayError as error:
        raise DataError(f"Ray cannot go on: {error}") from error


class _Actor:
    """Annotates chunks in an actor of Ray.

    Args:
        work: what to do.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._worker: Worker | None = None

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Annotate the chunks with these numbers; a row of counts for each. An error is a row too: Ray would try again,
        and keeps only its text."""
        counts, error_type, text = Counts(), "", ""
        try:
            if self._worker is None:
                self._worker = Worker(self._work)
            for index in batch[_CHUNK]:
                counts += self._worker.annotate(int(index))
        except errors.RdrError as error:
            error_type, text = type(error).__name__, str(error)
        row = {name: np.array([getattr(counts, name)]) for name in _COUNTS}
        return row | {_ERROR_TYPE: np.array([error_type]), _ERROR: np.array([text])}


def _num_actors(ray: Any, work: Work, requested: int | None) -> int:
    resources = ray.cluster_resources()
    available = int(resources.get("CPU", 0))
    if work.num_gpus:
        available = min(available, int(resources.get("GPU", 0)) // work.num_gpus)
    if available < (requested or 1):
        kind = "GPUs" if work.num_gpus else "CPUs"
        raise ConfigError(f"the Ray cluster has {kind} for {available} actors; got --workers {requested or 1}")
    return requested or available


def _import_ray() -> Any:
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise ConfigError(
            f"--engine ray needs Ray Data, which cannot be imported ({error}): pip install 'rdrface[ray]'"
        ) from error
    return ray
