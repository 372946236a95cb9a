"""Animations of the people of a recording."""

import numpy as np
import pytest

from glb_file import GLBFile
from rdrface.errors import DataError
from rdrface.recording import ClipRecorder, JSONLinesWriter, read_recording, write_person_clip
from recorded import record


def num_keys(path):
    file = GLBFile(path.read_bytes())
    return len(file.accessor(file.json["animations"][0]["samplers"][0]["input"]))


def test_each_person_has_a_file(tmp_path):
    recorder = ClipRecorder(tmp_path / "a.b")
    for index in range(6):
        recorder.write(record(index, (1,) if index < 4 else (1, 3)), np.full((240, 320, 3), 90, np.uint8))
    assert not list(tmp_path.iterdir())
    recorder.close()
    recorder.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.b.person1.glb", "a.b.person3.glb"]
    assert (num_keys(tmp_path / "a.b.person1.glb"), num_keys(tmp_path / "a.b.person3.glb")) == (6, 2)
    assert "images" in GLBFile((tmp_path / "a.b.person1.glb").read_bytes()).json


def test_an_interrupted_run_leaves_partial_files(tmp_path):
    recorder = ClipRecorder(tmp_path / "a")
    recorder.write(record(0))
    recorder.stop()
    assert [path.name for path in tmp_path.iterdir()] == ["a.person1.partial.glb"]


def test_a_recording_becomes_a_clip(tmp_path):
    writer = JSONLinesWriter(tmp_path / "a.jsonl")
    for index in range(5):
        writer.write(record(index, (2,)))
    writer.close()
    write_person_clip(tmp_path / "a.glb", read_recording(tmp_path / "a.jsonl"), person=2)
    assert num_keys(tmp_path / "a.glb") == 5
    with pytest.raises(DataError, match="does not contain person 1; it contains: 2"):
        write_person_clip(tmp_path / "b.glb", read_recording(tmp_path / "a.jsonl"))


def test_a_file_that_cannot_be_written_does_not_keep_back_the_others(tmp_path):
    recorder = ClipRecorder(tmp_path / "a")
    recorder.write(record(0, (1, 2, 3)))
    (tmp_path / "a.person1.glb").mkdir()
    with pytest.raises(DataError, match=r"a\.person1\.glb"):
        recorder.close()
    assert (tmp_path / "a.person2.glb").is_file() and (tmp_path / "a.person3.glb").is_file()
