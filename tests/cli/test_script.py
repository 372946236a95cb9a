"""Error messages of the repository's scripts."""

import re
from pathlib import Path

import pytest

from rdrface.cli.script import reports_errors
from rdrface.errors import ConfigError, DataError

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted(
    path
    for folder in ("tools", "benchmarks", "experiments")
    for path in (ROOT / folder).rglob("*.py")
    if re.search(r"^(from|import) rdrface", text := path.read_text(encoding="utf-8"), re.MULTILINE)
    and "\ndef main(" in text
)


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (ConfigError("-o must be a folder"), 2, "test_script.py: -o must be a folder\n"),
        (DataError("a.pts is damaged"), 1, "test_script.py: a.pts is damaged\n"),
        (FileExistsError(17, "File exists", "out"), 1, "test_script.py: out: File exists\n"),
        (DataError("a\nb.pts is damaged"), 1, "test_script.py: a\\nb.pts is damaged\n"),
    ],
)
def test_an_error_is_one_line(error: Exception, status: int, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    @reports_errors
    def main() -> None:
        raise error

    assert main() == status
    assert capsys.readouterr().err == message


def test_the_status_of_a_script_is_returned_and_other_errors_are_not_hidden() -> None:
    assert reports_errors(lambda: 3)() == 3
    assert reports_errors(lambda: None)() == 0
    with pytest.raises(ZeroDivisionError):
        reports_errors(lambda: 1 // 0)()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_script_reports_its_errors(script: Path) -> None:
    assert "\n@reports_errors\ndef main() -> " in script.read_text(encoding="utf-8")
