"""`rdrface evaluate --plots DIR`: the curves behind the tables as PNG files. Needs ``pip install rdrface[plots]``.

matplotlib is imported inside the functions: everything else of `rdrface evaluate` works without it.
"""

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rdrface.data.records import FaceRecords
from rdrface.errors import ConfigError
from rdrface.evaluation.certainty import Reliability, RocCurve
from rdrface.evaluation.certainty_tables import Certainty, measure_certainty
from rdrface.evaluation.predictions import Predictions
from rdrface.evaluation.protocols import aflw2000_errors, merl_rav_errors, merl_rav_shift, w300_errors

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
"""Okabe and Ito's, told apart by everyone (jfly.uni-koeln.de/color, 2008)."""

GREY = "#8a8a8a"
DPI = 150

CUMULATIVE_LIMIT = 12.0
"""Percent: where the axis of the cumulative curves ends."""

Errors = Callable[[FaceRecords, Predictions], dict[str, np.ndarray]]

SETS: dict[str, tuple[Errors, str]] = {
    "aflw2000-3d": (aflw2000_errors, "AFLW2000-3D"),
    "merl-rav": (merl_rav_errors, "MERL-RAV"),
    "300w": (w300_errors, "300-W"),
}
"""Name on the command line -> errors of the faces by the columns of its table, and its name as it is written."""


def require_matplotlib() -> None:
    """Fail before hours of measuring, not after.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise ConfigError("--plots needs matplotlib, which is not installed: pip install 'rdrface[plots]'")


def draw_set(name: str, records: FaceRecords, predictions: Predictions, folder: Path) -> list[Path]:
    """Every plot there is of a set, by its name on the command line; returns their paths.

    ``cumulative.png`` for all sets; for MERL-RAV, which says what is hidden, also those of `draw_certainty`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    errors, title = SETS[name]
    path = folder / "cumulative.png"
    draw_cumulative(errors(records, predictions), path, title, int((~predictions.found).sum()))
    if name != "merl-rav":
        return [path]
    shift = np.nan_to_num(merl_rav_shift(records, predictions).offset)
    return [path, *draw_certainty(measure_certainty(records, predictions, shift), folder, title)]


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
    figure, axes = _figure(f"{name}: telling visible points from hidden ones")
    for colour, (kind, curve) in zip(COLOURS, curves.items(), strict=False):
        if np.isfinite(curve.area):
            label = f"{kind}: area {100 * curve.area:.1f} %, {curve.negatives:,} points"
            axes.plot(100 * curve.false_rate, 100 * curve.true_rate, color=colour, label=label)
    axes.plot([0, 100], [0, 100], color=GREY, linestyle=":", label="chance")
    visible = max((curve.positives for curve in curves.values()), default=0)
    axes.set(xlabel="hidden points called visible, %", ylabel=f"visible points called visible, % of {visible:,}")
    axes.set(xlim=(0, 100), ylim=(0, 100), aspect="equal")
    _legend(axes, loc="lower right")
    _save(figure, path)


def draw_visible(visible: Reliability, path: Path, name: str) -> None:
    """Reliability diagram of the probability of being visible, with the number of points of every bin."""
    figure, axes = _figure(f"{name}: `visible`, said and seen (mean gap {100 * visible.gap:.1f} %)")
    middle, width = 50 * (visible.edges[1:] + visible.edges[:-1]), 100 * np.diff(visible.edges)
    axes.bar(middle, 100 * visible.happened, width, color=COLOURS[0], alpha=0.25, edgecolor="white")
    axes.plot([0, 100], [0, 100], color=GREY, linestyle=":", label="as it should be")
    axes.plot(100 * visible.said, 100 * visible.happened, "o-", color=COLOURS[0], label="measured, by bins of 10 %")
    for x, count in zip(middle, visible.count, strict=True):
        axes.text(x, 101.5, _short(count), ha="center", va="bottom", fontsize=8, color=GREY)
    axes.set(xlabel="said: probability of being visible, %", ylabel="points of the bin that are visible, %")
    axes.set(xlim=(0, 100), ylim=(0, 108))
    _legend(axes, loc="lower right", title="above the bars: points")
    _save(figure, path)


def draw_error(error: Reliability, unshifted: Reliability, path: Path, name: str) -> None:
    """Said against measured error, with the number of points of every bin.

    Args:
        error: against the labels as they are.
        unshifted: against the labels without their own shift.
        path: of the PNG.
        name: of the set.
    """
    figure, axes = _figure(f"{name}: `confidence`, said and measured (mean gap {error.gap:.2f} %)")
    filled = error.count > 0
    values = np.concatenate([each[filled] for each in (error.said, error.happened, unshifted.happened)])
    low = min(1.0, 0.8 * float(values.min(initial=np.inf)))
    high = max(12.0, 1.4 * float(values.max(initial=0)))
    axes.plot([low, high], [low, high], color=GREY, linestyle=":", label="as it should be")
    for bins, style, colour, name_of in (
        (error, "o-", COLOURS[0], "measured, labels as they are"),
        (unshifted, "s--", COLOURS[1], f"measured, labels' own shift removed (mean gap {unshifted.gap:.2f} %)"),
    ):
        axes.plot(bins.said[filled], bins.happened[filled], style, color=colour, label=name_of)
    for said, count in zip(error.said[filled], error.count[filled], strict=True):
        axes.text(said, 0.99 * high, _short(count), ha="center", va="top", fontsize=8, color=GREY)
    # Logarithmic: most points are at small errors, and what counts there is the ratio.
    axes.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high))
    ticks = [edge for edge in (*error.edges.tolist(), 15.0, 25.0) if low <= edge <= high]
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(ticks, [f"{tick:g}" for tick in ticks])
        axis.set_ticks([], minor=True)
    axes.set(xlabel="said: expected error, % of the face's size (ticks: the bins)")
    axes.set(ylabel="mean measured error, % of the face's size")
    _legend(axes, loc="lower right", title="at the top: points of the bin")
    _save(figure, path)


def draw_risk(certainty: Certainty, path: Path, name: str) -> None:
    """Mean error of the surest share of the points and of the faces."""
    figure, axes = _figure(f"{name}: the error of what the network is surest of")
    kept = 100 * certainty.coverages
    axes.plot(kept, certainty.points, color=COLOURS[0], label=f"points, {int(certainty.error.count.sum()):,}")
    axes.plot(kept, certainty.faces, color=COLOURS[1], label="faces, by the mean said error of their points")
    axes.plot(kept, certainty.best, color=GREY, linestyle="--", label="faces, best order there is")
    axes.set(xlabel="share that is kept, the surest first, %", ylabel="mean measured error, % of the face's size")
    axes.set(xlim=(0, 100), ylim=(0, None))
    _legend(axes, loc="lower right")
    _save(figure, path)


def draw_cumulative(errors: Mapping[str, np.ndarray], path: Path, name: str, missed: int = 0) -> None:
    """Share of the faces whose error is no larger than x.

    Args:
        errors: name of the output -> (N,) NME in percent, NaN where a face does not count.
        path: of the PNG.
        name: of the set.
        missed: faces that were not found: they count as larger than any error.
    """
    figure, axes = _figure(f"{name}: cumulative error")
    for colour, (output, values) in zip(COLOURS, errors.items(), strict=False):
        ordered = np.sort(values[np.isfinite(values)])
        if len(ordered):
            share = 100 * np.arange(1, len(ordered) + 1) / (len(ordered) + missed)
            label = f"{output}: mean {ordered.mean():.2f} %, {len(ordered):,} faces"
            axes.step(np.append(0, ordered), np.append(0, share), where="post", color=colour, label=label)
    axes.set(xlabel="NME of the face, %", ylabel="faces with no larger error, %")
    axes.set(xlim=(0, CUMULATIVE_LIMIT), ylim=(0, 100))
    _legend(axes, loc="lower right", title=f"{missed} faces not found" if missed else None)
    _save(figure, path)


def _figure(title: str) -> tuple[Any, Any]:
    # The canvas of the file format, not pyplot: no display is asked for and no global state is touched.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 5.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.set_title(title, fontsize=11)
    axes.grid(color="#e4e4e4", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _legend(axes: Any, **options: Any) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=8, title_fontsize=8, framealpha=0.9, **options)


def _save(figure: Any, path: Path) -> None:
    # Without the version of matplotlib, so that the same numbers give the same file.
    figure.savefig(path, dpi=DPI, metadata={"Software": None})


def _short(count: int) -> str:
    """742, 3.1k, 12k."""
    if count < 1000:
        return str(count)
    return f"{count / 1000:.1f}k" if count < 10_000 else f"{count / 1000:.0f}k"
