"""A run of `rdrface detect` over many files: counts, errors of single images, repeated runs, box files."""

import csv
import json
from pathlib import Path

import pytest
from PIL import Image

from csv_rows import rows
from fake_aligner import FakeAligner, use_fake_aligner, write_image
from rdrface import loading
from rdrface.alignment.selection import MAX_UNCERTAINTY
from rdrface.cli import detect
from rdrface.cli.main import main

open_aligner = detect._open


pytestmark = pytest.mark.usefixtures("folder")


def test_the_summary_counts_photos_faces_and_all_that_was_not_used(monkeypatch, capsys):
    use_fake_aligner(monkeypatch, dropped=2)
    for name in ("x.mp4", "y.mp4", "notes.txt"):
        (Path("p") / name).write_text("x")
    Path("p/bad.jpg").write_text("x")
    assert main(["detect", "p", "--json", "all.json", "--csv", "all.csv"]) == 1
    out, err = capsys.readouterr()
    assert out == (
        "3 photos, 3 faces, 1 without a face, 3 skipped, 1 failed, 6 dropped\n"
        "dropped: detections with an expected error above the limit of --max-uncertainty\n"
        f"skipped, not an image: 1 ({Path('p/notes.txt')})\n"
        f"skipped, video: 2 ({Path('p/x.mp4')}, {Path('p/y.mp4')})\n"
        "written: all.json, all.csv\n"
    )
    assert err.startswith("rdrface: ") and err.count("\n") == 1 and "bad.jpg is not an image" in err
    content = json.loads(Path("all.json").read_text())
    assert [image["dropped"] for image in content["images"]] == [2, 2, 2]
    assert {"path": str(Path("p/x.mp4")), "reason": "video"} in content["skipped"]
    table = rows("all.csv")
    assert [(Path(row["image"]).name, row["face"], row["status"]) for row in table] == [
        ("a.png", "0", "face"),
        ("b.png", "", "no face"),
        ("bad.jpg", "", "failed"),
        ("c.png", "0", "face"),
        ("c.png", "1", "face"),
    ]
    assert "not an image" in table[2]["error"] and table[1]["dropped"] == "2"


def test_the_summary_goes_to_standard_error_if_data_go_to_standard_output(capsys):
    assert main(["detect", "p", "--csv", "-"]) == 0
    out, err = capsys.readouterr()
    assert len(list(csv.DictReader(out.splitlines()))) == 4
    assert err.startswith("3 photos, 3 faces")


@pytest.mark.parametrize("arguments", [["one"], ["one/*.png"]])
def test_a_summary_is_printed_for_a_folder_or_pattern_with_one_image(capsys, arguments):
    write_image("one/a.png")
    assert main(["detect", *arguments]) == 0
    assert capsys.readouterr().out.endswith("\n1 photo, 1 face, 0 skipped, 0 failed, 0 dropped\n")
    assert main(["detect", "one/a.png"]) == 0
    assert "1 photo" not in capsys.readouterr().out


def test_an_image_with_a_damaged_header_does_not_end_the_run(capsys):
    Path("p/b.ppm").write_bytes(b"P6\n25l 40\n255\n")
    Path("p/b.png").unlink()
    assert main(["detect", "p", "--json", "all.json"]) == 1
    assert f"{Path('p/b.ppm')} is damaged or truncated" in capsys.readouterr().err
    images = json.loads(Path("all.json").read_text())["images"]
    assert [Path(image["image"]).name for image in images] == ["a.png", "c.png"]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            RuntimeError("Exception from infer.cpp:\n  shape mismatch"),
            "b.png: cannot be processed: Exception from infer",
        ),
        (MemoryError(), "b.png: not enough memory"),
    ],
)
def test_an_error_of_the_inference_backend_does_not_end_the_run(monkeypatch, capsys, error, message):
    class Failing(FakeAligner):
        def detect_with_dropped(self, image):
            if image[0, 0, 0] == 0:
                raise error
            return super().detect_with_dropped(image)

    monkeypatch.setattr(detect, "_open", lambda args: Failing())
    assert main(["detect", "p", "--json", "all.json"]) == 1
    err = capsys.readouterr().err
    assert message in err and err.count("\n") == 1
    assert len(json.loads(Path("all.json").read_text())["images"]) == 2


def test_the_outputs_of_a_run_are_not_photos_of_the_next():
    command = ["detect", "p", "-o", "p", "--draw", "--mesh", "--json", "all.json", "--overwrite"]
    for _ in range(2):
        assert main(command) == 0
        content = json.loads(Path("all.json").read_text())
        assert [Path(image["image"]).name for image in content["images"]] == ["a.png", "b.png", "c.png"]
    reasons = {Path(one["path"]).name: one["reason"] for one in content["skipped"]}
    assert reasons["a.overlay.jpg"] == reasons["c.face1.obj"] == "output of rdrface"


def test_the_first_frame_of_several_is_named(capsys):
    frames = [Image.new("RGB", (32, 24), (i, 90, 90)) for i in (1, 2, 0)]
    frames[0].save("pages.tif", save_all=True, append_images=frames[1:])
    assert main(["detect", "pages.tif", "p/a.png", "--json", "-"]) == 0
    out, err = capsys.readouterr()
    assert "rdrface: pages.tif: frame 1 of 3; the others are not read\n" in err
    pages, single = json.loads(out)["images"]
    assert (pages["frame"], pages["frames"]) == (1, 3) and "frames" not in single


def test_box_files_must_belong_to_the_images(capsys):
    write_image("q/a.png")
    Path("boxes.json").write_text('{"a.png": [[20, 20, 90, 90]], "other.png": []}')
    assert main(["detect", "p/a.png", "q/a.png", "--boxes", "boxes.json"]) == 1
    assert "one entry, a.png, for the images p/a.png and q/a.png" in capsys.readouterr().err
    assert main(["detect", "p/a.png", "--boxes", "boxes.json"]) == 0
    assert "no image for 1 entry of the box file, such as other.png" in capsys.readouterr().err
    Path("boxes.json").write_text('{"a.png": [[420, 20, 490, 90]]}')
    assert main(["detect", "p/a.png", "--boxes", "boxes.json"]) == 1
    assert "outside the image of 320 x 240 pixels" in capsys.readouterr().err


def test_the_csv_and_the_json_of_a_run_are_box_files():
    assert main(["detect", "p", "--csv", "faces.csv", "--json", "faces.json"]) == 0
    for name in ("faces.csv", "faces.json"):
        assert main(["detect", "p", "--boxes", name, "--json", "again.json", "--overwrite"]) == 0
        first, again = (json.loads(Path(file).read_text())["images"] for file in ("faces.json", "again.json"))
        assert [[face["box"] for face in image["faces"]] for image in again] == [
            [face["box"] for face in image["faces"]] for image in first
        ]


def test_options_of_the_detector_reach_the_aligner(monkeypatch):
    calls = []
    monkeypatch.setattr(detect, "_open", open_aligner)
    monkeypatch.setattr(loading, "load", lambda weights, **options: calls.append(options) or FakeAligner())
    image = "p/a.png"
    assert main(["detect", image]) == 0
    options = ["--max-side", "3840", "--max-uncertainty", "none", "--order", "left_to_right", "--score", "0.3"]
    assert main(["detect", image, *options]) == 0
    assert main(["detect", image, "--max-uncertainty", "20"]) == 0
    chosen = [{key: call[key] for key in ("max_side", "max_uncertainty", "order", "score_threshold")} for call in calls]
    assert chosen == [
        {"max_side": None, "max_uncertainty": MAX_UNCERTAINTY, "order": "score", "score_threshold": None},
        {"max_side": 3840, "max_uncertainty": None, "order": "left_to_right", "score_threshold": 0.3},
        {"max_side": None, "max_uncertainty": 20, "order": "score", "score_threshold": None},
    ]


def test_a_folder_without_images_is_named(capsys):
    Path("t1").mkdir()
    Path("t1/notes.txt").write_text("x")
    assert main(["detect", "p/a.png", "t1"]) == 1
    err = capsys.readouterr().err
    assert err.startswith(
        f"rdrface: t1: no images in this folder; there is 1 other file, such as {Path('t1/notes.txt')}"
    )


def test_small_faces_may_be_missed_in_large_images(capsys):
    Image.new("RGB", (3840, 2160), (0, 90, 90)).save("row.png")
    assert main(["detect", "row.png"]) == 0
    hint = "(searched at 1280 of 3840 pixels; --max-side 3840 finds smaller faces)"
    assert capsys.readouterr().out == f"row.png: 0 faces {hint}\n"
    assert main(["detect", "row.png", "--max-side", "3840"]) == 0
    assert capsys.readouterr().out == "row.png: 0 faces\n"
    assert main(["detect", "row.png", "p/b.png", "--json", "all.json"]) == 0
    line = "without a face, searched at a reduced size: 1 (row.png); a larger --max-side finds smaller faces\n"
    assert line in capsys.readouterr().out
    Path("boxes.json").write_text('{"row.png": []}')
    assert main(["detect", "row.png", "--boxes", "boxes.json"]) == 0
    assert capsys.readouterr().out == "row.png: 0 faces\n"
