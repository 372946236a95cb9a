"""Rows of the CSV files that `rdrface detect` writes."""

import csv
from pathlib import Path


def rows(path: str) -> list[dict[str, str]]:
    return list(csv.DictReader(Path(path).read_text(encoding="utf-8").splitlines()))
