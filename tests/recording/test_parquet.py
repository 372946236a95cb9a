"""Parquet: one row per face and frame, read again, also the parts of a process that was killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rdrface.errors import DataError
from rdrface.recording import FrameRecord, ParquetWriter, RecordedFace, parquet, read_recording
from recorded import assert_same, face_with, record


def write(path, frames):
    writer = ParquetWriter(path, "a.mp4")
    for frame in frames:
        writer.write(frame)
    writer.close()


def test_rows_are_faces_and_are_read_again_exactly(tmp_path):
    frames = [record(0), record(1, ()), record(2, (1, 3)), record(5, (3,), time=0.2031)]
    write(tmp_path / "a.parquet", frames)
    table = pq.read_table(tmp_path / "a.parquet")
    assert table["frame"].to_pylist() == [0, 2, 2, 5] and table["id"].to_pylist() == [1, 1, 3, 3]
    assert table.schema.field("landmarks").type == pa.list_(pa.float32(), 136)
    landmarks = table["landmarks"].combine_chunks().flatten().to_numpy().reshape(-1, 68, 2)
    np.testing.assert_array_equal(landmarks[0], frames[0].faces[0].face.landmarks)
    assert table["jawOpen"].to_pylist() == pytest.approx([0.4] * 4)
    metadata = pq.read_metadata(tmp_path / "a.parquet").metadata
    assert metadata[b"num_frames"] == b"4" and metadata[b"video"] == b"a.mp4" and b"rdrface" in metadata
    expected = [frame for frame in frames if frame.faces]
    for found, one in zip(read_recording(tmp_path / "a.parquet"), expected, strict=True):
        assert_same(found, one, pixels=0)
    assert [path.name for path in tmp_path.iterdir()] == ["a.parquet"]


def test_every_column_is_documented():
    text = (Path(__file__).parents[2] / "docs" / "video.md").read_text()
    names = [name for name in parquet.schema(3).names if name not in face_with().blendshapes]
    assert [name for name in names if f"`{name}`" not in text] == []


def test_a_video_without_a_face_gives_a_file_without_rows(tmp_path):
    write(tmp_path / "a.parquet", [record(0, ()), record(1, ())])
    assert pq.read_table(tmp_path / "a.parquet").num_rows == 0
    assert list(read_recording(tmp_path / "a.parquet")) == []


def test_custom_landmarks_have_a_column(tmp_path):
    face = face_with(custom_landmarks=np.arange(6, dtype=np.float32).reshape(3, 2))
    write(tmp_path / "a.parquet", [FrameRecord(0, 0.0, 320, 240, [RecordedFace(1, face)])])
    (frame,) = read_recording(tmp_path / "a.parquet")
    np.testing.assert_array_equal(frame.faces[0].face.custom_landmarks, face.custom_landmarks)


def test_many_parts_become_large_row_groups(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "_PART_ROWS", 3)
    monkeypatch.setattr(parquet, "_GROUP_ROWS", 10)
    writer = ParquetWriter(tmp_path / "a.parquet")
    for i in range(40):
        writer.write(record(i))
        # What waits in memory is bounded.
        assert len(writer._rows) < 3
    # The parts can be read as one data set by other software.
    assert pq.read_table(tmp_path / "a.partial.parquet").num_rows == 39
    writer.close()
    assert pq.read_metadata(tmp_path / "a.parquet").num_row_groups == 4
    assert pq.read_table(tmp_path / "a.parquet")["frame"].to_pylist() == list(range(40))


def test_an_existing_file_is_replaced_only_at_the_end_and_old_parts_at_once(tmp_path):
    (tmp_path / "a.parquet").write_text("old")
    (tmp_path / "a.partial.parquet").mkdir()
    (tmp_path / "a.partial.parquet" / "part-000009.parquet").write_text("old")
    writer = ParquetWriter(tmp_path / "a.parquet")
    writer.write(record(0))
    assert (tmp_path / "a.parquet").read_text() == "old"
    writer.stop()
    assert len(list(read_recording(tmp_path / "a.partial.parquet"))) == 1


def test_a_killed_process_leaves_all_but_the_last_seconds(tmp_path):
    code = f"""
import sys, time
sys.path.insert(0, {str(Path(__file__).parents[1] / "shared")!r})
from recorded import record
from rdrface.recording import ParquetWriter, parquet
parquet._PART_SECONDS = 0.05
writer = ParquetWriter(__import__("pathlib").Path({str(tmp_path / "a.parquet")!r}))
print("ready", flush=True)
for i in range(100_000):
    writer.write(record(i))
    print(i, flush=True)
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    last, end = -1, time.monotonic() + 1.5
    while time.monotonic() < end or last < 50:
        last = int(process.stdout.readline())
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert not (tmp_path / "a.parquet").exists()
    found = [frame.index for frame in read_recording(tmp_path / "a.partial.parquet")]
    assert found == list(range(len(found))) and len(found) > last / 2
    assert pq.read_table(tmp_path / "a.partial.parquet").num_rows == len(found)


def test_other_files_are_clear_errors(tmp_path):
    (tmp_path / "a.parquet").write_text("text")
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        list(read_recording(tmp_path / "a.parquet"))
    pq.write_table(pa.table({"x": [1]}), tmp_path / "b.parquet")
    with pytest.raises(DataError, match="not a recording"):
        list(read_recording(tmp_path / "b.parquet"))


def change(path, name, column):
    table = pq.read_table(path)
    return table.set_column(table.column_names.index(name), name, column)


def test_lists_of_any_length_as_other_programs_write_them(tmp_path):
    write(tmp_path / "a.parquet", [record(0), record(1)])
    table = pq.read_table(tmp_path / "a.parquet")
    columns = {
        name: column.cast(pa.list_(column.type.value_type)) if pa.types.is_fixed_size_list(column.type) else column
        for name, column in zip(table.column_names, table.columns, strict=True)
    }
    pq.write_table(pa.table(columns), tmp_path / "b.parquet")
    for found, expected in zip(read_recording(tmp_path / "b.parquet"), [record(0), record(1)], strict=True):
        assert_same(found, expected, 0)


@pytest.mark.parametrize(
    ("name", "column", "message"),
    [
        ("landmarks", pa.array([None, None], pa.list_(pa.float32(), 136)), "landmarks must have 136 numbers per row"),
        ("landmarks", pa.array([[1.0], [2.0]]), "landmarks must have 136 numbers per row"),
        ("score", pa.array(["a", "b"]), "score must be numbers"),
        ("score", pa.array([None, None], pa.float32()), "score must be numbers"),
        ("time", pa.array([float("nan")] * 2), "time must be finite; got nan"),
        ("id", pa.array([None, None], pa.int32()), "is not a recording"),
    ],
)
def test_columns_that_another_program_has_changed_are_errors(tmp_path, name, column, message):
    write(tmp_path / "a.parquet", [record(0), record(1)])
    pq.write_table(change(tmp_path / "a.parquet", name, column), tmp_path / "b.parquet")
    with pytest.raises(DataError, match=message):
        list(read_recording(tmp_path / "b.parquet"))
