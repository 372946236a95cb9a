"""`rdrface evaluate video`: the tracker on clips that are made from the photos of a dataset."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from rdrface._version import __version__
from rdrface.cli.evaluation_run import describe_run
from rdrface.cli.options import check_output_files, check_suffix, positive
from rdrface.datasets.contact_sheet import SHEET_SUFFIXES, write_sheet
from rdrface.datasets.readers import SETS
from rdrface.datasets.readers.layout import set_in
from rdrface.datasets.records import FaceRecords
from rdrface.errors import ConfigError
from rdrface.evaluation.clips.clip import Clip
from rdrface.evaluation.clips.kinds import KINDS, Cast
from rdrface.evaluation.clips.photos import choose_photos, read_photos
from rdrface.evaluation.predictions.tracked import TrackedFaces, read_recorded, run_detector, run_tracker
from rdrface.evaluation.protocols import video
from rdrface.evaluation.report.clip_sheet import clip_sheet
from rdrface.evaluation.report.json_report import write_report
from rdrface.evaluation.tables.tables import Table
from rdrface.face_rendering.head import Head
from rdrface.morphable.model import FaceModel

NAME = "video"
"""Name of this command; it takes the place of a dataset's name."""

SMOOTHED, UNSMOOTHED, BY_FRAME = "smoothed", "not smoothed", "frame by frame"
"""Rows of the tables: the tracker's faces, the same without smoothing, and the detector on every frame."""

PHOTOS = 3
"""Default number of photos."""

_UNUSED = ("method", "labels", "poses", "plots", "record", "faces", "format", "split", "held_out")
"""Options of `rdrface evaluate` that do not apply here."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that only this command has."""
    only = parser.add_argument_group(f"only with {NAME}")
    only.add_argument(
        "--data",
        action="append",
        default=[],
        metavar="SET=DIR",
        help=f"dataset to take photos from, e.g. 300w=DIR; can be repeated. SET is one of {', '.join(SETS)}",
    )
    only.add_argument(
        "--photos",
        type=positive,
        metavar="N",
        help=f"number of photos; each gives one clip per kind (default: {PHOTOS})",
    )
    only.add_argument("--kinds", metavar="NAMES", help="kinds of clips, separated by commas (default: all)")
    only.add_argument(
        "--seed", type=int, metavar="N", help="seed of the choice of photos and of the noise (default: 0)"
    )
    only.add_argument("--no-smoothing", action="store_true", help="leave out the rows of the smoothed faces")
    only.add_argument("--times", action="store_true", help="also print the time per frame")
    only.add_argument("--sheet", type=Path, metavar="FILE", help="draw frames of all clips into FILE (PNG) and stop")


def refuse_options(args: argparse.Namespace) -> None:
    """Check that no option of this command was given to another one.

    Raises:
        ConfigError: one was given.
    """
    for option in ("data", "photos", "kinds", "seed", "no_smoothing", "times", "sheet"):
        if getattr(args, option):
            name = option.replace("_", "-")
            raise ConfigError(f"--{name} is only for `rdrface evaluate {NAME}`; leave it out for {args.set}")


def run(args: argparse.Namespace) -> int:
    """Run the command.

    Returns:
        Exit status 0.

    Raises:
        RdrError: a dataset, the weights or a file cannot be read or written, or an option does not apply.
    """
    import rdrface

    for option in _UNUSED:
        if getattr(args, option):
            raise ConfigError(f"--{option.replace('_', '-')} does not apply to `rdrface evaluate {NAME}`; leave it out")
    check_output_files((args.json, args.sheet), args.overwrite)
    check_suffix("--sheet", args.sheet, SHEET_SUFFIXES)
    data = parse_data(args.folder, args.data)
    if args.seed is not None and args.seed < 0:
        raise ConfigError(f"--seed must be 0 or more; got {args.seed}")
    count, seed, kinds = args.photos or PHOTOS, args.seed or 0, parse_kinds(args.kinds)
    clips = make_clips(data, count, seed, kinds)
    if args.sheet is not None:
        write_sheet(args.sheet, clip_sheet(tqdm(clips, desc="clips", disable=None)))
        print(f"{len(clips)} clips drawn in {args.sheet}")
        return 0
    recorded = None if args.predictions is None else read_recorded(args.predictions, clips)
    aligner = rdrface.load(args.weights, precision=args.precision, size=args.size)
    results: dict[str, list[video.ClipResult]] = {}

    def add(method: str, clip: Clip, faces: TrackedFaces) -> None:
        results.setdefault(method, []).append(video.measure(clip, faces))

    for clip in tqdm(clips, desc="clips", disable=None):
        smoothed, unsmoothed = run_tracker(rdrface.Tracker(aligner).update, clip)
        if not args.no_smoothing:
            add(SMOOTHED, clip, smoothed)
        add(UNSMOOTHED, clip, unsmoothed)
        add(BY_FRAME, clip, run_detector(aligner.detect, clip))
    if recorded is not None:
        for clip, faces in zip(clips, recorded[1], strict=True):
            add(recorded[0], clip, faces)
    tables = video.tables(results)
    printed = [*tables, video.time_table(results)] if args.times else tables
    photos = "1 photo" if count == 1 else f"{count} photos"
    print(f"\nVideo: {len(clips)} clips of {photos} from {', '.join(data)}\n")
    print("\n\n".join(table.to_text() for table in printed))
    if args.json is not None:
        run = describe_run("tracker", args.weights, aligner)
        details = {"data": list(data), "photos": count, "seed": seed, **run}
        write_report(args.json, _report(results, tables, details))
    return 0


def parse_data(folder: Path | None, entries: Sequence[str]) -> dict[str, Path]:
    """Name of every dataset -> its folder.

    Args:
        folder: folder of a dataset that is recognized by its files, or None.
        entries: values of --data.

    Raises:
        ConfigError: there is no dataset, an entry is not SET=DIR, or a set is given twice.
        DataError: the dataset in `folder` is not recognized.
    """
    data = {} if folder is None else {set_in(folder): folder}
    for entry in entries:
        name, equals, path = entry.partition("=")
        if not equals or name not in SETS or name in data:
            raise ConfigError(f"--data takes SET=DIR, with one of {', '.join(SETS)}, each once; got {entry!r}")
        data[name] = Path(path)
    if not data:
        raise ConfigError(
            f"`rdrface evaluate {NAME}` makes its clips from photos; pass --data SET=DIR, e.g. --data 300w=DIR"
        )
    return data


def parse_kinds(names: str | None) -> list[str]:
    """Kinds of the option --kinds.

    Raises:
        ConfigError: a kind does not exist.
    """
    if names is None:
        return list(KINDS)
    kinds = [name.strip() for name in names.split(",")]
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        raise ConfigError(f"--kinds: there is no kind {unknown[0]!r}; the kinds are {', '.join(KINDS)}")
    return kinds


class Clips(Sequence[Clip]):
    """Clips that are made when they are needed, because each keeps its canvases in memory."""

    def __init__(self, casts: Sequence[Cast], kinds: Sequence[str]) -> None:
        self._casts, self._kinds = casts, kinds

    def __len__(self) -> int:
        return len(self._casts) * len(self._kinds)

    def __getitem__(self, index: Any) -> Any:
        if not 0 <= index < len(self):
            raise IndexError(index)
        kind, number = divmod(index, len(self._casts))
        return KINDS[self._kinds[kind]].clip(self._kinds[kind], self._casts[number])


def make_clips(data: Mapping[str, Path], count: int, seed: int, kinds: Sequence[str]) -> Clips:
    """The clips of an evaluation: for each kind, one per photo.

    Args:
        data: name of every dataset -> its folder.
        count: number of photos; each dataset gives an equal part.
        seed: seed of the choice of photos and of the noise.
        kinds: names of the kinds.

    Raises:
        RdrError: a dataset cannot be read, or has too few suitable photos.
    """
    # At least two, for the clips with two people.
    shares = [len(part) for part in np.array_split(np.arange(max(count, 2)), len(data))]
    parts = [
        choose_photos(read_photos(name, folder), share, seed)
        for (name, folder), share in zip(data.items(), shares, strict=True)
        if share
    ]
    photos = FaceRecords.concat(parts)
    head = Head.of(FaceModel.load())
    casts = [
        Cast(i, photos.select([i]), photos.select([(i + 1) % len(photos)]), head, seed=1000 * seed + i)
        for i in range(count)
    ]
    return Clips(casts, kinds)


def _report(
    results: Mapping[str, Sequence[video.ClipResult]], tables: Sequence[Table], details: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "rdrface": __version__,
        "set": NAME,
        **details,
        "results": {method: [one.to_dict() for one in of_method] for method, of_method in results.items()},
        "tables": [table.to_dict() for table in tables],
    }
