"""The crops and the comparison of the benchmark of interrupted collections, and the arithmetic of their cost."""

import argparse
import sys
from pathlib import Path

import pytest

pytest.importorskip("skimage.data")
pa = pytest.importorskip("pyarrow")

from PIL import Image  # noqa: E402

from fake_collection import annotate_fakes, write_photos  # noqa: E402
from rdrface.collection import FileSource  # noqa: E402
from rdrface.errors import ImageError  # noqa: E402
from rdrface.image import read_image  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def scripts(monkeypatch):
    """The scripts can be imported."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks" / "collection"))
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    yield
    for name in ("crops", "interruptions", "collection_cost"):
        sys.modules.pop(name, None)


def test_crops_are_the_same_each_time(tmp_path, monkeypatch):
    import crops

    monkeypatch.setattr(crops, "_DAMAGED", 5)
    for name in "ab":
        crops.write_crops(tmp_path / name, 6, 64)
    paths = sorted((tmp_path / "a").rglob("*.jpg"))
    assert len(paths) == 6 and paths[0].name == "000000.jpg"
    assert all(path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes() for path in paths)
    for path in paths[:4]:
        with Image.open(path) as image:
            assert image.size in ((64, 64), (64, 32))
    with pytest.raises(ImageError):
        read_image(paths[4])


def test_differences_of_rows_are_found():
    from interruptions import largest_difference

    kind = pa.list_(pa.float32(), 2)
    first = pa.table({"a": pa.array([[1.0, 2.0], None], kind), "b": [1.0, None], "c": ["x", "y"]})
    second = pa.table({"a": pa.array([[1.0, 2.5], None], kind), "b": [1.25, None], "c": ["x", "y"]})
    assert largest_difference(first, first) == 0 and largest_difference(first, second) == 0.5
    assert largest_difference(first, second.slice(0, 1)) == 0.5
    assert largest_difference(first, second.slice(1)) == float("inf")


def test_the_cost_is_computed_from_the_rate(tmp_path):
    from collection_cost import lines

    write_photos(tmp_path / "photos", 12)
    names = sorted(path.name for path in (tmp_path / "photos").iterdir())
    annotate_fakes([FileSource("photos", tmp_path / "photos", names)], tmp_path / "faces.parquet")
    args = argparse.Namespace(
        faces=tmp_path / "faces.parquet", rate=10.0, photos=36e6, core_hour=0.05, photo_bytes=1e5, cores=[10, 1000]
    )
    text = "\n".join(lines(args))
    assert "measured on 12 photos: 1.00 faces and " in text and "36,000,000 photos, 10 photos/s on one core" in text
    assert "core hours: 1,000\nhours on 10 cores: 100.0\nhours on 1,000 cores: 1.0\n" in text
    assert "50 dollars, 1.39 dollars per million photos" in text
    assert "storage of the photos: 3.6 TB\nreading on 1,000 cores: 1,000 MB/s" in text
