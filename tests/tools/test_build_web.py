"""`tools/build_web.py`: a folder is replaced only when the new one is complete, and never one with other files."""

import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"


@pytest.fixture
def build_web(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    import build_web

    return build_web


@pytest.fixture
def page(build_web, tmp_path, monkeypatch) -> Path:
    """The folder of an earlier page; onnxruntime-web is not downloaded."""
    monkeypatch.setattr(build_web, "_unpack_onnxruntime", lambda folder: folder.mkdir())
    monkeypatch.setattr(build_web.shutil, "which", lambda name: name)
    monkeypatch.setattr(sys, "argv", ["build_web.py", str(tmp_path / "page")])
    build_web.build(tmp_path / "page")
    return tmp_path / "page"


def test_an_earlier_page_is_replaced(build_web, page):
    (page / "index.html").write_text("old")
    build_web.main()
    assert 'content="local"' in (page / "index.html").read_text()
    assert {path.name for path in page.iterdir()} == build_web.names_in_page()
    assert [path.name for path in page.parent.iterdir()] == ["page"]


def test_a_failure_leaves_the_earlier_page(build_web, page, monkeypatch, capsys):
    def fail(folder):
        raise OSError("no network")

    monkeypatch.setattr(build_web, "_unpack_onnxruntime", fail)
    before = sorted(page.rglob("*"))
    assert build_web.main() == 1
    assert capsys.readouterr().err == "build_web.py: no network\n"
    assert sorted(page.rglob("*")) == before and [path.name for path in page.parent.iterdir()] == ["page"]


def test_a_folder_with_other_files_is_not_replaced(build_web, page, capsys):
    (page / ".git").mkdir()
    with pytest.raises(SystemExit) as raised:
        build_web.main()
    assert (
        raised.value.code == 2 and "has other files, for example .git, which would be lost" in capsys.readouterr().err
    )
    assert (page / ".git").is_dir()
