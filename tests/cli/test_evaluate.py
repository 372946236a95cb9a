"""The command `rdrface evaluate` on a small 300-W folder with a stub aligner."""

import argparse
import json
from pathlib import Path

import numpy as np
import pytest

import rdrface
from rdrface.cli.evaluate import add_arguments, run
from rdrface.datasets.readers import read_w300
from rdrface.errors import ConfigError, DataError
from rdrface.loading import PACKAGED_WEIGHTS
from rdrface.training.face_order import held_out_faces
from stub_aligner import StubAligner, write_ibug


@pytest.fixture
def folder(tmp_path):
    write_ibug(tmp_path)
    return tmp_path


def arguments(*words):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args([str(word) for word in words])


def use_stub(monkeypatch, folder, **options):
    weights_files = []
    aligner = StubAligner(read_w300(folder), **options)
    monkeypatch.setattr(
        rdrface, "load", lambda weights=None, **_: weights_files.append(weights) or aligner, raising=False
    )
    return weights_files


def test_the_boxes_of_the_annotations_are_the_default(folder, monkeypatch, capsys):
    weights_files = use_stub(monkeypatch, folder)
    out = folder / "r.json"
    assert run(arguments("300w", folder, "--weights", PACKAGED_WEIGHTS, "--json", out)) == 0
    assert weights_files == [PACKAGED_WEIGHTS]
    text = capsys.readouterr()
    assert "300w/ibug" in text.out and "All faces found" in text.out and "true landmarks" in text.out
    content = json.loads(out.read_text())
    assert content["missed"] == [] and content["boxes"] == "true landmarks"
    assert content["weights"] == "rdr.safetensors" and len(content["weights_sha256"]) == 64
    face = content["faces"][1]
    assert face["image"] == "ibug/b.png" and face["found"]
    assert face["errors"]["landmarks, box"] == pytest.approx(2, rel=1e-4)
    assert content["tables"][0]["rows"][0]["landmarks, box"] == pytest.approx(2, rel=1e-4)


def test_two_runs_write_the_same_report(folder, monkeypatch):
    use_stub(monkeypatch, folder)
    for name in ("one.json", "two.json"):
        run(arguments("300w", folder, "--json", folder / name))
    assert (folder / "one.json").read_bytes() == (folder / "two.json").read_bytes()


def test_missed_and_unreadable_images_are_named(folder, monkeypatch, capsys):
    use_stub(monkeypatch, folder, missed=["a.png"], unreadable=["c.png"])
    assert run(arguments("300w", folder, "--boxes", "detector")) == 1
    text = capsys.readouterr()
    assert "a.png: face not found" in text.err and "c.png is damaged" in text.err and "b.png" not in text.err
    assert "2 of 3 faces were not found" in text.out


def test_a_run_without_any_face_is_an_error(folder, monkeypatch):
    use_stub(monkeypatch, folder, missed=["png"])
    with pytest.raises(DataError, match="none of the 3 faces"):
        run(arguments("300w", folder, "--boxes", "detector"))


def test_boxes_can_be_read_from_a_file(folder, monkeypatch, capsys):
    use_stub(monkeypatch, folder)
    boxes = folder / "boxes.csv"
    boxes.write_text("image,x0,y0,x1,y1\na.png,0,0,100,100\n")
    assert run(arguments("300w", folder, "--boxes", boxes)) == 0
    text = capsys.readouterr()
    assert "boxes: boxes.csv" in text.out and "2 of 3 faces were not found" in text.out


def test_predictions_in_a_text_file_are_evaluated(folder, monkeypatch, capsys):
    monkeypatch.setattr(rdrface, "load", None, raising=False)  # the aligner must not be loaded
    truth = read_w300(folder).points
    lines = [f"{name}.png " + " ".join(f"{v:.3f}" for v in p.ravel()) for name, p in zip("abc", truth + 3, strict=True)]
    path = folder / "other.txt"
    path.write_text("\n".join([*lines, "else.png " + "1 " * 136]) + "\n")
    out = folder / "r.json"
    assert run(arguments("300w", folder, "--predictions", path, "--json", out)) == 0
    text = capsys.readouterr()
    assert "1 of 4 predictions match no annotated face" in text.err and "predictions: other.txt" in text.out
    content = json.loads(out.read_text())
    assert content["method"] == "other"
    errors = np.array([face["errors"]["box"] for face in content["faces"]])
    np.testing.assert_allclose(errors, 3 * np.sqrt(2), rtol=1e-3)
    assert {"inter-ocular", "inter-pupil", "inner 51, inter-ocular", "box"} == set(content["faces"][0]["errors"])


def test_recorded_predictions_have_the_same_errors(folder, monkeypatch, capsys):
    use_stub(monkeypatch, folder)
    assert run(arguments("300w", folder, "--record", folder / "ours.json", "--json", folder / "1.json")) == 0
    assert run(arguments("300w", folder, "--predictions", folder / "ours.json", "--json", folder / "2.json")) == 0
    first, second = (json.loads((folder / name).read_text()) for name in ("1.json", "2.json"))
    for one, two in zip(first["faces"], second["faces"], strict=True):
        assert one["errors"]["landmarks, inter-ocular"] == pytest.approx(two["errors"]["inter-ocular"], abs=1e-3)
    assert second["method"] == "rdrface"


def test_the_list_of_faces_is_written_without_loading_the_aligner(folder, monkeypatch, capsys):
    monkeypatch.setattr(rdrface, "load", None, raising=False)
    assert run(arguments("300w", folder, "--faces", folder / "faces.json")) == 0
    assert [face["image"] for face in json.loads((folder / "faces.json").read_text())] == [
        "ibug/a.png",
        "ibug/b.png",
        "ibug/c.png",
    ]
    assert "3 faces listed" in capsys.readouterr().out


def test_options_that_do_not_apply_are_refused(folder):
    with pytest.raises(ConfigError, match="does not exist"):
        run(arguments("300w", folder, "--json", folder / "none" / "r.json"))
    with pytest.raises(ConfigError, match="must name different files"):
        run(arguments("300w", folder, "--json", folder / "r.json", "--record", folder / "r.json"))
    with pytest.raises(ConfigError, match="aflw2000-3d"):
        run(arguments("300w", folder, "--labels", folder / "x.npy"))
    with pytest.raises(ConfigError, match="has its own boxes"):
        run(arguments("300w", folder, "--predictions", folder / "x.csv", "--boxes", "detector"))
    with pytest.raises(DataError, match="cannot read"):
        run(arguments("300w", folder, "--predictions", folder / "x.csv"))
    with pytest.raises(SystemExit):
        arguments("300w", folder, "--predictions", "a", "--weights", "b")


def test_held_out_images_of_the_training_part_are_measured(tmp_path, monkeypatch, capsys):
    write_ibug(tmp_path)
    folder = (tmp_path / "ibug").rename(tmp_path / "afw").parent
    config = tmp_path / "half.toml"
    config.write_text(
        'validation_fraction = 0.5\nannotation_offset = {"300w/afw" = [1.0, 0.0]}\n'
        '[[stage]]\ntrain = "joint"\nsteps = 1\n'
    )
    use_stub(monkeypatch, folder)
    out = folder / "r.json"
    assert run(arguments("300w", folder, "--held-out", config, "--json", out)) == 0
    text = capsys.readouterr().out
    content = json.loads(out.read_text())
    chosen = [face["image"] for face in content["faces"]]
    records = read_w300(folder)
    expected = held_out_faces(records, 0.5)
    assert 0 < expected.sum() < 3
    assert chosen == [f"afw/{Path(image).name}" for image in records.image[expected]]
    assert content["held_out"] == "half.toml" and all(face["size"] > 90 for face in content["faces"])
    assert "standard error" in text and "annotation offset of the training removed" in text


def test_held_out_is_refused_where_it_does_not_apply(folder):
    with pytest.raises(ConfigError, match="not trained on"):
        run(arguments("wflw", folder, "--held-out", "continue"))
    with pytest.raises(ConfigError, match="held-out does not apply"):
        run(arguments("expression", folder, "--held-out", "continue"))
    with pytest.raises(ConfigError, match="held-out does not apply"):
        run(arguments("video", "--held-out", "continue"))
    with pytest.raises(DataError, match="no train faces"):
        run(arguments("300w", folder, "--held-out", "continue"))
