"""Run the commands of docs/results.md and docs/expression.md again and put what they print into their blocks.

python tools/refresh_results.py DATA [--only WORDS] [--work DIR] [--check]

DATA holds the sets' folders as the commands name them. The commands run in DIR, where links to these folders are made,
in the order of the pages, so that one may use what an earlier one has written. A block is an indented command that
starts with ``rdrface`` or ``python``, and the fenced text below it. With --check no page is written, and the exit
status is 1 when a block differs. Blocks with times differ every time: leave them out with --only.
"""

import argparse
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "docs" / "results.md", ROOT / "docs" / "expression.md")

BLOCK = re.compile(r"^    (?P<command>(?:rdrface|python) [^\n]+)\n\n```\n(?P<text>.*?)\n```$", re.DOTALL | re.MULTILINE)


def main() -> int:
    """Refresh or check the blocks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("--only", default="", metavar="WORDS", help="commands that hold these words only")
    parser.add_argument("--work", type=Path, default=ROOT / "runs" / "results", metavar="DIR")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    args = parser.parse_args()

    args.work.mkdir(parents=True, exist_ok=True)
    for entry in args.data.resolve().iterdir():
        if entry.is_dir() and not (args.work / entry.name).exists():
            (args.work / entry.name).symlink_to(entry)
    differ = [command for page in PAGES for command in refresh(page, args.only, args.work, args.check)]
    for command in differ:
        print(f"differs: {command}", file=sys.stderr)
    return 1 if args.check and differ else 0


def refresh(page: Path, only: str, work: Path, check: bool) -> list[str]:
    """Run the commands of a page that hold the words `only`; write the page unless `check`. Returns those whose block
    differs."""
    text = page.read_text(encoding="utf-8")
    differ = []
    for block in list(BLOCK.finditer(text)):
        command = block["command"]
        if only not in command:
            continue
        print(command, file=sys.stderr)
        printed = run(command, work)
        if printed == block["text"]:
            continue
        differ.append(command)
        text = text.replace(block[0], f"    {command}\n\n```\n{printed}\n```", 1)
    if not check:
        page.write_text(text, encoding="utf-8")
    return differ


def run(command: str, folder: Path) -> str:
    """What a command prints, run in a folder with the project's own source and files."""
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
