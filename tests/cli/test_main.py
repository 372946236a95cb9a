"""The command line end to end. Most tests use a synthetic face, some the real network."""

import argparse
import csv
import importlib
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rdrface import Face
from rdrface.cli.main import COMMANDS, main
from rdrface.loading import PACKAGED_WEIGHTS
from some_face import some_face


def test_printed_summary(fake_aligner, images, capsys):
    assert main(["detect", "gray.png", "black.png"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out == (
        "gray.png: 1 face\n"
        "  0: box 110 70 210 170, score 0.75, yaw -21.4, pitch +10.1, roll +10.7, 60 of 68 points visible, "
        "expected error 5.5 % of the face size\n"
        "black.png: 0 faces\n"
        "2 photos, 1 face, 1 without a face, 0 skipped, 0 failed, 0 dropped\n"
    )


def test_json_output(fake_aligner, images, capsys):
    assert main(["detect", "black.png", "gray.png", "none.png", "--json", "-"]) == 1
    out, err = capsys.readouterr()
    assert err == ("rdrface: no file at none.png\n2 photos, 1 face, 1 without a face, 0 skipped, 1 failed, 0 dropped\n")
    content = json.loads(out)
    assert content.keys() == {"rdrface", "images", "failed", "skipped"}
    black, gray = content["images"]
    assert black == {"image": "black.png", "width": 32, "height": 24, "dropped": 0, "faces": []}
    assert (gray["image"], gray["width"], gray["height"]) == ("gray.png", 320, 240)
    face = Face.from_dict(gray["faces"][0])
    np.testing.assert_array_equal(face.landmarks, some_face().landmarks)
    assert content["failed"] == [{"image": "none.png", "error": "no file at none.png"}]


def test_csv_output(fake_aligner, images):
    assert main(["detect", "black.png", "gray.png", "--csv", "faces.csv"]) == 0
    empty, row = csv.DictReader(Path("faces.csv").read_text().splitlines())
    assert (empty["image"], empty["status"], empty["face"], empty["x0"]) == ("black.png", "no face", "", "")
    face = some_face()
    assert (row["status"], row["dropped"], row["expected_error"], row["error"]) == ("face", "0", "5.5000", "")
    assert (row["image"], row["face"], row["score"], row["yaw"]) == ("gray.png", "0", "0.7500", "-21.4411")
    assert [row[f"box_{name}"] for name in ("x0", "y0", "x1", "y1")] == ["110.0000", "70.0000", "210.0000", "170.0000"]
    points = [[float(row[f"x{i}"]), float(row[f"y{i}"])] for i in range(68)]
    np.testing.assert_allclose(points, face.landmarks, atol=1e-4)
    assert float(row["visibility12"]) == 0.125 and float(row["uncertainty0"]) == 1


def test_output_files_of_each_image(fake_aligner, images):
    assert main(["detect", "gray.png", "black.png", "-o", "out", "--draw", "--mesh", "--format", "ply"]) == 0
    names = sorted(path.name for path in Path("out").iterdir())
    assert names == ["black.json", "black.overlay.jpg", "gray.face0.ply", "gray.json", "gray.overlay.jpg"]
    drawn = np.asarray(Image.open("out/gray.overlay.jpg"))
    assert drawn.shape == (240, 320, 3) and (np.abs(drawn.astype(int) - 90) > 40).any()
    assert json.loads(Path("out/gray.json").read_text())["image"] == "gray.png"


def test_files_are_only_overwritten_with_the_option_overwrite(fake_aligner, images, capsys):
    assert main(["detect", "gray.png", "-o", "out", "--json", "all.json"]) == 0
    Path("out/gray.json").write_text("mine")
    Path("all.json").write_text("mine")
    assert main(["detect", "gray.png", "--json", "all.json"]) == 2
    assert main(["detect", "gray.png", "black.png", "-o", "out"]) == 1
    assert "exists" in capsys.readouterr().err
    assert Path("all.json").read_text() == Path("out/gray.json").read_text() == "mine"
    assert Path("out/black.json").is_file()
    assert main(["detect", "gray.png", "-o", "out", "--json", "all.json", "--overwrite"]) == 0
    assert json.loads(Path("all.json").read_text())["images"]


def test_an_input_image_is_never_overwritten(fake_aligner, images):
    Image.new("RGB", (320, 240), (90, 90, 90)).save("gray.overlay.jpg")
    before = Path("gray.overlay.jpg").read_bytes()
    assert main(["detect", "gray.png", "gray.overlay.jpg", "-o", ".", "--draw", "--overwrite"]) == 1
    assert Path("gray.overlay.jpg").read_bytes() == before


def test_images_with_the_same_name_have_different_outputs(fake_aligner, images):
    for folder in ("a", "b/deep"):
        Path(folder).mkdir(parents=True)
        Image.new("RGB", (40, 40)).save(f"{folder}/gray.png")
    Image.new("RGB", (20, 20)).save("GRAY.jpg")
    assert main(["detect", "gray.png", "GRAY.jpg", "a/gray.png", "b", "a", "gray.png", "-o", "out"]) == 0
    written = {p.relative_to("out").as_posix(): json.loads(p.read_text())["image"] for p in Path("out").rglob("*.json")}
    assert written == {
        "gray.png.json": "gray.png",
        "GRAY.jpg.json": "GRAY.jpg",
        "gray.png-2.json": str(Path("a/gray.png")),
        "deep/gray.json": str(Path("b/deep/gray.png")),
    }


def test_boxes_from_a_file(fake_aligner, images, capsys):
    Path("boxes.csv").write_text("image,x0,y0,x1,y1\ngray.png,100,100,150,150\n")
    assert main(["detect", "gray.png", "black.png", "--boxes", "boxes.csv", "--json", "-"]) == 1
    out, err = capsys.readouterr()
    assert err.startswith("rdrface: the box file has no entry for black.png\n")
    (image,) = json.loads(out)["images"]
    assert len(image["faces"]) == 1


def test_missing_weights_and_box_files_are_named(images, capsys):
    assert main(["detect", "gray.png", "--weights", "none.safetensors", "--json", "all.json"]) == 1
    assert "none.safetensors" in capsys.readouterr().err
    assert main(["detect", "gray.png", "--boxes", "none.csv", "--json", "all.json"]) == 1
    assert "no box file at none.csv" in capsys.readouterr().err
    assert not Path("all.json").exists()


def test_a_missing_extra_is_named(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "rdrface.cli.train", None)
    monkeypatch.setattr("rdrface.cli.main.importlib.import_module", _no_torch)
    assert main(["train", "--config", "x"]) == 2
    assert "pip install 'rdrface[train]'" in capsys.readouterr().err


def _no_torch(name: str):
    raise ModuleNotFoundError("No module named 'torch'", name="torch")


@pytest.mark.parametrize("command", ["fit", "finetune", "train"])
def test_every_command_calls_its_output_the_same(command):
    if command != "fit":
        pytest.importorskip("torch")
    parser = argparse.ArgumentParser()
    importlib.import_module(COMMANDS[command].module).add_arguments(parser)
    arguments = {"fit": ["300w", "DIR"], "finetune": ["DIR"], "train": []}[command]
    for option in ("-o", "--output", "--out"):
        assert parser.parse_args([*arguments, option, "x"]).out == Path("x")
    assert "--out " not in parser.format_help()


def test_help_lists_every_command(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    out = capsys.readouterr().out
    assert all(name in out for name in COMMANDS)


@pytest.fixture(scope="module")
def mixed_folder(tmp_path_factory) -> Path:
    """Images in many formats, and files that are not images."""
    pixels = pytest.importorskip("skimage.data").astronaut()
    folder = tmp_path_factory.mktemp("mixed")
    image = Image.fromarray(pixels)
    image.save(folder / "photo.jpg", quality=95)
    image.convert("CMYK").save(folder / "cmyk.jpg", quality=95)
    Image.fromarray(np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])).save(folder / "rgba.png")
    Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257).save(folder / "gray16.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    image.transpose(Image.Transpose.ROTATE_90).save(folder / "rotated.jpg", exif=exif, quality=95)
    Image.new("RGB", (1, 1)).save(folder / "one-pixel.png")
    Image.fromarray(pixels[330:, 330:]).save(folder / "no-face.png")
    (folder / "broken.jpg").write_bytes((folder / "photo.jpg").read_bytes()[:20_000])
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "text.jpg").write_text("this is not an image")
    return folder


def test_a_folder_of_mixed_files_end_to_end(mixed_folder, tmp_path):
    """In a new process, with the real detector and network: broken files are named, all others give the same face."""
    target = tmp_path / "all.json"
    command = [sys.executable, "-m", "rdrface", "detect", str(mixed_folder), "--json", str(target)]
    done = subprocess.run(
        [*command, "--weights", str(PACKAGED_WEIGHTS), "--threads", "1"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    summary = "7 photos, 5 faces, 2 without a face, 0 skipped, 3 failed, 0 dropped"
    assert done.stdout.splitlines() == [summary, f"written: {target}"]
    lines = done.stderr.splitlines()
    assert len(lines) == 3
    for line, name in zip(lines, ("broken.jpg", "empty.jpg", "text.jpg"), strict=True):
        assert line.startswith("rdrface: ") and line.count(name) == 1
    content = json.loads(target.read_text())
    faces = {Path(image["image"]).name: image["faces"] for image in content["images"]}
    assert {Path(failed["image"]).name for failed in content["failed"]} == {"broken.jpg", "empty.jpg", "text.jpg"}
    assert faces.pop("one-pixel.png") == faces.pop("no-face.png") == []
    assert set(faces) == {"photo.jpg", "cmyk.jpg", "rgba.png", "gray16.png", "rotated.jpg"}
    boxes = np.array([[face["box"] for face in detected] for detected in faces.values()])
    assert boxes.shape == (5, 1, 4)
    np.testing.assert_allclose(boxes, np.broadcast_to(boxes[:1], boxes.shape), atol=6)


def test_standard_input_and_output(mixed_folder):
    command = [sys.executable, "-m", "rdrface", "detect", "-", "--json", "-", "--weights", str(PACKAGED_WEIGHTS)]
    done = subprocess.run(command, input=(mixed_folder / "photo.jpg").read_bytes(), capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    (image,) = json.loads(done.stdout)["images"]
    assert image["image"] == "-" and len(image["faces"]) == 1
    for content, message in ((b"", b"empty"), (b"text", b"not an image")):
        done = subprocess.run(command, input=content, capture_output=True, check=False)
        assert done.returncode == 1 and message in done.stderr
        assert json.loads(done.stdout)["images"] == []


def test_bench_prints_all_measurements(capsys, monkeypatch):
    arguments = ["bench", "--threads", "1", "--repeats", "1", "--weights", str(PACKAGED_WEIGHTS)]
    assert main(arguments) == 0
    table = capsys.readouterr().out
    for label in ("detector, ms", "crop, ms", "network, ms", "face, ms", "cold start", "peak memory"):
        assert label in table
    assert "face: assembling a Face" in table and "mesh on demand: Face.mesh()" in table
    monkeypatch.setitem(sys.modules, "skimage", None)  # without scikit-image, a generated image is used
    assert main([*arguments, "--json", "-"]) == 0
    (result,) = json.load(io.StringIO(capsys.readouterr().out))["results"]
    assert result["threads"] == 1 and result["network_ms"] > 0 and result["start_s"] > result["load_s"] > 0
    assert main(["bench", "--repeats", "0"]) == 2


def test_export_refuses_folders_without_a_run_and_existing_files(images, capsys):
    pytest.importorskip("torch")
    assert main(["export", "nothing", "-o", "a.safetensors"]) == 2
    assert "no checkpoint" in capsys.readouterr().err
    Path("checkpoint.pt").write_bytes(b"no checkpoint")
    assert main(["export", ".", "-o", "a.safetensors"]) == 2
    err = capsys.readouterr().err
    assert "checkpoint.pt is not a checkpoint of `rdrface train`, or is damaged\n" in err and err.count("\n") == 1
    assert main(["export", "gray.png", "-o", "a.safetensors"]) == 2
    assert "gray.png is not a checkpoint of `rdrface train`, or is damaged\n" in capsys.readouterr().err
    assert main(["export", ".", "-o", "a.onnx"]) == 2
    Path("a.safetensors").write_bytes(b"mine")
    assert main(["export", ".", "-o", "a.safetensors"]) == 2
    assert "exists" in capsys.readouterr().err
    assert Path("a.safetensors").read_bytes() == b"mine"
