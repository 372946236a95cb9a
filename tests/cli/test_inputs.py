"""Arguments of the command line become images; what is left out is named with its reason."""

import os
from pathlib import Path

import pytest

from rdrface.cli import walk
from rdrface.cli.inputs import expand


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def touch(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(b"x")


def names_of(inputs) -> list[str]:
    return [image.name.replace("\\", "/") for image in inputs.images]


def reasons_of(inputs) -> dict[str, str]:
    return {one.name.replace("\\", "/"): one.reason for one in inputs.skipped}


def test_folders_and_patterns_are_expanded_and_failures_are_reported():
    touch("more/b.JPG", "more/a.png", "more/notes.txt", "[odd].png", "black.png", "gray.png")
    inputs = expand(["more", "*.png", "[odd].png", "nothing-*.jpg", "more/notes.txt"])
    assert names_of(inputs) == ["more/a.png", "more/b.JPG", "[odd].png", "black.png", "gray.png", "more/notes.txt"]
    assert [(f.name, f.reason) for f in inputs.failures] == [("nothing-*.jpg", "the pattern matches no file")]
    assert reasons_of(inputs) == {"more/notes.txt": "not an image", "[odd].png": "file already read"}
    Path("empty").mkdir()
    assert "no images" in expand(["empty"]).failures[0].reason


def test_everything_in_a_folder_that_is_not_read_has_a_reason():
    touch("p/a.jpg", "p/b.heic", "p/clip.MOV", "p/new.jxl", "p/raw.CR2", "p/notes.txt", "p/._a.jpg", "p/.cache/x.jpg")
    touch("p/a.overlay.jpg", "p/a.face12.obj", "p/a.json", "p/sub/c.png")
    inputs = expand(["p"])
    assert names_of(inputs) == ["p/a.jpg", "p/b.heic", "p/sub/c.png"]
    assert reasons_of(inputs) == {
        "p/clip.MOV": "video",
        "p/new.jxl": "unsupported format",
        "p/raw.CR2": "unsupported format",
        "p/notes.txt": "not an image",
        "p/a.json": "not an image",
        "p/._a.jpg": "hidden",
        "p/.cache": "hidden",
        "p/a.overlay.jpg": "output of rdrface",
        "p/a.face12.obj": "output of rdrface",
    }
    assert inputs.failures == []


def test_a_folder_without_images_names_what_it_contains():
    touch("p/clip.mp4")
    (failure,) = expand(["p"]).failures
    assert "no images in this folder; there is 1 other file, such as" in failure.reason
    assert "clip.mp4 (video)" in failure.reason


def test_overlays_are_left_out_of_patterns_but_not_of_names():
    touch("a.jpg", "a.overlay.jpg")
    assert names_of(expand(["*.jpg"])) == ["a.jpg"]
    assert reasons_of(expand(["*.jpg"])) == {"a.overlay.jpg": "output of rdrface"}
    assert names_of(expand(["a.overlay.jpg"])) == ["a.overlay.jpg"]


def test_a_pattern_that_matches_folders_reads_them():
    touch("2023/a.jpg", "2024/b.jpg")
    assert names_of(expand(["20*"])) == ["2023/a.jpg", "2024/b.jpg"]
    assert names_of(expand(["**/*.jpg"])) == ["2023/a.jpg", "2024/b.jpg"]


def test_a_url_is_not_a_pattern():
    inputs = expand(["https://example.org/a.jpg?size=9"])
    assert len(inputs.images) == 1 and not inputs.failures


def test_links_are_followed_once():
    touch("elsewhere/far.jpg", "p/sub/near.jpg")
    try:
        Path("p/linked").symlink_to(Path("elsewhere").resolve(), target_is_directory=True)
        Path("p/sub/loop").symlink_to(Path("p").resolve(), target_is_directory=True)
        Path("p/sub/same.jpg").symlink_to(Path("p/sub/near.jpg").resolve())
        Path("p/broken.jpg").symlink_to("nowhere.jpg")
    except OSError:
        pytest.skip("links are not allowed here")
    inputs = expand(["p"])
    assert names_of(inputs) == ["p/broken.jpg", "p/linked/far.jpg", "p/sub/near.jpg"]
    assert reasons_of(inputs) == {"p/sub/loop": "folder already read", "p/sub/same.jpg": "file already read"}


def test_a_folder_that_cannot_be_read_is_a_failure(monkeypatch):
    touch("p/a.jpg", "p/secret/b.jpg")
    scandir = os.scandir

    def refuse(path):
        if Path(path).name == "secret":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(walk.os, "scandir", refuse)
    inputs = expand(["p"])
    assert names_of(inputs) == ["p/a.jpg"]
    (failure,) = inputs.failures
    assert "secret cannot be read: Permission denied" in failure.reason


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_named_pipe_in_a_folder_is_left_out():
    touch("p/a.jpg")
    os.mkfifo("p/b.jpg")
    assert reasons_of(expand(["p"])) == {"p/b.jpg": "device or pipe"}


def test_a_link_to_itself_and_names_that_are_too_long_are_images_that_cannot_be_read():
    touch("p/a.jpg")
    try:
        Path("p/loop.jpg").symlink_to("loop.jpg")
    except OSError:
        pytest.skip("links are not allowed here")
    assert names_of(expand(["p"])) == ["p/a.jpg", "p/loop.jpg"]
    assert names_of(expand(["p/loop.jpg", "n" * 5000])) == ["p/loop.jpg", "n" * 5000]
    assert expand(["n" * 5000 + "*"]).failures[0].reason == "the pattern matches no file"


def test_images_of_the_same_name_keep_their_suffix():
    touch("p/a.jpg", "p/a.png", "p/A.webp", "p/b.jpg", "p/a.png.jpg", "q/a.png", "r/p/b.jpg")
    images = expand(["p", "q/a.png", "r"]).images
    assert [image.output for image in images] == [
        "A.webp",
        "a.jpg",
        "a.png",
        "a.png.jpg",
        "b",
        "a.png-2",
        "p/b",
    ]
    assert set(images[1].other_outputs) == {"a"} and set(images[4].other_outputs) == {"b.jpg"}


def test_one_named_file_is_told_from_folders_and_patterns():
    touch("p/a.jpg", "[b].jpg")
    for arguments in (["p/a.jpg"], ["[b].jpg"], ["-"], ["none.jpg"]):
        assert expand(arguments).is_single_file
    for arguments in (["p"], ["p/*.jpg"], ["*.none"], ["p/a.jpg", "[b].jpg"]):
        assert not expand(arguments).is_single_file


def test_patterns_skip_the_same_files_as_folders():
    touch("p/a.jpg", "p/a.json", "p/clip.mp4", "p/a.face0.obj", "p/.b.jpg")
    inputs = expand(["p/*", "p/.*.jpg"])
    assert names_of(inputs) == ["p/a.jpg"]
    assert reasons_of(inputs) == {
        "p/a.json": "not an image",
        "p/clip.mp4": "video",
        "p/a.face0.obj": "output of rdrface",
        "p/.b.jpg": "hidden",
    }
    (failure,) = inputs.failures
    assert failure.name == "p/.*.jpg" and failure.reason.startswith("the pattern matches no image; there is 1 other")
    assert names_of(expand(["p/a.json"])) == ["p/a.json"]
