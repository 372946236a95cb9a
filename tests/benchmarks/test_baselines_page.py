"""The table of docs/baselines.md contains figures of docs/baselines.csv."""

import csv
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"

POINTS = {"merl-rav": "all visible points", "aflw2000-3d": "inner points"}


def test_the_table_of_the_page_agrees_with_the_csv() -> None:
    with (DOCS / "baselines.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == ["set", "boxes", "points", "faces", "metric", "bin", "method", "value"]
    values = {tuple(key): value for *key, value in rows}
    lines = [line for line in (DOCS / "baselines.md").read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    set_name, checked = "", 0
    for line in lines[2:]:
        method, boxes, *cells = [cell.strip(" *%") for cell in line.strip("|").split("|")]
        if not boxes:
            set_name = "merl-rav" if "MERL-RAV" in method else "aflw2000-3d"
            continue
        boxes = {"own": "own", "true": "given"}[boxes]
        expected = [
            values[set_name, boxes, POINTS[set_name], "found by each method", "NME, %", name, method]
            for name in ("[0,30]", "(30,60]", "(60,90]")
        ]
        expected.append(values[set_name, boxes, "", "all", "not found, %", "all", method])
        expected.append(values[set_name, boxes, "", "one face per image", "ms", "", method])
        assert cells == expected, line
        checked += 1
    assert checked == 14
