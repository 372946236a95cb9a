"""Results of ablations: a file with one JSON object per training, and the table of docs/ablation.md."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scores import COLUMNS
from variants import Variant


class Results:
    """The results of one experiment.

    Args:
        path: JSON lines; created when missing. Lines are only appended, each in one write.
        settings: everything that results must have in common to be compared. Other lines of the file are ignored.
    """

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        self.path = path
        self.settings = settings

    def read(self) -> list[dict[str, Any]]:
        """Results with these settings."""
        if not self.path.is_file():
            return []
        rows = [json.loads(line) for line in self.path.read_text(encoding="utf-8").splitlines()]
        return [row for row in rows if row["settings"] == self.settings]

    def add(self, variant: str, seed: int, scores: dict[str, float]) -> None:
        """Append one result."""
        row = {"variant": variant, "seed": seed, "scores": scores, "settings": self.settings}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    def complete(
        self, variants: Mapping[str, Variant], train: Callable[[Variant, str, int], dict[str, float] | None]
    ) -> bool:
        """Train every variant with every seed that has no result yet.

        Args:
            variants: name -> variant.
            train: returns the scores; None if a time limit was reached.

        Returns:
            False if a time limit was reached.
        """
        for name, variant in variants.items():
            for seed in range(variant.seeds):
                if any((row["variant"], row["seed"]) == (name, seed) for row in self.read()):
                    continue
                began = time.monotonic()
                scores = train(variant, name, seed)
                if scores is None:
                    return False
                self.add(name, seed, scores)
                print(f"{name}, seed {seed}, {time.monotonic() - began:.0f} s: {scores}", flush=True)
        return True

    def table(self, meanings: Mapping[str, str], columns: Sequence[str] = COLUMNS) -> str:
        """Markdown table: the mean over the seeds of each variant, followed by their range if there are several.

        Args:
            meanings: variant -> first column, in the order of the rows.
            columns: names of scores.
        """
        rows = self.read()
        lines = [f"| variant | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
        for name, meaning in meanings.items():
            scores = [row["scores"] for row in rows if row["variant"] == name]
            if not scores:
                continue
            values = np.array([[one[column] for column in columns] for one in scores], float)
            lines.append(_line(meaning, values.mean(0)))
            if len(scores) > 1:
                lines.append(_line(f"range of {len(scores)} seeds", np.ptp(values, axis=0)))
        return "\n".join(lines)


def _line(name: str, values: np.ndarray) -> str:
    return f"| {name} | {' | '.join(f'{v:.2f}' if np.isfinite(v) else '-' for v in values)} |"
