"""The tool that runs the commands of the result pages again."""

from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"

BLOCK = "Text.\n\n    rdrface evaluate set DIR\n\n```\n{}\n```\n\n    python tools/other.py\n\n```\nkept\n```\n"


@pytest.mark.parametrize("check", [False, True])
def test_the_output_of_a_command_is_replaced_in_its_block_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, check: bool
) -> None:
    monkeypatch.syspath_prepend(str(TOOLS))
    import refresh_results

    monkeypatch.setattr(refresh_results, "run", lambda command, folder: f"output of {command}")
    page = tmp_path / "page.md"
    page.write_text(BLOCK.format("old"))
    differing = refresh_results.refresh(page, "evaluate", tmp_path, check)
    assert differing == ["rdrface evaluate set DIR"]
    assert page.read_text() == BLOCK.format("old" if check else "output of rdrface evaluate set DIR")
    assert [path.name for path in tmp_path.iterdir()] == ["page.md"]


def test_a_file_that_a_command_uses_is_made_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TOOLS))
    import refresh_results

    commands: list[str] = []
    monkeypatch.setattr(refresh_results, "run", lambda command, folder: commands.append(command) or "old")
    fit, evaluate = "rdrface fit set DIR -o fits.npz", "rdrface evaluate set DIR --poses fits.npz"
    page = tmp_path / "page.md"
    page.write_text(f"    {fit}\n\nText.\n\n    {evaluate}\n\n```\nold\n```\n\n    rdrface bench\n\n```\nold\n```\n")
    refresh_results.refresh(page, "bench", tmp_path, True)
    assert commands == ["rdrface bench"]
    commands.clear()
    refresh_results.refresh(page, "evaluate", tmp_path, True)
    assert commands == [fit, evaluate]
    (tmp_path / "fits.npz").touch()
    commands.clear()
    refresh_results.refresh(page, "evaluate", tmp_path, True)
    assert commands == [evaluate]


def test_a_block_of_a_release_that_is_not_there_is_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(TOOLS))
    import refresh_results

    commands: list[str] = []
    monkeypatch.setattr(refresh_results, "run", lambda command, folder: commands.append(command) or "new")
    command = "python benchmarks/reliability/measure.py cut 300w 300w --rdrface release-0.1/bin/rdrface"
    page = tmp_path / "page.md"
    page.write_text(f"    {command}\n\n```\nold\n```\n")
    assert refresh_results.refresh(page, "", tmp_path, False) == []
    assert not commands and "old" in page.read_text()
    (tmp_path / "release-0.1" / "bin").mkdir(parents=True)
    (tmp_path / "release-0.1" / "bin" / "rdrface").touch()
    assert refresh_results.refresh(page, "", tmp_path, False) == [command]
    assert "new" in page.read_text()


def test_every_page_with_printed_output_is_refreshed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TOOLS))
    from refresh_results import BLOCK, PAGES

    pages = (TOOLS.parent / "docs").glob("*.md")
    assert {page for page in pages if BLOCK.search(page.read_text(encoding="utf-8"))} == set(PAGES)
