"""What the ablations measure, how it is kept from one call to the next, and the table. Used by ablate*.py."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rdrface.network.projection import Projection
from rdrface.network.rdr import Step
from rdrface.training.augmentation.crop_batch import CropBatch
from rdrface.training.validation import YAW_EDGES, comparable_points

RUN_TO = 5
"""Every network is run to this k, whatever K it was trained with."""

BINS = ("yaw_0", "yaw_30", "yaw_60")
COLUMNS = (*(f"nme_{k}" for k in range(RUN_TO + 1)), "projection", "jawline", *BINS)


@dataclass(frozen=True)
class Truth:
    """Labels that N held-out faces are measured by, crop frame.

    Attributes:
        points: (N, 68, 2) annotated points.
        weight: (N, 68), 1 where there is one that can be compared with the outline.
        side: (N,) root of the area of the fitted outline's box.
        jawline: (N, 68, 3) the fitted face.
        yaw: (N,) degrees.
    """

    points: Tensor
    weight: Tensor
    side: Tensor
    jawline: Tensor
    yaw: Tensor

    @classmethod
    def of(cls, labels: CropBatch, projection: Projection) -> "Truth":
        """From crops without augmentation; `rdrface.training.validation` counts the same points."""
        points, weight, side = comparable_points(labels)
        return cls(points, weight, side, projection(labels.Q)[1], torch.rad2deg(labels.Q[:, 51]))

    def select(self, index: slice) -> "Truth":
        """Some of the faces."""
        return Truth(*(getattr(self, each.name)[index] for each in fields(self)))

    @staticmethod
    def concat(parts: "Iterable[Truth]") -> "Truth":
        """One after another."""
        rows = [[getattr(part, each.name) for each in fields(Truth)] for part in parts]
        return Truth(*(torch.cat(column) for column in zip(*rows, strict=True)))


def face_errors(steps: list[Step], truth: Truth, iterations: int) -> Tensor:
    """Errors per face in percent of its side: (B, RUN_TO + 3).

    The columns: mean distance of S_0 ... S_5 (NaN beyond the steps given), of S_p at K and of the 68 points of the
    jawline convention in 3D at K. Depth along the view has no zero in an orthographic camera: the mean of z is left
    out there.

    Args:
        steps: what the network gave, k = 0 first.
        truth: of the same B faces.
        iterations: K the network was trained with.
    """

    def nme(points: Tensor) -> Tensor:
        distance = (points - truth.points).norm(dim=-1)
        return (distance * truth.weight).sum(1) / truth.weight.sum(1).clamp(min=1)

    columns = [nme(step.landmarks) for step in steps[: RUN_TO + 1]]
    columns += [torch.full_like(truth.side, torch.nan)] * (RUN_TO + 1 - len(columns))
    off = steps[iterations].projection_jawline - truth.jawline
    off = torch.cat([off[..., :2], off[..., 2:] - off[..., 2:].mean(1, keepdim=True)], dim=-1)
    columns += [nme(steps[iterations].projection[..., :2]), off.norm(dim=-1).mean(1)]
    return 100 * torch.stack(columns, 1) / truth.side.unsqueeze(1)


def summary(errors: np.ndarray, yaw: np.ndarray, iterations: int) -> dict[str, float]:
    """Means over faces of what `face_errors` gave, and S_K's by |yaw|, by the names of `COLUMNS`."""
    scores = dict(zip(COLUMNS, errors.mean(0).tolist(), strict=False))
    bins = np.digitize(np.abs(yaw), YAW_EDGES)
    for number, name in enumerate(BINS):
        inside = errors[bins == number, iterations]
        scores[name] = float(inside.mean()) if len(inside) else float("nan")
    return {name: round(value, 3) for name, value in scores.items()}


class Results:
    """A file with one JSON object per line and trained network. Lines are only ever added, each in one write: two
    processes may share a file, and what was done under the same settings is not done again.

    Args:
        path: the file; it need not exist.
        settings: all that makes numbers comparable.
    """

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        self.path = path
        self.settings = settings

    def read(self) -> list[dict[str, Any]]:
        """Results of the same settings."""
        if not self.path.is_file():
            return []
        rows = [json.loads(line) for line in self.path.read_text().splitlines() if line.strip()]
        return [row for row in rows if row["settings"] == self.settings]

    def has(self, variant: str, seed: int) -> bool:
        """Whether this was done."""
        return any((row["variant"], row["seed"]) == (variant, seed) for row in self.read())

    def add(self, variant: str, seed: int, scores: dict[str, float], seconds: float) -> None:
        """Keep one result."""
        row = {"variant": variant, "seed": seed, "scores": scores, "seconds": round(seconds), "settings": self.settings}
        with self.path.open("a") as file:
            file.write(json.dumps(row) + "\n")

    def table(self, variants: dict[str, str]) -> str:
        """Markdown, one line per variant: the mean over its seeds. Where there are several, their range follows.

        Args:
            variants: name -> what it is, in the order of the table.
        """
        rows = self.read()
        lines = [f"| variant | {' | '.join(COLUMNS)} |", "|---" * (len(COLUMNS) + 1) + "|"]
        for name, meaning in variants.items():
            scores = [row["scores"] for row in rows if row["variant"] == name]
            if not scores:
                continue
            values = np.array([[one.get(column, np.nan) for column in COLUMNS] for one in scores], float)
            lines.append(f"| {meaning} | {' | '.join(_cell(v) for v in values.mean(0))} |")
            if len(scores) > 1:
                ranges = np.ptp(values, axis=0)
                lines.append(f"| range of {len(scores)} seeds | {' | '.join(_cell(v) for v in ranges)} |")
        return "\n".join(lines)


def _cell(value: float) -> str:
    return f"{value:.2f}" if np.isfinite(value) else "-"
