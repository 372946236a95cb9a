"""Reading of files with clear errors, and writing of files completely or not at all."""

import errno
from pathlib import Path

import numpy as np
import pytest

from rdrface.errors import DataError
from rdrface.files import is_disk_full, one_line, printable, read_npy, read_text, real_path, write_aside


def test_text_is_read_with_and_without_a_byte_order_mark(tmp_path):
    for name, start in (("a.txt", b""), ("b.txt", b"\xef\xbb\xbf")):
        (tmp_path / name).write_bytes(start + "caf\u00e9".encode())
        assert read_text(tmp_path / name, "list of names") == "caf\u00e9"


def test_an_unreadable_text_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"no list of names at .*a\.txt"):
        read_text(tmp_path / "a.txt", "list of names")
    (tmp_path / "b.txt").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "b.txt", tmp_path):
        with pytest.raises(DataError, match=r"cannot be read as text \(list of names\)"):
            read_text(path, "list of names")


def test_only_arrays_of_numbers_are_read(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(3))
    assert read_npy(tmp_path / "a.npy", "file of yaws").tolist() == [0, 1, 2]
    with pytest.raises(DataError, match=r"no file of yaws at .*b\.npy"):
        read_npy(tmp_path / "b.npy", "file of yaws")
    (tmp_path / "b.npy").write_bytes(b"something else")
    np.save(tmp_path / "c.npy", np.array(["x"]))
    np.save(tmp_path / "d.npy", np.array([{}]), allow_pickle=True)
    for name, message in (
        ("b.npy", "not a readable"),
        ("c.npy", "one array of real numbers"),
        ("d.npy", "not a readable"),
    ):
        with pytest.raises(DataError, match=message):
            read_npy(tmp_path / name, "file of yaws")


def test_a_file_is_replaced_only_when_it_is_complete(tmp_path):
    path = tmp_path / "r.json"
    path.write_text("old")
    with pytest.raises(KeyError), write_aside(path) as partial:
        partial.write_text("half")
        raise KeyError
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]
    with write_aside(path) as partial:
        assert partial.suffix == ".json" and partial.parent == tmp_path
        partial.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new" and list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_named(tmp_path):
    with (
        pytest.raises(DataError, match=r"cannot write .*r\.json: its folder does not exist"),
        write_aside(tmp_path / "none" / "r.json"),
    ):
        pass


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "r.json").mkdir()
    with pytest.raises(DataError, match=r"cannot write .*r\.json"), write_aside(tmp_path / "r.json") as partial:
        partial.write_text("new")
    assert [path.name for path in tmp_path.iterdir()] == ["r.json"]


def test_a_folder_is_not_a_file(tmp_path):
    with pytest.raises(DataError, match="folder; name a file"), write_aside(tmp_path):
        pass


def test_the_temporary_file_is_hidden_and_its_name_is_short(tmp_path):
    name = "n" * 250 + ".json"
    with write_aside(tmp_path / name) as partial:
        assert partial.name.startswith(".") and len(partial.name) < 40
        partial.write_text("new")
    assert (tmp_path / name).read_text() == "new"


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "r.json").write_text("old")
    (tmp_path / "latest.json").symlink_to("runs/r.json")
    with write_aside(tmp_path / "latest.json") as partial:
        partial.write_text("new")
    assert (tmp_path / "latest.json").is_symlink()
    assert (tmp_path / "runs" / "r.json").read_text() == "new"


@pytest.mark.skipif(not Path("/dev/null").is_char_device(), reason="needs /dev/null")
def test_a_device_is_written_and_not_replaced():
    with write_aside("/dev/null") as partial:
        partial.write_text("new")
    assert Path("/dev/null").is_char_device()


def test_a_full_disk_is_recognized_in_the_cause_of_an_error(tmp_path):
    for code, expected in ((errno.ENOSPC, True), (errno.EACCES, False)):
        with pytest.raises(DataError) as caught, write_aside(tmp_path / "a.json"):
            raise OSError(code, "message")
        assert is_disk_full(caught.value) == expected
    assert list(tmp_path.iterdir()) == []


def test_names_that_are_not_utf_8_become_printable():
    assert printable("caf\u00e9.png") == "caf\u00e9.png"
    assert printable("caf\udce9\ud800.png") == "caf\\udce9\\ud800.png"


def test_links_that_form_a_cycle_are_not_written(tmp_path):
    try:
        (tmp_path / "a").symlink_to("b")
        (tmp_path / "b").symlink_to("a")
    except OSError:
        pytest.skip("links are not allowed here")
    assert real_path(tmp_path / "a").parent == tmp_path.resolve()
    with pytest.raises(DataError, match="a: its symbolic links form a cycle"), write_aside(tmp_path / "a"):
        pass
    assert (tmp_path / "a").is_symlink()


def test_names_that_are_too_long_are_not_written(tmp_path):
    with pytest.raises(DataError, match="File name too long"), write_aside(tmp_path / ("n" * 300)):
        pass


def test_one_line_escapes_control_characters():
    assert one_line("a\r\n\x1b[31m\x9b\u202e\u65e5 b") == "a\\r\\n\\x1b[31m\\x9b\\u202e\u65e5 b"
