"""Faces that MediaPipe finds in the clips of `rdrface evaluate video`, recorded to a file.

python benchmarks/video/record.py --data SET=DIR [--photos N] [--seed N] -o mediapipe.json [--environments DIR]
rdrface evaluate video --data SET=DIR [--photos N] [--seed N] --predictions mediapipe.json

The options must be the same in both commands. MediaPipe runs in its own environment, which is created in the folder of
--environments as for benchmarks/baselines/compare.py; --python names the Python of an existing one.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tqdm import tqdm

from rdrface.cli.evaluate_video import PHOTOS, make_clips, parse_data, parse_kinds
from rdrface.cli.options import positive
from rdrface.cli.script import reports_errors
from rdrface.evaluation.clips.clip import Clip

sys.path.append(str(Path(__file__).resolve().parents[1] / "baselines"))
import methods
from run_recorder import environment

TRACKER = Path(__file__).with_name("track_mediapipe.py")


def record(python: Path, clips: Iterable[Clip], out: Path) -> None:
    """Send clips to the tracker of MediaPipe, which writes the file.

    Raises:
        RuntimeError: the tracker failed; its error is on standard error.
    """
    command = [str(python), str(TRACKER), "-o", str(out)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        try:
            for clip in clips:
                header = {
                    "key": clip.key,
                    "checksum": clip.checksum,
                    "width": clip.width,
                    "height": clip.height,
                    "people": clip.landmarks.shape[1],
                    "frames": len(clip),
                }
                process.stdin.write(json.dumps(header).encode() + b"\n")
                for frame in clip.frames():
                    process.stdin.write(frame.tobytes())
            process.stdin.close()
        except BrokenPipeError:
            pass  # the process has failed; its exit status is checked below
    if process.returncode:
        raise RuntimeError(f"MediaPipe's tracker failed with exit status {process.returncode}")


@reports_errors
def main() -> None:
    """Record and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", action="append", default=[], required=True, metavar="SET=DIR")
    parser.add_argument("--photos", type=positive, default=PHOTOS, metavar="N")
    parser.add_argument("--kinds", metavar="NAMES", help="kinds of clips, separated by commas (default: all)")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="FILE.json")
    parser.add_argument("--environments", type=Path, default=Path("runs/baselines"), metavar="DIR")
    parser.add_argument("--python", type=Path, metavar="FILE", help="Python of an environment with MediaPipe")
    args = parser.parse_args()
    clips = make_clips(parse_data(None, args.data), args.photos, args.seed, parse_kinds(args.kinds))
    mediapipe = methods.all_methods(None, None)["mediapipe"]
    python = args.python or environment(mediapipe, args.environments / "mediapipe")
    record(python, tqdm(clips, desc="clips", disable=None), args.out)


if __name__ == "__main__":
    sys.exit(main())
