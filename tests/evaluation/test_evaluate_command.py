import argparse
import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import rdrface
from rdrface.data.readers import read_w300
from rdrface.errors import PhotoError
from rdrface.evaluation import command
from rdrface.evaluation.command import add_arguments, overlaps, predict, run


def face(points, box=None):
    points = np.asarray(points, np.float32)
    box = np.concatenate([points.min(0), points.max(0)]) if box is None else box
    return SimpleNamespace(
        box=np.asarray(box, np.float32),
        landmarks=points,
        landmarks_jawline=points,
        projection=points,
        landmarks_3d=np.dstack([points[None], points[None, :, :1]])[0],
        visible=np.ones(68, np.float32),
        confidence=SimpleNamespace(error_percent=np.full(68, 2, np.float32)),
        pose=SimpleNamespace(rotation=np.eye(3)),
    )


class TrueAligner:
    """Knows the annotation, is off by 2 px; finds no face in photos named in `blind`, cannot read those in `broken`."""

    def __init__(self, records, blind=(), broken=(), extra=()):
        self.records, self.blind, self.broken, self.extra = records, blind, broken, extra

    def align(self, photo, boxes):
        if any(name in photo for name in self.broken):
            raise PhotoError(f"{photo} is damaged")
        index = np.flatnonzero(self.records.image == photo)
        np.testing.assert_array_equal(boxes, self.records.box[index])
        return [face(self.records.points[i] + [2, 0]) for i in index]

    def detect(self, photo):
        if any(name in photo for name in self.blind):
            return list(self.extra)
        index = np.flatnonzero(self.records.image == photo)
        return [*self.extra, *self.align(photo, self.records.box[index])]


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("a", "b", "c"):
        file = tmp_path / "ibug" / f"{name}.pts"
        file.parent.mkdir(exist_ok=True)
        points = rng.uniform(40, 60, (68, 2))
        points[0], points[1] = (1, 1), (101, 101)
        lines = "\n".join(f"{x:.3f} {y:.3f}" for x, y in points)
        file.write_text(f"version: 1\nn_points: 68\n{{\n{lines}\n}}\n")
        Image.new("RGB", (120, 120)).save(file.with_suffix(".png"))
    return tmp_path


def arguments(*words):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(list(words))


def test_ground_truth_boxes(folder, monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(
        rdrface, "load", lambda weights=None: asked.append(weights) or TrueAligner(read_w300(folder)), raising=False
    )
    out = folder / "r.json"
    assert run(arguments("300w", str(folder), "--weights", "w.safetensors", "--json", str(out))) == 0
    assert [path.name for path in asked] == ["w.safetensors"]
    text = capsys.readouterr()
    assert "300w/ibug" in text.out and "All faces found" in text.out and "true landmarks" in text.out
    content = json.loads(out.read_text())
    assert content["faces"] == 3 and content["missed"] == [] and content["boxes"] == "gt"
    assert content["tables"][0]["rows"][0]["box"] == pytest.approx(2, rel=1e-4)


def test_missed_and_unreadable_photos_are_named(folder, monkeypatch, capsys):
    aligner = TrueAligner(read_w300(folder), blind=["a.png"], broken=["c.png"])
    monkeypatch.setattr(rdrface, "load", lambda weights=None: aligner, raising=False)
    assert run(arguments("300w", str(folder), "--boxes", "detector")) == 1
    text = capsys.readouterr()
    assert "a.png: face not found" in text.err and "c.png is damaged" in text.err and "b.png" not in text.err
    assert "2 of 3 faces were not found" in text.out


def test_faces_are_matched_by_their_boxes(folder):
    records = read_w300(folder)
    stranger = face(records.points[0] + [300, 0])
    lost = face(
        records.points[0] + [300, 0], box=records.box[0]
    )  # right box, landmarks gone astray: an error, not a miss
    answer, unreadable = predict(TrueAligner(records, extra=[stranger]), records, "detector")
    assert answer.found.all() and not unreadable
    np.testing.assert_allclose(answer.landmarks, records.points + np.array([2, 0]), atol=1e-4)
    answer, _ = predict(TrueAligner(records, blind=["a.png"], extra=[stranger, lost]), records, "detector")
    assert answer.found.all()
    np.testing.assert_allclose(answer.landmarks[0, :, 0], records.points[0, :, 0] + 300, atol=1e-3)
    answer, _ = predict(TrueAligner(records, blind=["png"], extra=[stranger]), records, "detector")
    assert not answer.found.any()


def test_one_detected_face_serves_one_annotated_face(folder):
    records = read_w300(folder)
    pairs = command._matched([0, 1], np.array([[0, 0, 10, 10], [1, 0, 11, 10]]), [face([[0, 0], [10, 10]])])
    assert [i for i, _ in pairs] == [0]
    assert command._matched([0], records.box[:1], []) == []


def test_overlaps():
    boxes = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]], float)
    np.testing.assert_allclose(overlaps(boxes[:1], boxes), [[1, 1 / 3, 0]])
