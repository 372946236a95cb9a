import re
from pathlib import Path

from rdrface.evaluation.metrics.expression import CLOSED, FULL, MARGIN, ON, OPEN
from rdrface.face import packaged_model
from rdrface.model_building.expression import LEFT_OUT

PAGE = (Path(__file__).parents[2] / "docs" / "expression.md").read_text(encoding="utf-8")


def test_the_page_lists_every_shape_and_every_missing_name() -> None:
    rows = [set(re.findall(r"`(\w+)`", line.split("|")[1])) for line in PAGE.splitlines() if line.startswith("| `")]
    named = set().union(*rows)
    assert named == set(packaged_model().expression_names) | LEFT_OUT


def test_the_page_names_the_thresholds_that_are_used() -> None:
    text = " ".join(PAGE.split())
    assert f"*closed* below {CLOSED} and *open* above {OPEN}" in text
    assert f"on above {ON}" in text and f"reach {FULL} in" in text and f"by {MARGIN} or more" in text
