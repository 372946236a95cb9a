"""`rdrface annotate`: its inputs, its messages and its exit status."""

import os
from pathlib import Path

import pytest
from PIL import Image

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

from fake_collection import in_this_process, open_for_command, png, write_photos, write_shard  # noqa: E402
from rdrface.cli import annotate, collection_inputs, progress  # noqa: E402
from rdrface.cli.collection_inputs import CollectionInputs, described  # noqa: E402
from rdrface.cli.main import main  # noqa: E402
from rdrface.collection.output import Output  # noqa: E402


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory; the faces are invented in this process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(annotate, "open_aligner", open_for_command)
    monkeypatch.setattr(annotate, "annotate_locally", lambda work, chunks, num_workers: in_this_process(work, chunks))
    return tmp_path


def images(path: str = "out.parquet") -> list[tuple[str | None, str | None]]:
    """Source and name of each photo."""
    rows = pq.read_table(path, columns=["image_index", "source", "image"]).to_pylist()
    return [(row["source"], row["image"]) for i, row in enumerate(rows) if row["image_index"] not in _before(rows, i)]


def _before(rows, i):
    return {row["image_index"] for row in rows[:i]}


def test_all_kinds_of_inputs(capsys):
    write_photos(Path("photos/deep"), 2)
    Path("photos/z.png").write_bytes(png())
    Path("photos/notes.txt").write_text("text")
    Path("photos/.hidden.png").write_bytes(png())
    write_shard(Path("photos/shard.tar"), [("0.png", png())])
    Path("list.txt").write_text("photos/z.png\n\nphotos/missing.png\n")
    pq.write_table(pa.table({"jpg": [png()]}), "table.parquet")
    Path("one.png").write_bytes(png())
    words = ["annotate", "photos", "list.txt", "table.parquet", "on*.png", "photos/shard.tar", "out.parquet"]
    assert main(words) == 0
    assert images() == [
        *[("photos", "z.png"), ("photos", "deep/000.png"), ("photos", "deep/001.png"), ("photos/shard.tar", "0.png")],
        *[("list.txt", "photos/z.png"), ("list.txt", "photos/missing.png"), ("table.parquet", "0")],
        *[("photos/shard.tar", "0.png"), (None, "one.png")],
    ]
    out, err = capsys.readouterr()
    assert out.startswith(
        "9 photos, 7 faces, 1 without a face, 1 failed, 0 dropped\nwritten: out.parquet; 9 photos in "
    )
    assert "skipped, hidden: 1 (photos/.hidden.png)" in err and "skipped, not an image: 1 (photos/notes.txt)" in err
    assert main(words) == 0
    assert capsys.readouterr().out.endswith("out.parquet was already complete\n")


def test_links_to_folders_are_read_once():
    write_photos(Path("photos/a"), 1)
    Path("photos/b").symlink_to("a")
    Path("photos/a/up").symlink_to("..")
    assert main(["annotate", "photos", "out.parquet"]) == 0
    assert images() == [("photos", "a/000.png")]


@pytest.mark.skipif(os.name == "nt", reason="names of bytes")
def test_names_that_are_not_text(folder):
    Path("photos").mkdir()
    name = os.fsdecode(b"caf\xe9.png")
    try:
        Path("photos", name).write_bytes(png(2))
    except OSError:
        pytest.skip("the file system has no such names")
    Path("list.txt").write_bytes(b"photos/caf\xe9.png\n")
    assert main(["annotate", "photos", "list.txt", "out"]) == 0
    assert images("out") == [("photos", "caf\\udce9.png"), ("list.txt", "photos/caf\\udce9.png")]
    assert pq.read_table("out")["status"].to_pylist() == ["face"] * 4


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nothing", "out.parquet"], "no file or folder at nothing"),
        (["*.jpg", "out.parquet"], "the pattern *.jpg matches no file"),
        (["https://a.b/c.tar", "out.parquet"], "is a URL; download the photos"),
        (["a.tar.gz", "out.parquet"], "a.tar.gz is compressed"),
        (["empty", "out.parquet"], "no photos in empty"),
        (["photos", "one.png"], "one.png is a file; name a folder, or a file that ends in .parquet"),
        (["photos", "out.parquet", "--score", "2"], "--score must be between 0 and 1"),
    ],
)
def test_unusable_arguments(capsys, words, message):
    write_photos(Path("photos"), 1)
    Path("empty").mkdir()
    Path("a.tar.gz").touch()
    Path("one.png").touch()
    assert main(["annotate", *words]) == 2
    assert message in capsys.readouterr().err
    assert not Path("out.parquet").exists() and not Path("out.partial.parquet").exists()


def test_a_run_with_other_options_does_not_go_on(capsys):
    write_photos(Path("photos"), 1)
    assert main(["annotate", "photos", "out"]) == 0
    assert main(["annotate", "photos", "out", "--max-side", "640"]) == 2
    assert "out has another run: options {" in capsys.readouterr().err
    assert main(["annotate", "photos", "out", "--max-side", "640", "--overwrite"]) == 0


def test_thousands_of_names_identify_a_run_briefly():
    names = [f"{i}.png" for i in range(1000)]
    assert len(str(described(names))) < 100
    assert described(names) != described([*names[:-1], "other.png"])
    assert described(["photos"]) == ("photos",)


def test_a_folder_is_read_while_its_photos_are_taken(folder):
    for name in "abc":
        write_photos(folder / "photos" / name, 3)
    (source, *_) = CollectionInputs(["photos"]).sources()
    names = iter(source.names)
    assert next(names) == "a/000.png"
    Image.new("RGB", (8, 8)).save("photos/c/new.png")
    assert "c/new.png" in list(names)


def test_lines_show_the_rate_and_the_time_left(monkeypatch, capsys):
    now = 0.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    shown = progress.Progress(1000, 5000)
    assert shown.line() == "1,000 of 5,000 photos, 0.0 photos/s, unknown left"
    now = 20.0
    shown.add(500)
    now = 40.0
    shown.add(500)
    assert capsys.readouterr().err == "rdrface: 2,000 of 5,000 photos, 25.0 photos/s, 0:02:00 left\n"


def test_a_long_listing_is_shown(monkeypatch, capsys):
    monkeypatch.setattr(collection_inputs, "_SECONDS", -1.0)
    write_photos(Path("photos"), 2)
    assert main(["annotate", "photos", "out.parquet"]) == 0
    assert "listing the photos: 2 so far" in capsys.readouterr().err


def test_an_input_is_never_replaced(capsys):
    write_photos(Path("photos"), 2)
    pq.write_table(pa.table({"jpg": [png()]}), "a.parquet")
    Path("b.parquet").symlink_to("a.parquet")
    before = Path("a.parquet").read_bytes()
    for words in (["a.parquet", "a.parquet"], ["photos", "*.parquet", "b.parquet"], ["b.parquet", "a.parquet"]):
        assert main(["annotate", *words, "--overwrite"]) == 2
        assert "is an input of this run; name another output" in capsys.readouterr().err
    assert Path("a.parquet").read_bytes() == before


def test_a_run_without_photos_leaves_the_earlier_file(capsys):
    write_photos(Path("photos"), 2)
    Path("empty").mkdir()
    assert main(["annotate", "photos", "out.parquet"]) == 0
    before = Path("out.parquet").read_bytes()
    assert main(["annotate", "empty", "out.parquet", "--overwrite"]) == 2
    assert Path("out.parquet").read_bytes() == before and not Path("out.partial.parquet").exists()


def test_the_same_words_in_another_folder_are_another_run(folder, monkeypatch, capsys):
    for name in ("a", "b"):
        write_photos(folder / name / "photos", 2)
    monkeypatch.chdir(folder / "a")
    assert main(["annotate", "photos", str(folder / "out.parquet")]) == 0
    capsys.readouterr()
    assert main(["annotate", "photos", str(folder / "out.parquet")]) == 0
    captured = capsys.readouterr()
    assert "was already complete" in captured.out and "--overwrite begins from the start" in captured.err
    monkeypatch.chdir(folder / "b")
    assert main(["annotate", "photos", str(folder / "out.parquet")]) == 2
    assert main(["annotate", str(folder / "b" / "photos"), "c.parquet"]) == 0
    monkeypatch.chdir(folder)
    assert main(["annotate", str(folder / "b" / "photos"), "b/c.parquet"]) == 0
    assert "already complete" in capsys.readouterr().out


def test_a_list_in_utf_16_is_an_error(capsys):
    Path("a.txt").write_text("a.png\n", encoding="utf-16")
    assert main(["annotate", "a.txt", "out.parquet"]) == 2
    assert "the list a.txt is UTF-16; save it as UTF-8" in capsys.readouterr().err


def test_files_of_others_next_to_the_parts_do_not_disturb():
    Path("out").mkdir()
    for name in ("0000001", "copy", "0000009"):
        Path(f"out/part-{name}.parquet").touch()
    assert Output(Path("out")).is_done(3).tolist() == [False, True, False]
