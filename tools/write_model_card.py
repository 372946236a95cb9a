"""Copies the texts about the packaged weights from the package to docs/model_card.md, between its comments.

python tools/write_model_card.py [--check]

The same texts are in the model card that `rdrface hub` writes: change them in src/rdrface/hub/card. With --check the
page is not written, and the exit status is 1 if it differs.
"""

import argparse
import re
import sys
from pathlib import Path

from rdrface.cli.script import reports_errors
from rdrface.hub.facts import dataset_table, text

PAGE = Path(__file__).parents[1] / "docs" / "model_card.md"
BLOCK = re.compile(r"^<!-- (?P<name>[\w.]+) -->\n.*?^<!-- end of (?P=name) -->$", re.DOTALL | re.MULTILINE)


def refreshed(page: str) -> str:
    """The page with the present text in each block ``<!-- NAME --> ... <!-- end of NAME -->``."""

    def block(found: re.Match[str]) -> str:
        name = found["name"]
        content = dataset_table() if name == "datasets.json" else text(name)
        return f"<!-- {name} -->\n{content}<!-- end of {name} -->"

    return BLOCK.sub(block, page)


@reports_errors
def main() -> int:
    """Write or check the page; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only compare")
    args = parser.parse_args()
    before = PAGE.read_text(encoding="utf-8")
    after = refreshed(before)
    if args.check:
        return int(before != after)
    PAGE.write_text(after, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
