"""The command `rdrface evaluate video`, with an aligner and a tracker without a network."""

import argparse
import json
from dataclasses import replace

import pytest

import rdrface
from astronaut_photos import write_astronaut_photos
from rdrface.cli import evaluate_video
from rdrface.cli.evaluate import add_arguments, run
from rdrface.cli.evaluate_video import parse_data, parse_kinds
from rdrface.cli.main import main
from rdrface.errors import ConfigError
from rdrface.evaluation.clips.kinds import KINDS
from rdrface.tracking.tracked_face import TrackedFace
from some_face import some_face


def arguments(*words):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args([str(word) for word in words])


class StubAligner:
    precision, crop_size = "float32", 128

    def detect(self, image):
        return [some_face()]


class StubTracker:
    def __init__(self, aligner):
        self.face = aligner.detect(None)[0]

    def update(self, image, time):
        return [TrackedFace(1, self.face, self.face, time)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_astronaut_photos(tmp_path_factory.mktemp("300w"))


@pytest.fixture
def stubs(monkeypatch):
    monkeypatch.setattr(rdrface, "load", lambda weights=None, **_: StubAligner(), raising=False)
    monkeypatch.setattr(rdrface, "Tracker", StubTracker, raising=False)
    short = {name: replace(kind, seconds=0.1) for name, kind in KINDS.items()}
    monkeypatch.setattr(evaluate_video, "KINDS", short)


def test_tables_are_printed_and_written(folder, stubs, tmp_path, capsys):
    out = tmp_path / "video.json"
    words = ("video", "--data", f"300w={folder}", "--photos", 1, "--kinds", "still,pan", "--json", out, "--times")
    assert run(arguments(*words)) == 0
    text = capsys.readouterr().out
    assert "2 clips of 1 photo from 300w" in text and "time per frame" in text
    for row in ("still, smoothed", "still, not smoothed", "pan, frame by frame"):
        assert row in text
    content = json.loads(out.read_text())
    assert content["seed"] == 0 and len(content["results"]["smoothed"]) == 2 and len(content["tables"]) == 2
    assert run(arguments(*words[:-3], "--no-smoothing")) == 0
    assert "still, smoothed" not in capsys.readouterr().out


def test_the_sheet_is_drawn_without_a_network(folder, stubs, tmp_path):
    sheet = tmp_path / "clips.png"
    assert run(arguments("video", folder, "--photos", 1, "--kinds", "cut", "--sheet", sheet)) == 0
    assert sheet.stat().st_size > 10000


def test_options_are_checked(folder, tmp_path):
    assert parse_data(folder, []) == {"300w": folder}
    for entries in (["300w"], ["mnist=x"], [f"300w={folder}", "300w=x"]):
        with pytest.raises(ConfigError, match="SET=DIR"):
            parse_data(None, entries)
    with pytest.raises(ConfigError, match="makes its clips from photos"):
        parse_data(None, [])
    with pytest.raises(ConfigError, match="no kind 'dive'; the kinds are still"):
        parse_kinds("pan,dive")
    with pytest.raises(ConfigError, match="--plots does not apply"):
        run(arguments("video", folder, "--plots", tmp_path))
    with pytest.raises(ConfigError, match="--photos is only for"):
        run(arguments("merl-rav", folder, "--photos", 2))
    with pytest.raises(ConfigError, match="needs the folder"):
        run(arguments("merl-rav"))


def test_a_negative_seed_is_reported(capsys):
    assert main(["evaluate", "video", "--data", "300w=.", "--seed", "-1"]) == 2
    assert "--seed must be 0 or more; got -1" in capsys.readouterr().err
