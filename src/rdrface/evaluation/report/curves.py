"""The curves that `rdrface.evaluation.report.plots` writes, and how all its figures look.

matplotlib is imported inside the functions: everything else of `rdrface evaluate` works without it.
"""

from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from rdrface.evaluation.metrics.uncertainty import Reliability, RocCurve
from rdrface.evaluation.tables.distribution import area_under_curve, failure_rate
from rdrface.evaluation.tables.uncertainty import Certainty

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
"""Okabe and Ito's, told apart by everyone (jfly.uni-koeln.de/color, 2008)."""

GRAY = "#8a8a8a"
DPI = 150

BEYOND = 1.5
"""The axis of the cumulative curves ends at this many times the limit."""


def draw_cumulative(
    errors: Mapping[str, np.ndarray], path: Path, name: str, limit: float, found: np.ndarray, unit: str = "%"
) -> None:
    """Share of the faces whose error is no larger than x, with the area under the curve and the failures at `limit`.

    Args:
        errors: name of the output -> (N,) error of the face, NaN where it has none.
        path: of the PNG.
        name: of the set.
        limit: see `rdrface.evaluation.tables.distribution`.
        found: (N,) bool; faces that were not found count as larger than any error.
        unit: of the errors.
    """
    figure, axes = new_figure(f"{name}: cumulative error", (7.2, 5.4))
    missed = int((~found).sum())
    width = max((len(output) for output in errors), default=0)
    heading = f"{'':{width}} {'mean':>6} {'area':>7} {'failed':>7} {'faces':>6}"
    axes.plot([], [], " ", label=heading)
    # When the colors are used up, they come again with other lines.
    for (style, color), (output, values) in zip(product(("-", "--", ":"), COLORS), errors.items(), strict=False):
        ordered = np.sort(values[np.isfinite(values)])
        if len(ordered):
            share = 100 * np.arange(1, len(ordered) + 1) / (len(ordered) + missed)
            area, failures = area_under_curve(values, limit, found), failure_rate(values, limit, found)
            # To the end of the axis: a curve that stops at its last face would look cut off.
            x = [0, *ordered.tolist(), max(BEYOND * limit, ordered[-1])]
            label = f"{output:{width}} {ordered.mean():6.2f} {area:5.1f} % {failures:5.1f} % {len(ordered):6,}"
            axes.step(x, [0, *share.tolist(), share[-1]], style, where="post", color=color, label=label)
    axes.axvline(limit, color=GRAY, linestyle=":", linewidth=1)
    axes.set(xlabel=f"error of the face, {unit}", ylabel="faces with no larger error, %")
    axes.set(xlim=(0, BEYOND * limit), ylim=(0, 100))
    notes = f"area: under the curve, up to {limit:g} (dotted line); failed: beyond it"
    if missed:
        notes += f",\nor one of the {missed:,} not found, which mean and faces leave out"
    legend(axes, loc="lower right", title=notes, prop={"family": "monospace", "size": 7.5}, alignment="left")
    save(figure, path)


def draw_certainty(certainty: Certainty, folder: Path, name: str) -> list[Path]:
    """``roc.png``, ``visible.png``, ``error.png`` and ``risk.png`` of a set called `name`; returns their paths."""
    paths = [folder / f"{stem}.png" for stem in ("roc", "visible", "error", "risk")]
    draw_roc(certainty.roc, paths[0], name)
    draw_visible(certainty.visible, paths[1], name)
    draw_error(certainty.error, certainty.unshifted, paths[2], name)
    draw_risk(certainty, paths[3], name)
    return paths


def draw_roc(curves: Mapping[str, RocCurve], path: Path, name: str) -> None:
    """ROC curves of telling visible points from each kind of hidden ones; a kind that does not occur is left out."""
    figure, axes = new_figure(f"{name}: telling visible points from hidden ones")
    for color, (kind, curve) in zip(COLORS, curves.items(), strict=False):
        if np.isfinite(curve.area):
            label = f"{kind}: area {100 * curve.area:.1f} %, {curve.negatives:,} points"
            axes.plot(100 * curve.false_positive_rate, 100 * curve.true_positive_rate, color=color, label=label)
    axes.plot([0, 100], [0, 100], color=GRAY, linestyle=":", label="chance")
    visible = max((curve.positives for curve in curves.values()), default=0)
    axes.set(xlabel="hidden points called visible, %", ylabel=f"visible points called visible, % of {visible:,}")
    axes.set(xlim=(0, 100), ylim=(0, 100), aspect="equal")
    legend(axes, loc="lower right")
    save(figure, path)


def draw_visible(visible: Reliability, path: Path, name: str) -> None:
    """Reliability diagram of the probability of being visible, with the number of points of every bin."""
    figure, axes = new_figure(f"{name}: `visible`, said and seen (mean gap {100 * visible.gap:.1f} %)")
    middle, width = 50 * (visible.edges[1:] + visible.edges[:-1]), 100 * np.diff(visible.edges)
    axes.bar(middle, 100 * visible.observed, width, color=COLORS[0], alpha=0.25, edgecolor="white")
    axes.plot([0, 100], [0, 100], color=GRAY, linestyle=":", label="as it should be")
    axes.plot(100 * visible.predicted, 100 * visible.observed, "o-", color=COLORS[0], label="measured, by bins of 10 %")
    for x, count in zip(middle, visible.count, strict=True):
        axes.text(x, 101.5, short(count), ha="center", va="bottom", fontsize=8, color=GRAY)
    axes.set(xlabel="said: probability of being visible, %", ylabel="points of the bin that are visible, %")
    axes.set(xlim=(0, 100), ylim=(0, 108))
    legend(axes, loc="lower right", title="above the bars: points")
    save(figure, path)


def draw_error(error: Reliability, unshifted: Reliability, path: Path, name: str) -> None:
    """Said against measured error, with the number of points of every bin.

    Args:
        error: against the labels as they are.
        unshifted: against the labels without their own shift.
        path: of the PNG.
        name: of the set.
    """
    figure, axes = new_figure(f"{name}: `confidence`, said and measured (mean gap {error.gap:.2f} %)")
    filled = error.count > 0
    values = np.concatenate([each[filled] for each in (error.predicted, error.observed, unshifted.observed)])
    low = min(1.0, 0.8 * float(values.min(initial=np.inf)))
    high = max(12.0, 1.4 * float(values.max(initial=0)))
    axes.plot([low, high], [low, high], color=GRAY, linestyle=":", label="as it should be")
    for bins, style, color, name_of in (
        (error, "o-", COLORS[0], "measured, labels as they are"),
        (unshifted, "s--", COLORS[1], f"measured, labels' own shift removed (mean gap {unshifted.gap:.2f} %)"),
    ):
        axes.plot(bins.predicted[filled], bins.observed[filled], style, color=color, label=name_of)
    for said, count in zip(error.predicted[filled], error.count[filled], strict=True):
        axes.text(said, 0.99 * high, short(count), ha="center", va="top", fontsize=8, color=GRAY)
    # Logarithmic: most points are at small errors, and what counts there is the ratio.
    axes.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high))
    ticks = [edge for edge in (*error.edges.tolist(), 15.0, 25.0) if low <= edge <= high]
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(ticks, [f"{tick:g}" for tick in ticks])
        axis.set_ticks([], minor=True)
    axes.set(xlabel="said: expected error, % of the face's size (ticks: the bins)")
    axes.set(ylabel="mean measured error, % of the face's size")
    legend(axes, loc="lower right", title="at the top: points of the bin")
    save(figure, path)


def draw_risk(certainty: Certainty, path: Path, name: str) -> None:
    """Mean error of the surest share of the points and of the faces."""
    figure, axes = new_figure(f"{name}: the error of what the network is surest of")
    kept = 100 * certainty.coverages
    axes.plot(kept, certainty.points, color=COLORS[0], label=f"points, {int(certainty.error.count.sum()):,}")
    axes.plot(kept, certainty.faces, color=COLORS[1], label="faces, by the mean said error of their points")
    axes.plot(kept, certainty.best, color=GRAY, linestyle="--", label="faces, best order there is")
    axes.set(xlabel="share that is kept, the surest first, %", ylabel="mean measured error, % of the face's size")
    axes.set(xlim=(0, 100), ylim=(0, None))
    legend(axes, loc="lower right")
    save(figure, path)


def empty_figure(width: float, height: float) -> Any:
    """A figure of that many inches, without axes."""
    # The canvas of the file format, not pyplot: no display is asked for and no global state is touched.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def new_figure(title: str, size: tuple[float, float] = (6.4, 5.2)) -> tuple[Any, Any]:
    """A figure with one pair of axes, and these."""
    figure = empty_figure(*size)
    axes = figure.subplots()
    axes.set_title(title, fontsize=11)
    dress(axes)
    return figure, axes


def dress(axes: Any) -> None:
    """The looks of all axes: a light grid behind, no frame at the top and right."""
    axes.grid(color="#e4e4e4", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def legend(axes: Any, **options: Any) -> None:
    """A legend, where there is something to name."""
    if axes.get_legend_handles_labels()[0]:
        axes.legend(**{"fontsize": 8, "title_fontsize": 8, "framealpha": 0.9, **options})


def save(figure: Any, path: Path) -> None:
    """Write a PNG; the same numbers give the same bytes."""
    # Hence without the version of matplotlib.
    figure.savefig(path, dpi=DPI, metadata={"Software": None})


def short(count: int) -> str:
    """742, 3.1k, 12k."""
    if count < 1000:
        return str(count)
    return f"{count / 1000:.1f}k" if count < 10_000 else f"{count / 1000:.0f}k"
