"""Runs the commands in docs/results.md, expression.md, reliability.md, limits.md, detection.md, drawing.md,
video_evaluation.md, finetuning.md, speed.md, collections.md and server.md again and replaces their printed output.

python tools/refresh_results.py DATA [--only WORDS] [--work DIR] [--check]

DATA contains the folders of the sets under the names that the commands use. The commands run in the folder of --work,
which gets links to these folders. They run in the order of the pages: a command may use files of an earlier one. A
``rdrface fit ... -o FILE`` or ``python benchmarks/video/record.py ... -o FILE`` without output on the page runs when a
selected command uses FILE and FILE does not exist.
A block is an indented command that starts with ``rdrface`` or ``python``, followed by fenced output. A block that
measures another release, ``--rdrface PATH``, is left as it is if the folder of --work has no PATH. With --check no page
is written, and the exit status is 1 if a block differs. Blocks with times (``rdrface bench``, ``measure.py time``,
``sizes/measure.py``, ``measure_drawing.py``, ``floor.py``, ``serving/measure.py`` and ``interruptions.py``) always
differ; use --only to leave them out.
"""

import argparse
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = tuple(
    ROOT / "docs" / name
    for name in (
        "results.md",
        "expression.md",
        "reliability.md",
        "limits.md",
        "detection.md",
        "drawing.md",
        "video_evaluation.md",
        "finetuning.md",
        "speed.md",
        "collections.md",
        "server.md",
    )
)

BLOCK = re.compile(r"^    (?P<command>(?:rdrface|python) [^\n]+)\n\n```\n(?P<text>.*?)\n```$", re.DOTALL | re.MULTILINE)

PREPARATION = re.compile(
    r"^    (?P<command>(?:rdrface fit|python benchmarks/video/record\.py) [^\n]* -o (?P<file>\S+))$", re.MULTILINE
)
"""A command on a page that only writes a file for the commands after it."""

OTHER_RELEASE = "--rdrface"
"""Option of a command, before the executable of another release."""


def main() -> int:
    """Refresh or check the blocks; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA", help="folder that contains the sets")
    parser.add_argument("--only", default="", metavar="WORDS", help="run only commands that contain WORDS")
    parser.add_argument(
        "--work",
        type=Path,
        default=ROOT / "runs" / "results",
        metavar="DIR",
        help="working folder (default: runs/results)",
    )
    parser.add_argument("--check", action="store_true", help="compare only, write no page")
    args = parser.parse_args()

    args.work.mkdir(parents=True, exist_ok=True)
    for entry in args.data.resolve().iterdir():
        if entry.is_dir() and not (args.work / entry.name).exists():
            (args.work / entry.name).symlink_to(entry)
    differing = [command for page in PAGES for command in refresh(page, args.only, args.work, args.check)]
    for command in differing:
        print(f"differs: {command}", file=sys.stderr)
    return 1 if args.check and differing else 0


def refresh(page: Path, only: str, work: Path, check: bool) -> list[str]:
    """Run the commands of a page that contain `only`; write the page unless `check`.

    Returns:
        The commands whose block differs.
    """
    text = page.read_text(encoding="utf-8")
    differing = []
    blocks = [block for block in BLOCK.finditer(text) if only in block["command"]]
    blocks = [block for block in blocks if has_release(block["command"], work)]
    for preparation in PREPARATION.finditer(text):
        used = any(preparation["file"] in shlex.split(block["command"]) for block in blocks)
        if used and not (work / preparation["file"]).exists():
            run(preparation["command"], work)
    for block in blocks:
        command = block["command"]
        print(command, file=sys.stderr)
        printed = run(command, work)
        if printed == block["text"]:
            continue
        differing.append(command)
        text = text.replace(block[0], f"    {command}\n\n```\n{printed}\n```", 1)
    if not check:
        partial = page.with_suffix(".part")
        partial.write_text(text, encoding="utf-8")
        partial.replace(page)
    return differing


def has_release(command: str, folder: Path) -> bool:
    """Whether the release that a command measures is in a folder; without ``--rdrface`` it is this checkout."""
    words = shlex.split(command)
    return OTHER_RELEASE not in words or (folder / words[words.index(OTHER_RELEASE) + 1]).exists()


def run(command: str, folder: Path) -> str:
    """Output of a command that runs in a folder, with the source and the files of this checkout."""
    program, *rest = shlex.split(command)
    here = [str(ROOT / word) if word.startswith(("tools/", "benchmarks/")) else word for word in rest]
    words = [sys.executable, "-m", "rdrface", *here] if program == "rdrface" else [sys.executable, *here]
    path = os.pathsep.join(filter(None, [str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]))
    done = subprocess.run(
        words, cwd=folder, env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout.strip("\n")


if __name__ == "__main__":
    sys.exit(main())
