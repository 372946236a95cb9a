"""The files of each image: their names, repeated and resumed runs, files that must not be replaced."""

import json
from pathlib import Path

import pytest

from csv_rows import rows
from fake_aligner import write_image
from glb_file import GLBFile
from rdrface.cli import detect
from rdrface.cli.main import main

pytestmark = pytest.mark.usefixtures("folder")


def test_a_run_that_finds_fewer_faces_leaves_no_files_of_the_run_before():
    Path("out").mkdir()
    others = ["a.face1.txt", "a.face1.obj.bak", "c.facet.obj", "c.face.obj", "xc.face1.obj", "a.face1.png"]
    for name in others:
        (Path("out") / name).write_text("mine")
    assert main(["detect", "p", "-o", "out", "--mesh", "--draw"]) == 0
    assert Path("out/c.face1.obj").is_file()
    write_image("p/c.png", 1)
    assert main(["detect", "p", "-o", "out", "--mesh", "--format", "ply", "--overwrite"]) == 0
    names = {path.name for path in Path("out").iterdir()}
    assert names == {"a.json", "b.json", "c.json", "a.face0.ply", "c.face0.ply", *others}


def test_meshes_are_written_without_the_mesh_in_the_overlay(monkeypatch):
    calls = []
    draw = detect.OutputFolder.add.__globals__["draw"]
    monkeypatch.setitem(
        detect.OutputFolder.add.__globals__, "draw", lambda *args, **kinds: calls.append(kinds) or draw(*args, **kinds)
    )
    assert main(["detect", "p/a.png", "-o", "one", "--mesh", "--draw"]) == 0
    assert main(["detect", "p/a.png", "-o", "two", "--draw-mesh"]) == 0
    assert [(call["mesh"], call["axes"]) for call in calls] == [(False, True), (True, True)]
    assert sorted(path.name for path in Path("two").iterdir()) == ["a.json", "a.overlay.jpg"]


def test_heads_are_written_replaced_and_not_read_as_images(capsys):
    command = ["detect", "p/c.png", "-o", "out", "--glb", "--obj", "--pose", "posed", "--region", "head"]
    assert main(command) == 0
    heads = {f"c.head{i}.{suffix}" for i in (0, 1) for suffix in ("glb", "obj", "mtl", "jpg")}
    assert {path.name for path in Path("out").iterdir()} == {"c.json", *heads}
    assert "map_Kd c.head1.jpg" in Path("out/c.head1.mtl").read_text()
    file = GLBFile(Path("out/c.head0.glb").read_bytes())
    assert "rotation" in file.json["nodes"][0] and len(file.json["images"]) == 1
    assert main(command) == 1 and "already exists" in capsys.readouterr().err
    write_image("out/new.png")
    assert main(["detect", "out", "--json", "all.json"]) == 0
    assert [one["image"] for one in json.loads(Path("all.json").read_text())["images"]] == ["out/new.png"]
    Path("out/new.png").unlink()
    assert main(["detect", "p/c.png", "-o", "out", "--overwrite"]) == 0
    assert [path.name for path in Path("out").iterdir()] == ["c.json"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--glb"], "--glb needs -o"),
        (["--obj"], "--obj needs -o"),
        (["-o", "out", "--pose", "posed"], "--pose has no effect without --glb or --obj"),
        (["-o", "out", "--mesh", "--region", "head"], "--region has no effect without --glb or --obj"),
    ],
)
def test_options_of_heads_without_effect_are_errors(capsys, options, message):
    assert main(["detect", "p/a.png", *options]) == 2
    assert message in capsys.readouterr().err


def test_an_interrupted_run_is_resumed(capsys):
    assert main(["detect", "p/a.png", "-o", "out"]) == 0
    Path("out/c.json").write_text('{"rdrface": "0.1", "image": "p/c.p')  # cut, as release 0.1 could leave it
    before = Path("out/a.json").stat().st_mtime_ns
    command = ["detect", "p/a.png", "p/b.png", "p/c.png", "-o", "out", "--skip-existing", "--overwrite"]
    assert main([*command, "--csv", "all.csv"]) == 0
    assert "2 photos, 2 faces, 1 without a face, 1 skipped" in capsys.readouterr().out
    assert Path("out/a.json").stat().st_mtime_ns == before
    assert len(json.loads(Path("out/c.json").read_text())["faces"]) == 2
    assert {row["image"]: row["status"] for row in rows("all.csv")} == {
        "p/a.png": "face",
        "p/b.png": "no face",
        "p/c.png": "face",
    }


def test_the_result_of_another_image_is_not_taken_for_that_of_this_one(capsys):
    write_image("q/a.png")
    assert main(["detect", "p/a.png", "-o", "out"]) == 0
    assert main(["detect", "q/a.png", "-o", "out", "--skip-existing"]) == 1
    assert "a.json has the result of p/a.png; choose another folder" in capsys.readouterr().err


def test_an_output_file_is_never_an_image_or_the_result_of_an_image(capsys):
    write_image("all.png")
    assert main(["detect", "all.png", "p/a.png", "-o", "out", "--json", "out/all.json"]) == 1
    err = capsys.readouterr().err
    assert f"{Path('out/all.json')} is an input or another output of this run; choose another folder with -o\n" in err
    assert [image["image"] for image in json.loads(Path("out/all.json").read_text())["images"]] == ["p/a.png"]


def test_a_run_is_resumed_with_other_images_of_the_same_name(capsys):
    """The names of the outputs depend on the other images; no image is processed twice, and none fails."""
    command = ["-o", "out", "--skip-existing"]
    write_image("q/b.png", 1)
    assert main(["detect", "q", *command]) == 0
    assert [path.name for path in Path("out").iterdir()] == ["b.json"]
    write_image("q/b.bmp", 2)  # before b.png in alphabetical order
    write_image("q/b.tif", 2)
    assert main(["detect", "q", *command]) == 0
    assert "2 photos, 4 faces, 1 skipped, 0 failed" in capsys.readouterr().out
    images = {path.name: json.loads(path.read_text())["image"] for path in Path("out").iterdir()}
    assert images == {
        "b.json": str(Path("q/b.png")),
        "b.bmp.json": str(Path("q/b.bmp")),
        "b.tif.json": str(Path("q/b.tif")),
    }
    Path("q/b.png").unlink()
    Path("q/b.bmp").unlink()
    assert main(["detect", "q", *command]) == 0
    assert "0 photos, 0 faces, 1 skipped, 0 failed" in capsys.readouterr().out
    assert len(list(Path("out").iterdir())) == 3


def test_an_input_is_not_replaced_and_the_message_says_so(capsys):
    write_image("a.png")
    Path("a.png").rename("a.json")  # any file that is named is read as an image
    before = Path("a.json").read_bytes()
    assert main(["detect", "a.json", "-o", ".", "--overwrite"]) == 1
    assert "a.json is an input or another output of this run; choose another folder" in capsys.readouterr().err
    assert Path("a.json").read_bytes() == before


def test_a_box_file_is_not_replaced(capsys):
    Path("a.json").write_text('{"a.png": [[20, 20, 90, 90]]}')
    before = Path("a.json").read_text()
    command = ["detect", "p/a.png", "--boxes", "a.json", "--overwrite"]
    assert main([*command, "-o", "."]) == 1
    assert main([*command, "--json", "a.json"]) == 2
    assert "a.json is an input of this run; name another output file" in capsys.readouterr().err
    assert Path("a.json").read_text() == before


def test_a_file_in_place_of_a_folder_is_named(capsys):
    Path("f").write_text("x")
    for option, target, message in (
        (
            "--json",
            "f/x.json",
            "cannot write {target}: its folder f cannot be created (File exists); name another file",
        ),
        ("--csv", "f/g/x.csv", "cannot write {target}: its folder {parent} cannot be created (Not a directory)"),
        ("-o", "f/x", "the folder {target} cannot be created (Not a directory); choose another folder with -o"),
        ("-o", "f", "-o must be a folder, but f is a file"),
    ):
        assert main(["detect", "p/a.png", option, target]) == 2
        path = Path(target)
        assert message.format(target=path, parent=path.parent) in capsys.readouterr().err
    write_image("p/sub/a.png")
    Path("out").mkdir()
    Path("out/sub").write_text("x")
    assert main(["detect", "p", "-o", "out"]) == 1
    assert f"the folder {Path('out/sub')} cannot be created (File exists)" in capsys.readouterr().err


def test_nothing_is_left_if_the_second_output_cannot_be_opened():
    Path("f").write_text("x")
    assert main(["detect", "p/a.png", "--json", "all.json", "--csv", "f/x.csv"]) == 2
    assert main(["detect", "p/a.png", "--json", "all.json", "-o", "f/x"]) == 2
    assert sorted(path.name for path in Path().iterdir()) == ["f", "p"]


@pytest.mark.parametrize("option", ["--json", "--csv", "-o"])
def test_names_that_are_too_long_are_errors(capsys, option):
    assert main(["detect", "p/a.png", option, "n" * 5000]) == 2
    assert "File name too long" in capsys.readouterr().err


def test_an_output_that_is_a_link_to_itself_is_an_error(capsys):
    try:
        Path("loop").symlink_to("loop")
    except OSError:
        pytest.skip("links are not allowed here")
    for option in ("--json", "--csv", "-o"):
        assert main(["detect", "p/a.png", option, "loop"]) == 2
        assert "loop" in capsys.readouterr().err


def test_links_that_form_a_cycle_are_errors(capsys):
    Path("out").mkdir()
    try:
        for first, second in (("x.jpg", "y.jpg"), ("y.jpg", "x.jpg")):
            Path(first).symlink_to(second)
        Path("out/a.json").symlink_to("a.link")
        Path("out/a.link").symlink_to("a.json")
    except OSError:
        pytest.skip("links are not allowed here")
    for option in ("--json", "--csv"):
        assert main(["detect", "p/a.png", option, "x.jpg"]) == 2
        assert "cannot write x.jpg: its symbolic links form a cycle" in capsys.readouterr().err
    assert main(["detect", "p/a.png", "-o", "x.jpg"]) == 2
    assert main(["detect", "x.jpg", "p/b.png", "-o", "out"]) == 1
    assert "x.jpg" in capsys.readouterr().err
    assert Path("out/b.json").is_file()
    assert main(["detect", "p/a.png", "-o", "out"]) == 1
    assert "a.json: its symbolic links form a cycle" in capsys.readouterr().err
    assert Path("out/a.json").is_symlink()


@pytest.mark.parametrize("nested", ["[" * 200_000, '{"a":' * 200_000])
def test_deeply_nested_json_is_not_a_result(nested):
    Path("out").mkdir()
    Path("out/a.json").write_text(nested)
    assert main(["detect", "p/a.png", "-o", "out", "--skip-existing"]) == 1
    assert main(["detect", "p/a.png", "-o", "out", "--skip-existing", "--overwrite"]) == 0
    assert json.loads(Path("out/a.json").read_text())["image"] == "p/a.png"


def test_a_folder_in_which_nothing_was_written_is_removed(capsys):
    Path("bad.jpg").write_text("x")
    Path("mine").mkdir()
    for folder in ("new/deep", "mine"):
        assert main(["detect", "bad.jpg", "-o", folder]) == 1
        assert "written" not in capsys.readouterr().out
    assert not Path("new").exists() and Path("mine").is_dir()
    assert main(["detect", "p", "bad.jpg", "-o", "new/deep"]) == 1
    assert f"written: {Path('new/deep')}\n" in capsys.readouterr().out


def test_the_files_of_a_resumed_run_are_complete(capsys):
    command = ["detect", "p", "-o", "out", "--json", "all.json", "--csv", "all.csv"]
    assert main(command) == 0
    complete = {name: Path(name).read_text() for name in ("all.json", "all.csv")}
    assert main(command) == 2
    Path("out/b.json").unlink()
    assert main([*command, "--skip-existing"]) == 0
    assert "1 photo, 0 faces, 1 without a face, 2 skipped" in capsys.readouterr().out
    assert Path("all.csv").read_text() == complete["all.csv"]
    first, second = json.loads(complete["all.json"]), json.loads(Path("all.json").read_text())
    assert second["images"] == first["images"]
    assert [(one["path"], one["reason"]) for one in second["skipped"]] == [
        (str(Path("p/a.png")), "result exists"),
        (str(Path("p/c.png")), "result exists"),
    ]


@pytest.mark.parametrize("content", ["", "mine", '{"mine": 1}', "image;x"])
def test_a_resumed_run_does_not_replace_files_of_other_programs(capsys, content):
    for option in ("--json", "--csv"):
        Path("mine.txt").write_text(content)
        assert main(["detect", "p", "-o", "out", "--skip-existing", option, "mine.txt"]) == 2
        assert "mine.txt exists; name another file or pass --overwrite" in capsys.readouterr().err
        assert Path("mine.txt").read_text() == content


def test_a_name_that_is_too_long_for_an_overlay_is_named(capsys):
    name = "n" * 245
    write_image(f"p/{name}.png")
    assert main(["detect", f"p/{name}.png", "p/a.png", "-o", "out", "--draw"]) == 1
    err = capsys.readouterr().err
    assert f"{name}.overlay.jpg: File name too long; rename the image" in err and "Errno" not in err
    assert sorted(path.name for path in Path("out").iterdir()) == ["a.json", "a.overlay.jpg"]
