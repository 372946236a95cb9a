"""The comparison of the rules that keep one of several detections."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import rdrface
from annotated import write_pts
from rdrface.alignment import selection
from rdrface.errors import DataError
from rdrface.face import Face

RELIABILITY = Path(__file__).resolve().parents[2] / "benchmarks" / "reliability"


@pytest.fixture(autouse=True)
def import_path(monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(RELIABILITY))


@pytest.fixture(scope="module")
def aligner() -> rdrface.Aligner:
    return rdrface.load(threads=1)


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    """(300, 300, 3) uint8, a photo of one person."""
    return pytest.importorskip("skimage").data.astronaut()[:300, 80:380]


def test_the_rules_keep_different_detections(aligner, pixels) -> None:
    import ranking
    from annotated_photos import Annotated

    (face,) = aligner.detect(pixels)
    photo = Annotated("astronaut", pixels, face.landmarks.astype(np.float64), "outline")
    edge = replace(face, score=0.5, uncertainty=face.uncertainty * 0.8, landmarks=face.landmarks + np.float32(20))
    kept = {name: rule([edge, face]) for name, rule in ranking.RULES.items()}
    assert kept.pop("expected error") == [edge]
    assert all(faces == [face] for faces in kept.values())
    right, shifted = (ranking.error(one, photo.points, photo) for one in (face, edge))
    assert right < 0.1 and shifted > 5 and np.isnan(ranking.error(None, photo.points, photo))


def test_the_table_counts_wrong_and_missing_faces() -> None:
    import ranking

    rows = ranking.table({"a": [2.0, np.nan, 14.0], "b": [1.0, 2.0, 3.0]}, "300w", 9).rows
    assert [row.cells for row in rows] == [(8.0, 1, 1), (2.0, 0, 0)]
    with pytest.raises(DataError, match="in none of the 9 photos"):
        ranking.table({"a": []}, "300w", 9)


class FakeAligner:
    """Finds the same faces in every photo but the last, in which it finds only the first of them."""

    def __init__(self, faces: list[Face], photos: int) -> None:
        self.faces, self.remaining = faces, photos

    def detect(self, _: np.ndarray) -> list[Face]:
        self.remaining -= 1
        return selection.without_duplicates(self.faces if self.remaining else self.faces[:1])


def test_only_photos_with_a_dropped_detection_are_counted(aligner, pixels, tmp_path, monkeypatch, capsys) -> None:
    import ranking

    (face,) = aligner.detect(pixels)
    for name in "abc":
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
        write_pts(tmp_path / f"{name}.pts", face.landmarks + 1)
    twice = [face, replace(face, landmarks=face.landmarks + np.float32(3), uncertainty=face.uncertainty * 2)]
    monkeypatch.setattr(rdrface, "load", lambda **_: FakeAligner(twice, 3))
    monkeypatch.setattr(sys, "argv", ["ranking.py", "300w", str(tmp_path)])
    assert ranking.main() == 0
    printed = capsys.readouterr().out
    assert printed.startswith("300w: 2 of 3 photos")
    (row,) = [line for line in printed.splitlines() if line.startswith("rdrface")]
    assert float(row.split()[-3]) < 0.1
