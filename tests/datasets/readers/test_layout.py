"""Recognition of datasets by their folder layout."""

from pathlib import Path

import pytest

from rdrface.datasets.readers.layout import set_in
from rdrface.errors import DataError


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("left/testset/a.pts", "merl-rav"),
        ("HELEN_Flip/a.mat", "300w-lp"),
        ("points/001a02.pts", "fgnet"),
        ("image00002.mat", "aflw2000-3d"),
        ("helen/trainset/a.pts", "300w"),
        ("a.pts", "300w"),
    ],
)
def test_a_dataset_is_recognized_by_its_layout(tmp_path: Path, file: str, name: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    if name == "fgnet":
        (tmp_path / "images").mkdir()
    assert set_in(tmp_path) == name


def test_a_folder_without_a_known_layout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--format"):
        set_in(tmp_path)
    with pytest.raises(DataError, match="not a folder"):
        set_in(tmp_path / "missing")
