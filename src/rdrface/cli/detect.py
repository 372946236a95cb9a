"""``rdrface detect IMAGE...``: find and align the faces of images."""

import argparse
import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError
from tqdm import tqdm

from rdrface.aligner import Aligner, load
from rdrface.cli.inputs import STDIN, Failure, Input, expand
from rdrface.cli.outputs import STDOUT, CSVOutput, FolderOutput, JSONOutput, OutputExists, record, summary
from rdrface.detection.box_file import BoxFile
from rdrface.detection.retinaface import SCORE_THRESHOLD
from rdrface.errors import ConfigError, DataError, ImageError, RdrError
from rdrface.face import Face
from rdrface.image import read_image
from rdrface.mesh_io import FORMATS
from rdrface.runtime.session import BACKENDS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `rdrface detect`."""
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="file, folder, pattern, or - for standard input")
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="write NAME.json for every image into DIR")
    parser.add_argument("--json", metavar="FILE", help="write all faces to one JSON file; - is standard output")
    parser.add_argument("--csv", metavar="FILE", help="write one line per face; - is standard output")
    parser.add_argument("--draw", action="store_true", help="also write NAME.overlay.jpg into DIR (needs -o)")
    parser.add_argument("--mesh", action="store_true", help="also write NAME.face0.obj, ... into DIR (needs -o)")
    parser.add_argument("--format", choices=FORMATS, default="obj", help="format of the mesh files (default: obj)")
    parser.add_argument("--overwrite", action="store_true", help="replace existing output files")
    parser.add_argument(
        "--boxes",
        type=Path,
        metavar="FILE",
        help="read the boxes of the faces from a JSON file or a CSV file with the columns image,x0,y0,x1,y1",
    )
    parser.add_argument(
        "--score",
        type=float,
        default=SCORE_THRESHOLD,
        metavar="S",
        help=f"minimum score of a face (default: {SCORE_THRESHOLD})",
    )
    parser.add_argument("--weights", type=Path, metavar="FILE", help="weights file (default: the packaged one)")
    parser.add_argument("--backend", choices=BACKENDS, default="openvino", help="inference backend (default: openvino)")
    parser.add_argument(
        "--threads", type=_positive, metavar="N", help="number of threads (default: the backend chooses)"
    )


def run(args: argparse.Namespace) -> int:
    """Run the command.

    Returns:
        Exit status: 0, or 1 if some images failed.

    Raises:
        RdrError: options cannot be combined, or the weights, the box file or the output files cannot be used.
    """
    _check(args)
    images, failures = expand(args.images)
    boxes = BoxFile.read(args.boxes) if args.boxes else None
    aligner = _open(args)
    streams: list[JSONOutput | CSVOutput] = []
    try:
        if args.json:
            streams.append(JSONOutput(args.json, args.overwrite))
        if args.csv:
            streams.append(CSVOutput(args.csv, args.overwrite))
        folder = None
        if args.output:
            folder = FolderOutput(args.output, args.draw, args.mesh, args.format, args.overwrite, images)
    except (OutputExists, DataError, OSError) as error:
        raise ConfigError(str(error)) from error
    for failure in failures:
        _report(failure)

    for image in tqdm(images, unit="image", disable=not sys.stderr.isatty() or len(images) < 2):
        try:
            pixels, faces = _align(aligner, image, boxes)
            entry = record(image, pixels, faces)
            if folder:
                folder.add(image, entry, pixels, faces)
        except (RdrError, OSError) as error:
            failures.append(Failure(image.name, str(error)))
            _report(failures[-1])
            continue
        for stream in streams:
            stream.add(entry, faces)
        if not streams and not folder:
            tqdm.write(summary(image, faces), file=sys.stdout)
    for stream in streams:
        stream.close(failures)
    return 1 if failures else 0


def _check(args: argparse.Namespace) -> None:
    if (args.draw or args.mesh) and not args.output:
        raise ConfigError("--draw and --mesh write files; give their folder with -o")
    if args.json == STDOUT and args.csv == STDOUT:
        raise ConfigError("--json and --csv cannot both go to standard output")
    if not 0 < args.score < 1:
        raise ConfigError(f"--score must be between 0 and 1; got {args.score}")
    if args.output and args.output.exists() and not args.output.is_dir():
        raise ConfigError(f"-o must be a folder, but {args.output} is a file")


def _open(args: argparse.Namespace) -> Aligner:
    return load(args.weights, backend=args.backend, threads=args.threads, score_threshold=args.score)


def _align(aligner: Aligner, image: Input, boxes: BoxFile | None) -> tuple[np.ndarray, list[Face]]:
    pixels = read_image(_stdin() if image.path is None else image.path)
    if boxes is None:
        return pixels, aligner.detect(pixels)
    face_boxes = boxes.of(image.name)
    if face_boxes is None:
        raise ImageError(f"the box file has no entry for {image.name}")
    return pixels, aligner.align(pixels, face_boxes)


def _stdin() -> Image.Image:
    content = sys.stdin.buffer.read()
    if not content:
        raise ImageError("standard input is empty (0 bytes)")
    try:
        return Image.open(io.BytesIO(content))
    except (UnidentifiedImageError, OSError) as error:
        raise ImageError("standard input is not an image in a known format") from error


def _report(failure: Failure) -> None:
    # Most messages already contain the path.
    name = "" if failure.name != STDIN and failure.name in failure.reason else f"{failure.name}: "
    tqdm.write(f"rdrface: {name}{failure.reason}", file=sys.stderr)


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {value}")
    return value
