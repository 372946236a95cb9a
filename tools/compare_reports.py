"""Compares two reports of `rdrface evaluate --json` on the same faces: mean difference and its standard error.

python tools/compare_reports.py FIRST.json SECOND.json
"""

import argparse
import sys
from pathlib import Path

from rdrface.cli.script import reports_errors
from rdrface.evaluation.report.paired import paired_table, read_report


@reports_errors
def main() -> int:
    """Print the table; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first", type=Path, metavar="FIRST.json", help="report of `rdrface evaluate --json`")
    parser.add_argument("second", type=Path, metavar="SECOND.json", help="another report on the same faces")
    args = parser.parse_args()
    table = paired_table(read_report(args.first), read_report(args.second), (args.first.stem, args.second.stem))
    print(table.to_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
