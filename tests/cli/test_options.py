"""Options that several commands share."""

import argparse
from pathlib import Path

import pytest

from rdrface.cli.main import main
from rdrface.cli.options import create_folder, positive
from rdrface.errors import ConfigError


def test_whole_numbers_of_at_least_one():
    assert positive("12") == 12
    for text in ("0", "-1", "1.5", "abc", "nan", ""):
        with pytest.raises(argparse.ArgumentTypeError, match="whole number of at least 1; got"):
            positive(text)


def test_a_folder_that_cannot_be_created(tmp_path):
    create_folder(tmp_path / "a" / "b", "no advice")
    create_folder(tmp_path / "a" / "b", "no advice")
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "f").write_text("x")
    with pytest.raises(ConfigError, match=r"folder .*f cannot be created \(.*\); choose another"):
        create_folder(tmp_path / "f", "choose another")
    with pytest.raises(ConfigError, match=r"cannot write x\.json: its folder .*f.c cannot be created"):
        create_folder(tmp_path / "f" / "c", "choose another", Path("x.json"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["bench", "--json", "earlier.json"],
        ["fit", "300w", ".", "-o", "earlier.json"],
        ["evaluate", "300w", ".", "--json", "earlier.json"],
        ["evaluate", "300w", ".", "--record", "earlier.json"],
        ["evaluate", "300w", ".", "--faces", "earlier.json"],
        ["evaluate", "expression", ".", "--json", "earlier.json"],
        ["export", ".", "-o", "weights/earlier.safetensors"],
        ["finetune", ".", "-o", ".", "--name", "earlier"],
    ],
    ids=lambda arguments: " ".join(arguments),
)
def test_no_command_replaces_a_file_without_overwrite(tmp_path, monkeypatch, capsys, arguments):
    if arguments[0] in ("export", "finetune"):
        pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weights").mkdir()
    for name in ("earlier.json", "weights/earlier.safetensors"):
        (tmp_path / name).write_text("earlier")
    assert main(arguments) == 2
    assert "exists; name another file or pass --overwrite" in capsys.readouterr().err
    assert (tmp_path / "earlier.json").read_text() == "earlier"


@pytest.mark.parametrize(
    "arguments",
    [
        ["bench", "--json"],
        ["fit", "300w", ".", "-o"],
        ["fit", "300w", ".", "-o", "fit.npz", "--worst"],
        ["evaluate", "300w", ".", "--json"],
        ["evaluate", "300w", ".", "--record"],
        ["evaluate", "300w", ".", "--faces"],
        ["evaluate", "expression", ".", "--json"],
        ["evaluate", "video", "--data", "300w=.", "--json"],
        ["evaluate", "video", "--data", "300w=.", "--sheet"],
    ],
    ids=lambda arguments: " ".join(arguments),
)
def test_a_file_that_cannot_be_written_is_reported_first(tmp_path, monkeypatch, capsys, arguments):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(Path("missing", "x.json"))
    for name, message in (
        ("folder", "cannot write folder: it is a folder; name a file"),
        (str(Path("missing", "x.json")), "x.json: its folder does not exist; create it first"),
        ("x" * 300, "cannot write xxx"),
        (str(Path("x" * 300, "x.json")), "cannot write xxx"),
        ("link", "x.json: its folder does not exist; create it first"),
    ):
        assert main([*arguments, name]) == 2
        assert message in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == {"folder", "link"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evaluate", "300w", ".", "--record", "x.txt"], "--record must end in .json or .npz or .csv; got x.txt"),
        (["fit", "300w", ".", "-o", "fit.npz", "--worst", "x.gif"], "--worst must end in .jpg or .jpeg or .png"),
        (["evaluate", "video", "--data", "300w=.", "--sheet", "x.gif"], "--sheet must end in .jpg or .jpeg or .png"),
    ],
)
def test_the_suffix_of_an_output_file_is_checked_first(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert message in capsys.readouterr().err
