"""``rdrface detect IMAGE...``: find and align the faces of images."""

import argparse
from contextlib import ExitStack
from pathlib import Path
from typing import get_args

from rdrface.aligner import Aligner
from rdrface.cli.batch import Batch
from rdrface.cli.face_options import add_detection, check_detection, load_arguments
from rdrface.cli.inputs import expand
from rdrface.cli.options import add_network, open_aligner
from rdrface.cli.output_folder import FileKinds, OutputFolder
from rdrface.cli.streams import STDOUT, CSVOutput, JSONOutput, OutputStream
from rdrface.cli.walk import is_existing
from rdrface.detection.box_file import BoxFile
from rdrface.detection.retinaface import MAX_SIDE
from rdrface.errors import ConfigError, DataError
from rdrface.files import is_disk_full, real_path
from rdrface.mesh_io import FORMATS
from rdrface.scene.shape import FacePose
from rdrface.scene.surface import Region

_DETECTOR_OPTIONS = ("score", "max_side", "max_uncertainty", "order")
"""Options that have no effect on faces whose boxes are given."""

_FORMAT = "obj"
"""Default of --format."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `rdrface detect`."""
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="file, folder, pattern, or - for standard input")
    output = parser.add_argument_group("output")
    output.add_argument("-o", "--output", type=Path, metavar="DIR", help="write NAME.json for every image into DIR")
    output.add_argument("--json", metavar="FILE", help="write all faces to one JSON file; - is standard output")
    output.add_argument("--csv", metavar="FILE", help="write a table of all faces; - is standard output")
    output.add_argument("--draw", action="store_true", help="also write NAME.overlay.jpg into DIR (needs -o)")
    output.add_argument("--draw-mesh", action="store_true", help="as --draw, with the mesh on the faces")
    output.add_argument("--mesh", action="store_true", help="also write NAME.face0.obj, ... into DIR (needs -o)")
    output.add_argument("--format", choices=FORMATS, help=f"format of the mesh files (default: {_FORMAT})")
    output.add_argument(
        "--glb",
        action="store_true",
        help="also write NAME.head0.glb, ...: the 3D face with 46 blendshapes and the texture of the photo (needs -o)",
    )
    output.add_argument(
        "--obj",
        action="store_true",
        help="also write NAME.head0.obj, .mtl and .jpg, ...: the same in mm without blendshapes (needs -o)",
    )
    output.add_argument(
        "--pose",
        choices=get_args(FacePose),
        help="state of the faces of --glb and --obj: neutral (default), with the expression, or also with the "
        "rotation of the head",
    )
    output.add_argument(
        "--region", choices=get_args(Region), help="part of the head in --glb and --obj (default: face)"
    )
    output.add_argument("--overwrite", action="store_true", help="replace existing output files")
    output.add_argument(
        "--skip-existing",
        action="store_true",
        help="skip images with a result in DIR and copy it to --json and --csv: resumes an interrupted run (needs -o)",
    )
    faces = parser.add_argument_group("faces")
    add_detection(faces)
    faces.add_argument(
        "--boxes",
        type=Path,
        metavar="FILE",
        help="read the boxes of the faces from a JSON file, a CSV file with the columns image,x0,y0,x1,y1, or the "
        "output of --json or --csv",
    )
    add_network(parser)


def run(args: argparse.Namespace) -> int:
    """Run the command.

    Returns:
        Exit status: 0, or 1 if some images failed.

    Raises:
        RdrError: options cannot be combined; the weights, the box file or the output files cannot be used; or the disk
            is full.
        KeyboardInterrupt: the run was interrupted; the output files contain the images that are done.
    """
    _check(args)
    inputs = expand(args.images)
    protected = [image.path for image in inputs.images if image.path]
    protected += [path for path in (args.boxes, args.weights) if path]
    boxes = BoxFile.read(args.boxes) if args.boxes else None
    unused = boxes.check_images([image.name for image in inputs.images]) if boxes else []
    targets = [Path(name) for name in (args.json, args.csv) if name and name != STDOUT]
    _check_targets(targets, protected)
    aligner = _open(args)
    streams, folder = _open_outputs(args, targets, protected)
    max_side = None if boxes else args.max_side or MAX_SIDE
    batch = Batch(aligner, boxes, streams, folder, skip_existing=args.skip_existing, max_side=max_side)
    return batch.run(inputs, unused)


def _open_outputs(
    args: argparse.Namespace, targets: list[Path], protected: list[Path]
) -> tuple[list[OutputStream], OutputFolder | None]:
    """Open all outputs or, if one of them cannot be opened, none."""
    streams: list[OutputStream] = []
    folder = None
    try:
        with ExitStack() as opened:
            for target, kind in ((args.json, JSONOutput), (args.csv, CSVOutput)):
                if target:
                    streams.append(kind(target, args.overwrite, resume=args.skip_existing))
                    opened.callback(streams[-1].discard)
            if args.output:
                kinds = FileKinds(
                    overlay=args.draw or args.draw_mesh,
                    overlay_mesh=args.draw_mesh,
                    mesh=args.mesh,
                    mesh_format=args.format or _FORMAT,
                    glb=args.glb,
                    obj=args.obj,
                    pose=args.pose or "neutral",
                    region=args.region or "face",
                )
                folder = OutputFolder(args.output, kinds, args.overwrite, [*protected, *targets])
            opened.pop_all()
    except (DataError, OSError) as error:
        if is_disk_full(error):
            raise
        raise ConfigError(str(error)) from error
    return streams, folder


def _check(args: argparse.Namespace) -> None:
    if not args.output:
        for option in ("draw", "draw_mesh", "mesh", "glb", "obj"):
            if getattr(args, option):
                raise ConfigError(f"{_flag(option)} needs -o: it writes files into that folder")
        if args.skip_existing:
            raise ConfigError("--skip-existing needs -o: it skips images with a result in that folder")
    if args.json and args.csv and (args.json == args.csv or _is_same_file(args.json, args.csv)):
        raise ConfigError("--json and --csv cannot both go to the same file or to standard output")
    if args.format and not args.mesh:
        raise ConfigError("--format has no effect without --mesh; add --mesh, or remove it")
    for option in ("pose", "region"):
        if getattr(args, option) and not (args.glb or args.obj):
            raise ConfigError(f"{_flag(option)} has no effect without --glb or --obj; add one of them, or remove it")
    if args.overwrite and not args.output and {args.json, args.csv} <= {None, STDOUT}:
        raise ConfigError("--overwrite has no effect without an output file (-o, --json or --csv); remove it")
    check_detection(args)
    if args.output and is_existing(args.output) and not args.output.is_dir():
        raise ConfigError(f"-o must be a folder, but {args.output} is a file")
    if args.boxes:
        given = [_flag(option) for option in _DETECTOR_OPTIONS if getattr(args, option) is not None]
        if given:
            raise ConfigError(f"{given[0]} has no effect with --boxes; remove it")


def _is_same_file(first: str, second: str) -> bool:
    return STDOUT not in (first, second) and real_path(Path(first)) == real_path(Path(second))


def _check_targets(targets: list[Path], inputs: list[Path]) -> None:
    paths = {real_path(path) for path in inputs}
    for target in targets:
        if real_path(target) in paths:
            raise ConfigError(f"{target} is an input of this run; name another output file")


def _open(args: argparse.Namespace) -> Aligner:
    return open_aligner(args.weights, load_arguments(args))


def _flag(option: str) -> str:
    return f"--{option.replace('_', '-')}"
