"""Invalid options of `rdrface detect`: they are reported before the work."""

from pathlib import Path

import pytest

from rdrface.cli.main import main


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["detect"],
        ["detect", "gray.png", "--draw"],
        ["detect", "gray.png", "--mesh"],
        ["detect", "gray.png", "--json", "-", "--csv", "-"],
        ["detect", "gray.png", "--score", "2"],
        ["detect", "gray.png", "--threads", "0"],
        ["detect", "gray.png", "--format", "stl"],
        ["detect", "gray.png", "-o", "black.png"],
        ["detect", "gray.png", "--draw-mesh"],
        ["detect", "gray.png", "--skip-existing"],
        ["detect", "gray.png", "--max-side", "0"],
        ["detect", "gray.png", "--max-uncertainty", "0"],
        ["detect", "gray.png", "--max-uncertainty", "nan"],
        ["detect", "gray.png", "--order", "random"],
        ["detect", "gray.png", "--boxes", "boxes.csv", "--order", "size"],
        ["detect", "gray.png", "--boxes", "boxes.csv", "--max-uncertainty", "none"],
        ["detect", "gray.png", "--json", "gray.png", "--overwrite"],
        ["detect", "gray.png", "--json", "out", "--csv", "out"],
    ],
)
def test_invalid_usage_exits_with_status_2(fake_aligner, images, capsys, arguments):
    try:
        status = main(arguments)
    except SystemExit as error:  # raised by argparse
        status = error.code
    assert status == 2
    assert "rdrface" in capsys.readouterr().err
    assert sorted(path.name for path in images.iterdir()) == ["black.png", "gray.png"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--draw"], "--draw needs -o: it writes files into that folder"),
        (["--skip-existing"], "--skip-existing needs -o: it skips images with a result in that folder"),
        (["--boxes", "boxes.csv", "--order", "size"], "--order has no effect with --boxes; remove it"),
        (["--max-side", "abc"], "--max-side: must be a whole number of pixels, 32 or more; got abc"),
        (["--max-side", "5"], "--max-side: must be a whole number of pixels, 32 or more; got 5"),
        (["--format", "ply"], "--format has no effect without --mesh; add --mesh, or remove it"),
        (["--overwrite"], "--overwrite has no effect without an output file"),
        (["--overwrite", "--json", "-"], "--overwrite has no effect without an output file"),
        (["--threads", "0"], "--threads: must be a whole number of at least 1; got 0"),
        (["--threads", "1.5"], "--threads: must be a whole number of at least 1; got 1.5"),
    ],
)
def test_messages_for_invalid_usage(fake_aligner, images, capsys, options, message):
    try:
        status = main(["detect", "gray.png", *options])
    except SystemExit as error:  # raised by argparse
        status = error.code
    assert status == 2
    assert message in capsys.readouterr().err


def test_a_folder_in_place_of_an_output_file_is_rejected_before_the_work(fake_aligner, images, capsys):
    Path("folder.json").mkdir()
    assert main(["detect", "gray.png", "--json", "folder.json", "--overwrite"]) == 2
    assert "folder; name a file" in capsys.readouterr().err


def test_two_outputs_are_different_files(fake_aligner, images, capsys):
    for other in ("./all.txt", str(images / "all.txt"), "folder/../all.txt"):
        assert main(["detect", "gray.png", "--json", "all.txt", "--csv", other]) == 2
        assert "cannot both go to the same file" in capsys.readouterr().err
    assert not Path("all.txt").exists()
