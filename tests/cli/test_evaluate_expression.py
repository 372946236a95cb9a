"""The command `rdrface evaluate expression` on images of faces with known coefficients."""

import argparse
import json

import numpy as np
import pytest

import rdrface
from expressive_faces import LookupAligner, face_with, write_images
from rdrface.cli.evaluate import add_arguments, run
from rdrface.cli.evaluate_expression import read_records
from rdrface.datasets.readers import read_w300
from rdrface.errors import ConfigError, DataError

FACES = [
    {"eyeBlinkLeft": 1.0, "jawOpen": 0.6},
    {"jawLeft": 0.3, "jawRight": 0.3},
    {"mouthSmileLeft": 0.7, "mouthSmileRight": 0.7},
]


def arguments(*words):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args([str(word) for word in words])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    faces = [face_with(values) for values in FACES]
    write_images(tmp_path, faces)
    monkeypatch.setattr(
        rdrface, "load", lambda weights=None, **_: LookupAligner(faces, mirror_bias=0.125), raising=False
    )
    return tmp_path


def test_all_tables_are_printed_and_written(folder, capsys):
    out = folder / "r.json"
    assert run(arguments("expression", folder, "--json", out)) == 0
    text = capsys.readouterr().out
    assert "3 faces of the train part, boxes: true landmarks" in text
    for words in ("eyes", "winks", "mouth and brows", "antagonistic pairs", "4 of 46 coefficients", "mirrored photos"):
        assert words in text
    content = json.loads(out.read_text())
    assert (
        len(content["faces"]) == 3
        and len(content["tables"]) == 6
        and (content["dataset"], content["split"]) == ("300w", "train")
    )
    face = content["faces"][0]
    assert face["image"] == "0.png" and face["blendshapes"]["eyeBlinkLeft"] == 1
    # Mirrored back, the coefficients have the original sides and differ by the bias of the aligner.
    assert face["blendshapes_mirrored"]["jawOpen"] == pytest.approx(0.725, abs=1e-5)
    assert face["blendshapes_mirrored"]["eyeBlinkRight"] == pytest.approx(0.125, abs=1e-5)
    left, right = face["annotated"]["eye_aspect"]
    assert left > 0.22 and right < 0.13


def test_mirrored_images_can_be_left_out(folder, capsys):
    assert run(arguments("expression", folder, "--no-mirror")) == 0
    assert "mirrored" not in capsys.readouterr().out


def test_a_record_file_is_evaluated_like_a_folder(folder, capsys):
    records = read_w300(folder)
    path = folder / "fits.npz"
    records.save(path)
    assert len(read_records(path)) == 3
    assert run(arguments("expression", path, "--no-mirror")) == 0
    assert "fits.npz, expression: 3 faces" in capsys.readouterr().out
    with pytest.raises(DataError, match="--split"):
        read_records(path, None, "test")
    with pytest.raises(ConfigError, match="--format"):
        read_records(path, "300w", "train")


def test_format_gives_the_name_of_the_dataset(folder):
    assert np.array_equal(read_records(folder, "300w").points, read_records(folder).points)
    with pytest.raises(DataError, match="frontal"):
        read_records(folder, "merl-rav")


def test_options_that_do_not_apply_are_refused(folder):
    with pytest.raises(ConfigError, match="--plots"):
        run(arguments("expression", folder, "--plots", folder))
    with pytest.raises(ConfigError, match="--no-mirror"):
        run(arguments("300w", folder, "--no-mirror"))
