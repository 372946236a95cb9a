"""Photos of files, lists, tar shards and Parquet tables, read chunk by chunk."""

import importlib
import io
import os
import re
import tarfile
from pathlib import Path

import pytest

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

from fake_collection import png, write_shard  # noqa: E402
from rdrface.collection import FileSource, ShardSource, TableSource  # noqa: E402
from rdrface.collection.photo import Photo  # noqa: E402
from rdrface.collection.reading import photos_of  # noqa: E402
from rdrface.collection.sources import shards  # noqa: E402
from rdrface.errors import ConfigError  # noqa: E402


def read(source, size: int = 3) -> list[Photo]:
    """All photos, chunk by chunk, the last chunk first: each is read on its own."""
    chunks = list(source.chunks(size))
    return [photo for photos in [list(photos_of(chunk)) for chunk in chunks[::-1]][::-1] for photo in photos]


def names(photos: list[Photo]) -> list[str | None]:
    return [photo.name for photo in photos]


def test_files_are_paths_in_their_folder(tmp_path):
    found = read(FileSource("d", tmp_path, (f"{i}.png" for i in range(7))))
    assert [photo.content for photo in found] == [tmp_path / f"{i}.png" for i in range(7)]
    assert [chunk.count for chunk in FileSource("d", tmp_path, map(str, range(7))).chunks(3)] == [3, 3, 1]


def test_shards_give_the_images_of_their_samples(tmp_path):
    long = "folder/" * 30
    files = [
        (f"{long}{i:03d}.{suffix}", f"{i}{suffix}".encode()) for i in range(7) for suffix in ("cls", "jpg", "json")
    ]
    write_shard(tmp_path / "a.tar", [("._000.jpg", b"hidden"), *files])
    found = read(ShardSource(tmp_path / "a.tar", "a.tar"))
    assert found == [Photo(f"{long}{i:03d}.jpg", f"{i}jpg".encode()) for i in range(7)]


def test_an_extension_chooses_among_the_images_of_a_sample(tmp_path):
    write_shard(tmp_path / "a.tar", [(f"{i}.{kind}.png", b"x") for i in range(3) for kind in ("mask", "left")])
    assert len(read(ShardSource(tmp_path / "a.tar", "a.tar"))) == 6
    assert names(read(ShardSource(tmp_path / "a.tar", "a.tar", "left.png"))) == [f"{i}.left.png" for i in range(3)]


def test_links_in_shards_are_not_followed(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        link = tarfile.TarInfo("a.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
        member = tarfile.TarInfo("../b.jpg")
        member.size = 1
        tar.addfile(member, io.BytesIO(b"b"))
    assert read(ShardSource(tmp_path / "a.tar", "a.tar")) == [Photo("../b.jpg", b"b")]


@pytest.mark.parametrize("kind", ["truncated", "overwritten"])
def test_a_damaged_shard_gives_its_first_photos_and_an_error(tmp_path, kind):
    path = tmp_path / "a.tar"
    write_shard(path, [(f"{i}.png", png(1) * 10) for i in range(8)])
    content = bytearray(path.read_bytes())
    if kind == "truncated":
        path.write_bytes(content[: content.index(b"6.png") + 700])
    else:
        start = content.index(b"4.png")
        content[start : start + 512] = b"x" * 512
        path.write_bytes(content)
    found = read(ShardSource(path, "a.tar"))
    assert names(found[:4]) == ["0.png", "1.png", "2.png", "3.png"] and found[3].content == png(1) * 10
    assert found[-1].name is None and "a.tar cannot be read to its end" in found[-1].error


def test_a_file_that_is_no_tar_is_an_error_row(tmp_path):
    (tmp_path / "a.tar").write_bytes(b"x" * 2000)
    (photo,) = read(ShardSource(tmp_path / "a.tar", "a.tar"))
    assert "a.tar cannot be read to its end" in photo.error
    (photo,) = read(ShardSource(tmp_path / "b.tar", "b.tar"))
    assert "No such file" in photo.error


@pytest.mark.parametrize("module", ["gzip", "bz2", "lzma"])
def test_a_compressed_shard_is_named_as_such(tmp_path, module):
    write_shard(tmp_path / "b.tar", [("a.png", png(1))])
    (tmp_path / "a.tar").write_bytes(importlib.import_module(module).compress((tmp_path / "b.tar").read_bytes()))
    (photo,) = read(ShardSource(tmp_path / "a.tar", "a.tar"))
    assert re.search(r"it is compressed with (gzip|bzip2|xz); a shard must be an uncompressed tar file", photo.error)


def test_a_huge_member_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "MAX_ENCODED_BYTES", 10)
    write_shard(tmp_path / "a.tar", [("a.png", b"x" * 11), ("b.png", b"y")])
    first, second = read(ShardSource(tmp_path / "a.tar", "a.tar"))
    assert "11 bytes, above the maximum of 10" in first.error and second.content == b"y"


def test_a_shard_that_becomes_shorter_keeps_the_number_of_photos(tmp_path):
    path = tmp_path / "a.tar"
    write_shard(path, [(f"{i}.png", b"x") for i in range(5)])
    (chunk,) = ShardSource(path, "a.tar").chunks(10)
    write_shard(path, [("0.png", b"x")])
    found = list(photos_of(chunk))
    assert len(found) == 5 and found[0].content == b"x" and "has become shorter" in found[1].error


def write_table(file: Path, group: int = 100, **columns) -> None:
    pq.write_table(pa.table(columns), file, row_group_size=group)


def test_tables_of_paths_are_files(tmp_path):
    write_table(tmp_path / "a.parquet", path=["a.png", None, "b.png"], label=[1, 2, 3])
    found = read(TableSource(tmp_path / "a.parquet", "a.parquet", tmp_path), size=2)
    assert [photo.content for photo in found] == [tmp_path / "a.png", None, tmp_path / "b.png"]


def test_tables_of_images_are_read_across_row_groups(tmp_path):
    images = [f"image {i}".encode() if i != 4 else None for i in range(11)]
    write_table(tmp_path / "a.parquet", group=5, jpg=images, label=list(range(11)))
    found = read(TableSource(tmp_path / "a.parquet", "a.parquet", tmp_path), size=2)
    assert [photo.content for photo in found] == images and names(found) == [str(i) for i in range(11)]
    assert found[4].error == "the row has no image"
    write_table(tmp_path / "b.parquet", jpg=images[:2], __key__=["x", "y"])
    assert names(read(TableSource(tmp_path / "b.parquet", "b.parquet", tmp_path))) == ["x", "y"]


def test_tables_of_hugging_face_are_read(tmp_path):
    images = [{"bytes": b"1", "path": "one.jpg"}, {"bytes": b"2", "path": None}, None]
    write_table(tmp_path / "a.parquet", image=images)
    found = read(TableSource(tmp_path / "a.parquet", "a.parquet", tmp_path))
    assert found[:2] == [Photo("one.jpg", b"1"), Photo("1", b"2")] and found[2].error == "the row has no image"


def test_the_column_can_be_named_and_must_exist(tmp_path):
    write_table(tmp_path / "a.parquet", left=[b"l"], right=[b"r"])
    source = TableSource(tmp_path / "a.parquet", "a.parquet", tmp_path)
    with pytest.raises(ConfigError, match=r"2 columns of encoded images.*--column: left \(binary\), right"):
        read(source)
    (photo,) = read(TableSource(tmp_path / "a.parquet", "a.parquet", tmp_path, "right"))
    assert photo.content == b"r"
    with pytest.raises(ConfigError, match="has no column middle"):
        read(TableSource(tmp_path / "a.parquet", "a.parquet", tmp_path, "middle"))


def test_a_damaged_table_is_an_error_row(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"x" * 100)
    (photo,) = read(TableSource(tmp_path / "a.parquet", "a.parquet", tmp_path))
    assert "a.parquet cannot be read as Parquet" in photo.error


def test_columns_with_a_dictionary_or_a_fixed_size(tmp_path):
    pq.write_table(pa.table({"path": pa.array(["a.png", "a.png", None]).dictionary_encode()}), tmp_path / "a.parquet")
    found = read(TableSource(tmp_path / "a.parquet", "a.parquet", tmp_path))
    assert [photo.content for photo in found] == [tmp_path / "a.png", tmp_path / "a.png", None]
    keys = pa.array(["a", "b"]).dictionary_encode()
    for images in (pa.array([b"x", b"x"]).dictionary_encode(), pa.array([b"x", b"x"], pa.binary(1))):
        pq.write_table(pa.table({"jpg": images, "key": keys}), tmp_path / "b.parquet")
        assert read(TableSource(tmp_path / "b.parquet", "b.parquet", tmp_path)) == [Photo("a", b"x"), Photo("b", b"x")]


def test_images_of_hugging_face_that_are_paths(tmp_path):
    rows = [{"bytes": b"x", "path": "a"}, {"bytes": None, "path": "b.png"}, {"bytes": None, "path": None}, None]
    pq.write_table(pa.table({"image": rows}), tmp_path / "a.parquet")
    found = read(TableSource(tmp_path / "a.parquet", "a.parquet", tmp_path))
    assert [photo.content for photo in found] == [b"x", tmp_path / "b.png", None, None]
    assert [photo.error for photo in found] == ["", "", "the row has no image", "the row has no image"]


def test_devices_pipes_and_null_characters_are_errors(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    found = read(FileSource(None, tmp_path, ["a.png", "/dev/zero", "a\0b.png"]))
    assert [photo.content for photo in found] == [None] * 3
    assert found[0].error == "a.png is a device, a pipe or a socket, not a file"
    assert found[2].error == "the path contains a null character; a list must be UTF-8, not UTF-16"


def test_shards_joined_with_cat_give_an_error_row(tmp_path):
    for name in ("a.tar", "b.tar"):
        write_shard(tmp_path / name, [(f"{name}.png", b"x")])
    (tmp_path / "c.tar").write_bytes((tmp_path / "a.tar").read_bytes() + (tmp_path / "b.tar").read_bytes())
    first, error = read(ShardSource(tmp_path / "c.tar", "c.tar"))
    assert first == Photo("a.tar.png", b"x")
    assert "goes on behind the end mark; shards cannot be joined with cat; photos may be missing" in error.error
