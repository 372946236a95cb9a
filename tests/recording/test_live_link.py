"""Live Link Face CSV: the exact header, timecodes, resampling, frames without a face, signs."""

import csv
import math

import numpy as np
import pytest

from rdrface.errors import DataError
from rdrface.face import packaged_model
from rdrface.recording import FrameRecord, LiveLinkWriter, RecordedFace
from rdrface.recording.live_link import COLUMNS
from recorded import face_with, record
from some_face import some_face

HEADER = (
    "Timecode,BlendShapeCount,EyeBlinkLeft,EyeLookDownLeft,EyeLookInLeft,EyeLookOutLeft,EyeLookUpLeft,EyeSquintLeft,"
    "EyeWideLeft,EyeBlinkRight,EyeLookDownRight,EyeLookInRight,EyeLookOutRight,EyeLookUpRight,EyeSquintRight,"
    "EyeWideRight,JawForward,JawRight,JawLeft,JawOpen,MouthClose,MouthFunnel,MouthPucker,MouthRight,MouthLeft,"
    "MouthSmileLeft,MouthSmileRight,MouthFrownLeft,MouthFrownRight,MouthDimpleLeft,MouthDimpleRight,MouthStretchLeft,"
    "MouthStretchRight,MouthRollLower,MouthRollUpper,MouthShrugLower,MouthShrugUpper,MouthPressLeft,MouthPressRight,"
    "MouthLowerDownLeft,MouthLowerDownRight,MouthUpperUpLeft,MouthUpperUpRight,BrowDownLeft,BrowDownRight,BrowInnerUp,"
    "BrowOuterUpLeft,BrowOuterUpRight,CheekPuff,CheekSquintLeft,CheekSquintRight,NoseSneerLeft,NoseSneerRight,TongueOut,"
    "HeadYaw,HeadPitch,HeadRoll,LeftEyeYaw,LeftEyePitch,LeftEyeRoll,RightEyeYaw,RightEyePitch,RightEyeRoll"
)
"""Of recordings of the app."""


def write(folder, frames, **options):
    writer = LiveLinkWriter(folder, "clip", **options)
    for frame in frames:
        writer.write(frame)
    writer.close()
    return writer.paths


def rows(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def test_layout_of_the_file(tmp_path):
    (path,) = write(tmp_path, [record(i) for i in range(50)])
    assert path == tmp_path / "clip_1_Person1.csv" and [one.name for one in tmp_path.iterdir()] == [path.name]
    content = path.read_bytes().decode()
    header, *lines = content.splitlines()
    assert header == HEADER and "\r" not in content and content.endswith("\n")
    assert all(len(line.split(",")) == 63 and "" not in line.split(",") for line in lines)
    first = rows(path)[0]
    assert first["Timecode"] == "00:00:00:00.000" and first["BlendShapeCount"] == "61"
    assert first["JawOpen"] == "0.4000000060" and first["MouthClose"] == "0.0000000000"
    assert all(len(value.rpartition(".")[2]) == 10 for name, value in first.items() if name in COLUMNS[2:])


def test_each_of_our_shapes_has_its_column_and_the_gaze_is_zero(tmp_path):
    names = packaged_model().expression_names
    columns = {f"{name[0].upper()}{name[1:]}" for name in names}
    assert columns < set(COLUMNS) and len(columns) == 46
    face = face_with()
    face.parameters.expression[:] = [0.01 * (i + 1) for i in range(46)]
    (path,) = write(tmp_path, [FrameRecord(0, 0.0, 320, 240, [RecordedFace(1, face)])])
    row = rows(path)[0]
    for i, name in enumerate(names):
        column = f"{name[0].upper()}{name[1:]}"
        assert float(row[column]) == pytest.approx(0 if "EyeLook" in column else 0.01 * (i + 1))
    assert {row[name] for name in COLUMNS if "EyeYaw" in name or "EyePitch" in name or "EyeRoll" in name} == {
        "0.0000000000"
    }


@pytest.mark.parametrize(("rate", "numbers"), [(30, ["00", "02", "04", "06"]), (60, ["00", "01", "02", "03"])])
def test_timecodes_count_60_frames_a_second(tmp_path, rate, numbers):
    (path,) = write(tmp_path, [record(i, time=3725 + i / 25) for i in range(50)], rate=rate)
    codes = [row["Timecode"] for row in rows(path)]
    assert codes[:4] == [f"01:02:05:{number}.000" for number in numbers]
    # Unreal Engine takes the clock for one of 30 frames a second if no number exceeds 30.
    assert max(int(code[9:11]) for code in codes) == 60 - 60 // rate
    assert len(codes) == pytest.approx(2 * rate, abs=3)


def test_a_short_file_is_continued_without_a_face_until_its_clock_is_clear(tmp_path):
    (path,) = write(tmp_path, [record(i) for i in range(3)], rate=60)
    found = rows(path)
    assert found[-1]["Timecode"] == "00:00:00:31.000"
    assert [row["BlendShapeCount"] for row in found] == ["61"] * 5 + ["0"] * 27


def test_values_are_interpolated_between_variable_times(tmp_path):
    frames = [record(0, time=0.0, jaw_open=0.0), record(1, time=0.1, jaw_open=0.3), record(2, time=1.1, jaw_open=0.8)]
    (path,) = write(tmp_path, frames, rate=60)
    for i, row in enumerate(rows(path)[:67]):
        time = i / 60
        expected = 3 * time if time <= 0.1 else 0.3 + 0.5 * (time - 0.1)
        assert float(row["JawOpen"]) == pytest.approx(expected, abs=1e-6)


def test_rows_without_a_face_have_a_count_of_zero_and_as_many_cells(tmp_path):
    frames = [record(i, (1,) if i < 25 or i >= 50 else ()) for i in range(75)]
    (path,) = write(tmp_path, frames)
    found = rows(path)
    assert len(found) == pytest.approx(89, abs=1)
    without = [i for i, row in enumerate(found) if row["BlendShapeCount"] == "0"]
    assert without == list(range(29, 60))
    assert set(list(found[40].values())[2:]) == {"0.0000000000"} and None not in found[40]


def test_each_person_has_a_file_that_starts_with_the_person(tmp_path):
    frames = [record(i, (1,) if i < 50 else (1, 2)) for i in range(100)]
    first, second = write(tmp_path, frames, take=7)
    assert (first.name, second.name) == ("clip_7_Person1.csv", "clip_7_Person2.csv")
    assert rows(second)[0]["Timecode"] == "00:00:02:00.000" and rows(second)[0]["BlendShapeCount"] == "61"


def test_head_angles_are_radians_with_the_documented_signs(tmp_path):
    face = face_with()  # yaw to the image's left: the person's right; pitch down
    assert face.pose.yaw < 0 < face.pose.pitch and face.pose.roll > 0
    frame = FrameRecord(0, 0.0, 320, 240, [RecordedFace(1, face)])
    row = rows(write(tmp_path, [frame])[0])[0]
    assert float(row["HeadYaw"]) == pytest.approx(-math.radians(face.pose.yaw))
    assert float(row["HeadPitch"]) == pytest.approx(-math.radians(face.pose.pitch))
    assert float(row["HeadRoll"]) == pytest.approx(-math.radians(face.pose.roll))
    flipped = rows(write(tmp_path, [frame], flipped=("roll", "yaw"))[0])[0]
    assert float(flipped["HeadRoll"]) > 0 > float(flipped["HeadYaw"]) and flipped["HeadPitch"] == row["HeadPitch"]


def test_underscores_of_the_video_do_not_divide_the_name(tmp_path):
    writer = LiveLinkWriter(tmp_path, "my_clip_2")
    writer.write(record(0))
    writer.close()
    assert [path.name for path in writer.paths] == ["my-clip-2_1_Person1.csv"]


def test_rows_are_in_the_file_when_write_returns(tmp_path):
    writer = LiveLinkWriter(tmp_path, "clip")
    for i in range(5):
        writer.write(record(i))
    writer.stop()
    (path,) = tmp_path.iterdir()
    assert path.name == "clip_1_Person1.partial.csv" and len(rows(path)) == 5


def test_wrong_options_are_errors(tmp_path):
    with pytest.raises(ValueError, match="30 or 60"):
        LiveLinkWriter(tmp_path, "clip", rate=25)
    with pytest.raises(ValueError, match="yaw, pitch, roll"):
        LiveLinkWriter(tmp_path, "clip", flipped=["tilt"])


def test_a_file_that_cannot_be_completed_does_not_keep_back_the_others(tmp_path):
    writer = LiveLinkWriter(tmp_path, "clip")
    writer.write(record(0, (1, 2)))
    (tmp_path / "clip_1_Person1.csv").mkdir()
    with pytest.raises(DataError, match=r"clip_1_Person1\.csv"):
        writer.close()
    assert (tmp_path / "clip_1_Person2.csv").is_file()


def test_angles_are_interpolated_the_short_way(tmp_path):
    """An upside-down head whose roll passes 180 degrees."""
    turns = [np.radians(179.5), np.radians(-179.5), np.radians(179.5)]
    frames = []
    for i, roll in enumerate(turns):
        face = some_face(angles=(0.0, 0.0, roll))
        frames.append(FrameRecord(i, i / 25, 320, 240, [RecordedFace(1, face)]))
    (path,) = write(tmp_path, frames)
    found = np.array([float(row["HeadRoll"]) for row in rows(path) if row["BlendShapeCount"] != "0"])
    assert len(found) >= 3 and np.abs(np.cos(found) + 1).max() < 1e-3
