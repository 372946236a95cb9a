"""The CSV files in the folder of a run."""

import csv
from pathlib import Path

from lightning_fabric import Fabric

from rdrface.training.logs import append_row


def test_rows_have_the_columns_of_an_existing_file(tmp_path: Path) -> None:
    fabric, path = Fabric(accelerator="cpu", devices=1), tmp_path / "validation.csv"
    path.write_text("stage,step,nme_0,projection\n0,500,3.5,4.0\n")
    append_row(fabric, path, {"stage": 1, "step": 0, "crop_size": 128, "nme_0": 3.25, "yaw_0": 3.0})
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["stage", "step", "nme_0", "projection"],
        ["0", "500", "3.5", "4.0"],
        ["1", "0", "3.25", ""],
    ]


def test_a_new_or_empty_file_gets_the_columns_of_its_first_row(tmp_path: Path) -> None:
    fabric = Fabric(accelerator="cpu", devices=1)
    (tmp_path / "empty.csv").touch()
    for name in ("new.csv", "empty.csv"):
        append_row(fabric, tmp_path / name, {"stage": 0, "crop_size": 64})
        assert (tmp_path / name).read_text().split() == ["stage,crop_size", "0,64"]
