"""docs/reliability.md has a measured block for every case of the benchmark, and the current limit."""

from pathlib import Path

import pytest

from rdrface.aligner import MAX_UNCERTAINTY

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")


def test_every_case_is_measured_for_both_releases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks" / "reliability"))
    import measure

    import refresh_results

    blocks = {block["command"]: block["text"] for block in refresh_results.BLOCK.finditer(PAGE)}
    for case in measure.CASES:
        of_case = {command: text for command, text in blocks.items() if f"measure.py {case} " in command}
        assert of_case, case
        for is_old in (False, True):
            texts = [text for command, text in of_case.items() if ("--rdrface" in command) == is_old]
            assert texts, (case, is_old)
            assert all(("rdrface 0.1.0" in text) == is_old for text in texts), case


def test_the_limit_is_the_default() -> None:
    assert f"expected error above {MAX_UNCERTAINTY:g} %" in PAGE
