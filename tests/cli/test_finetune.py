"""`rdrface finetune`: its options and its error messages."""

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

from rdrface.cli.main import main

PTS = "version: 1\nn_points: 3\n{\n10.0 12.5\n20.0 12.0\n15.0 30.0\n}"


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder of three annotated images."""
    folder = tmp_path / "images"
    folder.mkdir()
    for i in range(3):
        cv2.imwrite(str(folder / f"{i}.png"), np.full((40, 40, 3), 90, np.uint8))
        (folder / f"{i}.pts").write_text(PTS)
    return folder


@pytest.fixture
def ten_images(images: Path) -> Path:
    """The folder with as many annotated images as fine-tuning needs."""
    for i in range(3, 10):
        (images / f"{i}.png").write_bytes((images / "0.png").read_bytes())
        (images / f"{i}.pts").write_text(PTS)
    return images


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        ([], 1, "contains annotations of 3 photos; fine-tuning needs at least 10"),
        (
            ["--name", "a/b"],
            2,
            "--name must be a file name without folders, of at most 200 bytes, for the weights file; got 'a/b'",
        ),
        (["--format", "aflw2000-3d", "--origin", "0"], 2, "--origin is only for --format pts"),
        (["--format", "aflw2000-3d"], 1, "contains no .mat files"),
        (["--name", "a" * 201], 2, "--name must be a file name without folders, of at most 200 bytes"),
        (["--minutes", "-1"], 2, "--minutes must be a number of 0 or more; got -1"),
        (["--minutes", "nan"], 2, "--minutes must be a number of 0 or more; got nan"),
        (["--minutes", "inf"], 2, "--minutes must be a number of 0 or more; got inf"),
    ],
)
def test_invalid_input_is_reported(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], status: int, message: str
) -> None:
    assert main(["finetune", str(images), "-o", str(tmp_path / "run"), *options]) == status
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_an_output_folder_that_cannot_be_created_is_reported_before_aligning_faces(
    ten_images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("not a folder")
    for out in (tmp_path / "file", tmp_path / "file" / "run"):
        assert main(["finetune", str(ten_images), "-o", str(out)]) == 2
        assert f"-o must be an existing folder or one that can be created; got {out}" in capsys.readouterr().err


def test_too_many_folds_are_reported_before_aligning_faces(
    ten_images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["finetune", str(ten_images), "-o", str(tmp_path / "run"), "--folds", "6"]) == 2
    assert "--folds must be from 2 to 5, half the number of photos; got 6" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_weights_that_do_not_exist_are_reported(
    ten_images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "missing.safetensors"
    assert main(["finetune", str(ten_images), "-o", str(tmp_path / "run"), "--from", str(missing)]) != 0
    assert str(missing) in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_the_contact_sheet_of_another_fine_tuning_is_not_replaced(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = tmp_path / "run" / "mine.jpg"
    sheet.parent.mkdir()
    sheet.write_text("of an earlier fine-tuning")
    assert main(["finetune", str(images), "-o", str(sheet.parent), "--name", "mine"]) == 2
    assert f"{sheet} exists; name another file or pass --overwrite" in capsys.readouterr().err
    assert sheet.read_text() == "of an earlier fine-tuning"


def test_points_outside_their_image_are_reported_before_the_fit(
    ten_images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("4.pts", "7.pts"):
        (ten_images / name).write_text(PTS.replace("0.0 1", "900.0 1").replace("15.0 30.0", "41.0 12.0"))
    assert main(["finetune", str(ten_images), "-o", str(tmp_path / "run")]) == 1
    error = capsys.readouterr().err
    assert f"outside the image in 2 of 10 annotations, the first one of {ten_images / '4.png'}" in error
