"""``rdrface annotate IN... OUT``: the faces of a collection of photos in Parquet files."""

import argparse
from functools import partial
from pathlib import Path
from typing import Any

from rdrface.aligner import Aligner
from rdrface.cli.collection_inputs import CollectionInputs, described, folder_digest, note
from rdrface.cli.face_options import add_detection, check_detection, load_arguments
from rdrface.cli.interruption import terminated_like_interrupted
from rdrface.cli.options import add_network, create_folder, open_aligner, positive
from rdrface.cli.progress import Progress
from rdrface.collection.annotating import Engine, annotate_collection
from rdrface.collection.counts import Counts
from rdrface.collection.job import Job
from rdrface.collection.local_engine import annotate_locally
from rdrface.collection.output import SUFFIX
from rdrface.collection.ray_engine import annotate_with_ray
from rdrface.collection.work import precisions
from rdrface.loading import weights_path
from rdrface.runtime.weights import read_info
from rdrface.worker_process import num_cores

ENGINES = ("local", "ray")

CHUNK_OF_FILE, CHUNK_OF_FOLDER = 256, 2048
"""Photos of a chunk: some seconds of work if the output is one file; in a folder, a file of some megabytes."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `rdrface annotate`."""
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="IN",
        help="folder, list of paths (.txt), table of paths or images (.parquet), shard (.tar), image file, or pattern",
    )
    parser.add_argument("out", type=Path, metavar="OUT", help="NAME.parquet for one file, or a folder of Parquet files")
    parser.add_argument("--overwrite", action="store_true", help="begin from the start; an existing OUT is replaced")
    parser.add_argument(
        "--column",
        metavar="NAME",
        help="column of the photos in tables, or their extension in shards, such as jpg (default: found by its type)",
    )
    work = parser.add_argument_group("work")
    work.add_argument(
        "--engine",
        choices=ENGINES,
        default=ENGINES[0],
        help="local: processes on this machine; ray: actors on a Ray cluster (default: local)",
    )
    work.add_argument(
        "--workers", type=positive, metavar="N", help="number of processes or actors (default: one per processor core)"
    )
    work.add_argument(
        "--chunk",
        type=positive,
        metavar="N",
        help="photos that a worker annotates and writes together; a killed run repeats at most one chunk per worker "
        f"(default: {CHUNK_OF_FILE}, in a folder {CHUNK_OF_FOLDER}, which has a file for each chunk)",
    )
    add_detection(parser.add_argument_group("faces"))
    add_network(parser)


def run(args: argparse.Namespace) -> int:
    """Run the command. Photos that cannot be read have rows with the error, and do not change the exit status.

    Returns:
        Exit status 0.

    Raises:
        RdrError: options or outputs cannot be used, the weights cannot be opened, or a file cannot be written.
        KeyboardInterrupt: the run was interrupted; the same command goes on with it.
    """
    check_detection(args)
    inputs = CollectionInputs(args.inputs, args.column)
    inputs.check_output(args.out)
    create_folder(args.out.absolute().parent, "choose another output", args.out)
    settings = load_arguments(args)
    if settings["device"] != "cuda" and settings["threads"] is None:
        settings["threads"] = 1  # each worker has one core
    opener = partial(open_aligner, args.weights, settings)
    job = _job(args, opener(), settings)
    progress: Progress | None = None

    def start(done: int, total: int) -> None:
        nonlocal progress
        for line in inputs.skipped():
            note(line)
        if done:
            note(f"going on: {done:,} of {total:,} photos are done")
        progress = Progress(done, total)

    def add(counts: Counts) -> None:
        assert progress is not None
        progress.add(counts.photos)

    try:
        with terminated_like_interrupted():
            counts = annotate_collection(
                inputs.sources(),
                args.out,
                job,
                opener,
                _engine(args),
                num_gpus=int(args.device == "cuda"),
                overwrite=args.overwrite,
                on_start=start,
                on_chunk=add,
            )
    except KeyboardInterrupt:
        if progress is not None:
            progress.close()
            note(f"{progress.line()}; run the same command to go on")
        raise
    finally:
        if progress is not None:
            progress.close()
    _print_summary(args.out, counts, progress)
    return 0


def _job(args: argparse.Namespace, aligner: Aligner, settings: dict[str, Any]) -> Job:
    info, _ = read_info(weights_path(args.weights))
    is_file = args.out.suffix.lower() == SUFFIX
    return Job(
        described(args.inputs),
        {**settings, "column": args.column},
        info.checksum,
        precisions(aligner),
        args.chunk or (CHUNK_OF_FILE if is_file else CHUNK_OF_FOLDER),
        0 if info.custom_scheme is None else info.custom_scheme.count,
        folder=folder_digest(args.inputs),
    )


def _engine(args: argparse.Namespace) -> Engine:
    if args.engine == "ray":
        return partial(annotate_with_ray, num_workers=args.workers)
    default = 1 if args.device == "cuda" else num_cores()
    return partial(annotate_locally, num_workers=args.workers or default)


def _print_summary(out: Path, counts: Counts, progress: Progress | None) -> None:
    print(
        f"{counts.photos:,} photos, {counts.faces:,} faces, {counts.without_faces:,} without a face, "
        f"{counts.failed:,} failed, {counts.dropped:,} dropped"
    )
    if progress is None:
        print(f"{out} was already complete")
        note("photos that were added or changed since are not part of it; --overwrite begins from the start")
        return
    rate = progress.num_done / max(progress.seconds, 1e-9)
    print(f"written: {out}; {progress.num_done:,} photos in {progress.seconds:.0f} s, {rate:.1f} photos/s")
