"""``rdrface track VIDEO...``: follow the faces of videos and cameras."""

import argparse
from pathlib import Path
from typing import get_args

from rdrface.aligner import Aligner
from rdrface.cli.options import add_network, network_arguments, open_aligner, positive
from rdrface.cli.streams import STDOUT
from rdrface.cli.track_run import TrackOptions, TrackRun
from rdrface.cli.video_inputs import expand_videos
from rdrface.cli.video_output_options import OutputOptions
from rdrface.errors import ConfigError
from rdrface.recording.live_link import HEAD, RATES
from rdrface.recording.vmc import PORT, Names

_NEEDS_FOLDER = ("draw", "draw_mesh", "parquet", "live_link", "glb", "skip_existing")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `rdrface track`."""
    parser.add_argument(
        "videos", nargs="+", metavar="VIDEO", help="file, folder or pattern; number, device or URL of a camera"
    )
    output = parser.add_argument_group("output")
    output.add_argument("-o", "--output", type=Path, metavar="DIR", help="write NAME.jsonl for every video into DIR")
    output.add_argument(
        "--json", metavar="FILE", help="write the faces of one video, a line per frame; - is standard output"
    )
    output.add_argument("--draw", action="store_true", help="also write NAME.tracked.mp4 into DIR (needs -o)")
    output.add_argument("--draw-mesh", action="store_true", help="as --draw, with the mesh on the faces")
    output.add_argument("--parquet", action="store_true", help="also write NAME.parquet into DIR (needs -o)")
    output.add_argument(
        "--live-link",
        action="store_true",
        help="also write blendshapes and head angles of each person in the format of Live Link Face, "
        "NAME_1_Person1.csv, ... (needs -o)",
    )
    output.add_argument("--live-link-rate", type=int, choices=RATES, help="rows a second of these files (default: 30)")
    output.add_argument(
        "--live-link-flip",
        action="append",
        choices=HEAD,
        help="invert the sign of a head angle; can be repeated. Without it, yaw is positive towards the person's "
        "right, pitch up, roll towards the person's left shoulder",
    )
    output.add_argument(
        "--glb",
        action="store_true",
        help="also write each person as an animated 3D face, NAME.person1.glb, ... (needs -o)",
    )
    output.add_argument(
        "--vmc",
        type=_address,
        metavar="HOST[:PORT]",
        help="send blendshapes and head rotation of one person to an avatar program, in the VMC protocol "
        f"(default port: {PORT}; a renderer such as VSeeFace listens on 39539)",
    )
    output.add_argument(
        "--vmc-names",
        choices=get_args(Names),
        help="names of the avatar's blendshapes: ARKit's (default), or the presets of VRM 0 or 1",
    )
    output.add_argument("--overwrite", action="store_true", help="replace existing output files")
    output.add_argument(
        "--skip-existing",
        action="store_true",
        help="skip videos with a complete NAME.jsonl in DIR, and start interrupted ones again (needs -o)",
    )
    frames = parser.add_argument_group("frames")
    frames.add_argument("--start", type=_seconds, metavar="S", help="start at this time of the video, seconds")
    frames.add_argument("--end", type=_seconds, metavar="S", help="stop at this time, seconds")
    frames.add_argument("--every", type=positive, default=1, metavar="N", help="use every N-th frame (default: 1)")
    faces = parser.add_argument_group("faces")
    faces.add_argument(
        "--max-faces",
        type=positive,
        metavar="N",
        help="write at most N faces of a frame, those with the lowest numbers",
    )
    faces.add_argument("--no-smoothing", action="store_true", help="write the faces as the network finds them")
    add_network(parser)


def run(args: argparse.Namespace) -> int:
    """Run the command.

    Returns:
        Exit status: 0, or 1 if some videos failed.

    Raises:
        RdrError: options cannot be combined; the weights or the output files cannot be used; or the disk is full.
        KeyboardInterrupt: the run was interrupted while it read a video, not a camera.
    """
    inputs = expand_videos(args.videos)
    _check(args, len(inputs.videos))
    outputs = OutputOptions(
        args.output,
        args.json,
        args.draw or args.draw_mesh,
        args.draw_mesh,
        args.parquet,
        args.live_link,
        args.live_link_rate or RATES[0],
        tuple(args.live_link_flip or ()),
        args.overwrite,
        args.glb,
        args.vmc,
        args.vmc_names or "arkit",
    )
    options = TrackOptions(args.start, args.end, args.every, args.max_faces, is_smoothed=not args.no_smoothing)
    run = TrackRun(inputs, outputs, options, args.skip_existing)
    run.check()
    return run.run(_open(args))


def _check(args: argparse.Namespace, num_videos: int) -> None:
    if not args.output:
        for option in _NEEDS_FOLDER:
            if getattr(args, option):
                raise ConfigError(f"--{option.replace('_', '-')} needs -o: it writes files into that folder")
    elif args.output.is_file():
        raise ConfigError(f"-o must be a folder, but {args.output} is a file")
    if args.json and num_videos > 1:
        raise ConfigError(f"--json takes a single video, got {num_videos}; use -o, which writes a file for each")
    for option in ("live_link_rate", "live_link_flip"):
        if getattr(args, option) is not None and not args.live_link:
            raise ConfigError(f"--{option.replace('_', '-')} has no effect without --live-link; add it")
    if args.vmc_names and not args.vmc:
        raise ConfigError("--vmc-names has no effect without --vmc; add it")
    if args.vmc and num_videos > 1:
        raise ConfigError(f"--vmc takes a single video, got {num_videos}")
    if args.overwrite and not args.output and args.json in (None, STDOUT):
        raise ConfigError("--overwrite has no effect without an output file (-o or --json); remove it")
    if args.end is not None and args.end <= (args.start or 0):
        raise ConfigError(f"--end must be later than --start; got {args.end:g} and {args.start or 0:g}")


def _open(args: argparse.Namespace) -> Aligner:
    return open_aligner(args.weights, network_arguments(args))


def _address(text: str) -> tuple[str, int]:
    """HOST or HOST:PORT; an IPv6 address with a port is in brackets, [::1]:39540."""
    host, port = text, str(PORT)
    if text.startswith("[") or text.count(":") == 1:
        host, _, port = text.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise argparse.ArgumentTypeError(f"must be HOST or HOST:PORT, with a port of 1 to 65535; got {text}")
    return host, int(port)


def _seconds(text: str) -> float:
    """Seconds, or H:MM:SS or M:SS; at least 0."""
    try:
        value = 0.0
        for part in text.split(":"):
            if not part or part.startswith("-"):
                raise ValueError
            value = 60 * value + float(part)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be seconds, or M:SS or H:MM:SS; got {text}")
    return value
