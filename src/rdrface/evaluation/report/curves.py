"""Curves written by `rdrface.evaluation.report.plots`, and the common style of its figures.

matplotlib is imported inside the functions, so that the rest of `rdrface evaluate` works without it.
"""

from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from rdrface.evaluation.metrics.uncertainty import Reliability, RocCurve
from rdrface.evaluation.tables.distribution import area_under_curve, failure_rate
from rdrface.evaluation.tables.uncertainty import UncertaintyFigures
from rdrface.files import write_aside

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
"""Okabe and Ito's palette, safe for color-blind readers (jfly.uni-koeln.de/color, 2008)."""

GRAY = "#8a8a8a"
DPI = 150

BEYOND = 1.5
"""The error axis of the cumulative curves ends at this multiple of the limit."""


def draw_cumulative(
    errors: Mapping[str, np.ndarray], path: Path, name: str, limit: float, found: np.ndarray, unit: str = "%"
) -> None:
    """Draw the cumulative error curve of every output, with area under the curve and failure rate at `limit`.

    Args:
        errors: name of the output -> (N,) error of the face, NaN where it has none.
        path: PNG to write.
        name: name of the dataset.
        limit: threshold, see `rdrface.evaluation.tables.distribution`.
        found: (N,) bool; faces that were not found have an infinite error.
        unit: unit of the errors.
    """
    figure, axes = new_figure(f"{name}: cumulative error curve", (7.2, 5.4))
    missed = int((~found).sum())
    width = max((len(output) for output in errors), default=0)
    heading = f"{'':{width}} {'mean':>6} {'AUC':>7} {'failed':>7} {'faces':>6}"
    axes.plot([], [], " ", label=heading)
    # After the last color, the colors repeat with another line style.
    for (style, color), (output, values) in zip(product(("-", "--", ":"), COLORS), errors.items(), strict=False):
        ordered = np.sort(values[np.isfinite(values)])
        if len(ordered):
            share = 100 * np.arange(1, len(ordered) + 1) / (len(ordered) + missed)
            area, failures = area_under_curve(values, limit, found), failure_rate(values, limit, found)
            # Extend the curve to the end of the axis.
            x = [0, *ordered.tolist(), max(BEYOND * limit, ordered[-1])]
            label = f"{output:{width}} {ordered.mean():6.2f} {area:5.1f} % {failures:5.1f} % {len(ordered):6,}"
            axes.step(x, [0, *share.tolist(), share[-1]], style, where="post", color=color, label=label)
    axes.axvline(limit, color=GRAY, linestyle=":", linewidth=1)
    axes.set(xlabel=f"error of the face, {unit}", ylabel="faces with at most this error, %")
    axes.set(xlim=(0, BEYOND * limit), ylim=(0, 100))
    notes = f"AUC: area under the curve up to {limit:g} (dotted line); failed: larger error"
    if missed:
        notes += f".\n{missed:,} faces not found: counted as failed, not in mean and faces"
    legend(axes, loc="lower right", title=notes, prop={"family": "monospace", "size": 7.5}, alignment="left")
    save(figure, path)


def draw_uncertainty(figures: UncertaintyFigures, folder: Path, name: str) -> list[Path]:
    """Write ``roc.png``, ``visibility.png``, ``uncertainty.png`` and ``risk.png``; return their paths."""
    paths = [folder / f"{stem}.png" for stem in ("roc", "visibility", "uncertainty", "risk")]
    draw_roc(figures.roc, paths[0], name)
    draw_visibility(figures.visibility, paths[1], name)
    draw_error(figures.error, figures.error_offset_removed, paths[2], name)
    draw_risk(figures, paths[3], name)
    return paths


def draw_roc(curves: Mapping[str, RocCurve], path: Path, name: str) -> None:
    """Draw the ROC curves of the visibility for each kind of occlusion; a kind that does not occur is left out."""
    figure, axes = new_figure(f"{name}: ROC curve of the visibility")
    for color, (kind, curve) in zip(COLORS, curves.items(), strict=False):
        if np.isfinite(curve.area):
            label = f"{kind}: area {100 * curve.area:.1f} %, {curve.negatives:,} points"
            axes.plot(100 * curve.false_positive_rate, 100 * curve.true_positive_rate, color=color, label=label)
    axes.plot([0, 100], [0, 100], color=GRAY, linestyle=":", label="chance")
    visible = max((curve.positives for curve in curves.values()), default=0)
    axes.set(xlabel="occluded points predicted as visible, %")
    axes.set(ylabel=f"visible points predicted as visible, % of {visible:,}")
    axes.set(xlim=(0, 100), ylim=(0, 100), aspect="equal")
    legend(axes, loc="lower right")
    save(figure, path)


def draw_visibility(visibility: Reliability, path: Path, name: str) -> None:
    """Draw the reliability diagram of the visibility, with the number of points of every bin."""
    figure, axes = new_figure(f"{name}: reliability of the visibility (calibration error {100 * visibility.gap:.1f} %)")
    middle, width = 50 * (visibility.edges[1:] + visibility.edges[:-1]), 100 * np.diff(visibility.edges)
    predicted, observed = 100 * visibility.predicted, 100 * visibility.observed
    axes.bar(middle, observed, width, color=COLORS[0], alpha=0.25, edgecolor="white")
    axes.plot([0, 100], [0, 100], color=GRAY, linestyle=":", label="perfect calibration")
    axes.plot(predicted, observed, "o-", color=COLORS[0], label="observed, bins of 10 %")
    for x, count in zip(middle, visibility.count, strict=True):
        axes.text(x, 101.5, short(count), ha="center", va="bottom", fontsize=8, color=GRAY)
    axes.set(xlabel="predicted probability of being visible, %", ylabel="observed share of visible points, %")
    axes.set(xlim=(0, 100), ylim=(0, 108))
    legend(axes, loc="lower right", title="at the top: number of points per bin")
    save(figure, path)


def draw_error(error: Reliability, offset_removed: Reliability, path: Path, name: str) -> None:
    """Draw the observed against the predicted error, with the number of points of every bin.

    Args:
        error: bins with the observed error against the annotations.
        offset_removed: the same with the annotation offset removed.
        path: PNG to write.
        name: name of the dataset.
    """
    figure, axes = new_figure(f"{name}: reliability of the uncertainty (calibration error {error.gap:.2f} %)")
    filled = error.count > 0
    values = np.concatenate([each[filled] for each in (error.predicted, error.observed, offset_removed.observed)])
    low = min(1.0, 0.8 * float(values.min(initial=np.inf)))
    high = max(12.0, 1.4 * float(values.max(initial=0)))
    axes.plot([low, high], [low, high], color=GRAY, linestyle=":", label="perfect calibration")
    for bins, style, color, label in (
        (error, "o-", COLORS[0], "observed"),
        (
            offset_removed,
            "s--",
            COLORS[1],
            f"observed, annotation offset removed (calibration error {offset_removed.gap:.2f} %)",
        ),
    ):
        axes.plot(bins.predicted[filled], bins.observed[filled], style, color=color, label=label)
    for predicted, count in zip(error.predicted[filled], error.count[filled], strict=True):
        axes.text(predicted, 0.99 * high, short(count), ha="center", va="top", fontsize=8, color=GRAY)
    # Logarithmic, because most errors are small and the ratio of predicted to observed matters.
    axes.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high))
    ticks = [edge for edge in (*error.edges.tolist(), 15.0, 25.0) if low <= edge <= high]
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(ticks, [f"{tick:g}" for tick in ticks])
        axis.set_ticks([], minor=True)
    axes.set(xlabel="predicted error, % of the face size (ticks: edges of the bins)")
    axes.set(ylabel="mean observed error, % of the face size")
    legend(axes, loc="lower right", title="at the top: number of points per bin")
    save(figure, path)


def draw_risk(figures: UncertaintyFigures, path: Path, name: str) -> None:
    """Draw the mean error of the most certain share of the points and of the faces."""
    figure, axes = new_figure(f"{name}: risk and coverage")
    coverage = 100 * figures.coverages
    points = f"points ({int(figures.error.count.sum()):,}), by uncertainty"
    axes.plot(coverage, figures.point_risk, color=COLORS[0], label=points)
    axes.plot(coverage, figures.face_risk, color=COLORS[1], label="faces, by the mean uncertainty of their points")
    axes.plot(coverage, figures.oracle_risk, color=GRAY, linestyle="--", label="faces, by observed error (ideal order)")
    axes.set(xlabel="coverage: share kept, most certain first, %", ylabel="mean observed error, % of the face size")
    axes.set(xlim=(0, 100), ylim=(0, None))
    legend(axes, loc="lower right")
    save(figure, path)


def empty_figure(width: float, height: float) -> Any:
    """A figure of this size in inches, without axes."""
    # Agg canvas instead of pyplot: needs no display and changes no global state.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def new_figure(title: str, size: tuple[float, float] = (6.4, 5.2)) -> tuple[Any, Any]:
    """A figure with one pair of axes: (figure, axes)."""
    figure = empty_figure(*size)
    axes = figure.subplots()
    axes.set_title(title, fontsize=11)
    apply_style(axes)
    return figure, axes


def apply_style(axes: Any) -> None:
    """Apply the common style: a light grid in the background, no frame at the top and right."""
    axes.grid(color="#e4e4e4", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def legend(axes: Any, **options: Any) -> None:
    """Add a legend if any curve has a label."""
    if axes.get_legend_handles_labels()[0]:
        axes.legend(**{"fontsize": 8, "title_fontsize": 8, "framealpha": 0.9, **options})


def save(figure: Any, path: Path) -> None:
    """Write a PNG; equal data give equal bytes."""
    # The version of matplotlib is left out for this reason.
    with write_aside(path) as partial:
        figure.savefig(partial, dpi=DPI, metadata={"Software": None})


def short(count: int) -> str:
    """A short form of a count: 742, 3.1k, 12k."""
    if count < 1000:
        return str(count)
    return f"{count / 1000:.1f}k" if count < 10_000 else f"{count / 1000:.0f}k"
