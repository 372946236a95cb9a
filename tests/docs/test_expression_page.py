"""docs/expression.md lists the expression coefficients and the thresholds of the evaluation."""

import re
from pathlib import Path

from rdrface.evaluation.metrics.expression import ACTIVE, CLOSED_EYE, OPEN_EYE, STRONG, WINK_MARGIN
from rdrface.face import packaged_model
from rdrface.model_building.expression import LEFT_OUT

PAGE = (Path(__file__).parents[2] / "docs" / "expression.md").read_text(encoding="utf-8")


def test_the_page_lists_every_coefficient_and_every_omitted_name() -> None:
    rows = [set(re.findall(r"`(\w+)`", line.split("|")[1])) for line in PAGE.splitlines() if line.startswith("| `")]
    named = set().union(*rows)
    assert named == set(packaged_model().expression_names) | LEFT_OUT


def test_the_page_names_the_thresholds_that_are_used() -> None:
    text = " ".join(PAGE.split())
    assert f"*closed* below {CLOSED_EYE} and *open* above {OPEN_EYE}" in text
    assert f"on above {ACTIVE}" in text and f"reach {STRONG} in" in text and f"by {WINK_MARGIN} or more" in text
