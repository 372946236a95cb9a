"""JSON Lines: one line per frame, read again, also the file of a process that was killed."""

import io
import json

import numpy as np
import pytest

from rdrface.errors import DataError
from rdrface.face import Face
from rdrface.recording import FrameRecord, JSONLinesWriter, RecordedFace, read_recording
from recorded import assert_same, face_with, record


def test_every_frame_is_one_line_that_is_read_again(tmp_path):
    frames = [record(0), record(1, ()), record(2, (1, 3)), record(5, (3,), time=0.2031)]
    writer = JSONLinesWriter(tmp_path / "a.jsonl")
    for frame in frames:
        writer.write(frame)
    writer.close()
    writer.close()
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [(line["frame"], line["time"], len(line["faces"])) for line in lines] == [
        (0, 0, 1),
        (1, 0.04, 0),
        (2, 0.08, 2),
        (5, 0.2031, 1),
    ]
    assert lines[0]["faces"][0]["id"] == 1 and lines[0]["faces"][0]["blendshapes"]["jawOpen"] == 0.4
    for found, expected in zip(read_recording(tmp_path / "a.jsonl"), frames, strict=True):
        assert_same(found, expected, pixels=0.001)
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]


def test_a_face_has_the_keys_of_to_dict():
    stream = io.BytesIO()
    face = face_with(custom_landmarks=np.zeros((3, 2), np.float32))
    JSONLinesWriter(stream).write(FrameRecord(0, 0.0, 320, 240, [RecordedFace(1, face)]))
    content = json.loads(stream.getvalue())["faces"][0]
    assert set(content) == {"id"} | set(face.to_dict())
    assert Face.from_dict(content).custom_landmarks.shape == (3, 2)


def test_each_line_is_in_the_file_when_write_returns(tmp_path):
    writer = JSONLinesWriter(tmp_path / "a.jsonl")
    for i in range(3):
        writer.write(record(i))
        assert len(list(read_recording(tmp_path / "a.partial.jsonl"))) == i + 1
    # As if the process was killed within the next line.
    with (tmp_path / "a.partial.jsonl").open("ab") as file:
        file.write(b'{"frame": 3, "ti')
    assert len(list(read_recording(tmp_path / "a.partial.jsonl"))) == 3
    writer.stop()
    assert [path.name for path in tmp_path.iterdir()] == ["a.partial.jsonl"]


def test_an_existing_file_is_replaced_only_at_the_end(tmp_path):
    (tmp_path / "a.jsonl").write_text("old")
    writer = JSONLinesWriter(tmp_path / "a.jsonl")
    writer.write(record(0))
    assert (tmp_path / "a.jsonl").read_text() == "old"
    writer.close()
    assert len(list(read_recording(tmp_path / "a.jsonl"))) == 1


def test_files_that_are_no_recordings_are_clear_errors(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"frame": 0, "time": 0, "width": 1, "height": 1, "faces": []}\n[]\n')
    with pytest.raises(DataError, match="line 2, is not a frame"):
        list(read_recording(tmp_path / "a.jsonl"))
    with pytest.raises(DataError, match="no recording at"):
        read_recording(tmp_path / "b.jsonl")
    (tmp_path / "a.csv").touch()
    with pytest.raises(DataError, match=r"expected the suffix \.jsonl or \.parquet"):
        read_recording(tmp_path / "a.csv")
    with pytest.raises(DataError, match=r"cannot write .*No such file"):
        JSONLinesWriter(tmp_path / "missing" / "a.jsonl")


@pytest.mark.parametrize("values", ['"frame": Infinity, "time": 0', '"frame": 0, "time": NaN'])
def test_numbers_that_are_not_finite_are_errors(tmp_path, values):
    (tmp_path / "a.jsonl").write_text(f'{{{values}, "width": 1, "height": 1, "faces": []}}\n')
    with pytest.raises(DataError, match="line 1, is not a frame"):
        list(read_recording(tmp_path / "a.jsonl"))
