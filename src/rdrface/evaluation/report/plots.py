"""Figures of `rdrface evaluate --plots DIR`. Needs ``pip install rdrface[evaluate]``.

matplotlib is imported inside the functions, so that the rest of `rdrface evaluate` works without it.
"""

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rdrface.datasets.records import FaceRecords
from rdrface.errors import ConfigError
from rdrface.evaluation.metrics.errors import bounding_box_size, mean_known
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.protocols.merl_rav import annotation_offset
from rdrface.evaluation.report.curves import (
    COLORS,
    GRAY,
    apply_style,
    draw_cumulative,
    draw_uncertainty,
    empty_figure,
    save,
    short,
)
from rdrface.evaluation.report.worst_faces import draw_worst
from rdrface.evaluation.tables.uncertainty import uncertainty_figures

YAW_EDGES = np.arange(-90, 91, 10)
"""Degrees, edges of the yaw bins. Faces with a larger |yaw| belong to the outermost bins."""

FRONTAL = 30.0
"""Degrees; faces up to this |yaw| form the mean shape on which the errors of the landmarks are drawn."""

NAMED = 5
"""Number of landmarks labeled with their error, the largest first."""


def require_matplotlib() -> None:
    """Raise before a long evaluation rather than after it.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise ConfigError("--plots needs matplotlib, which is not installed: pip install 'rdrface[evaluate]'")


def draw_set(
    name: str,
    title: str,
    limit: float,
    annotations: FaceRecords,
    predictions: Predictions,
    errors: Mapping[str, np.ndarray],
    folder: Path,
    unit: str = "%",
) -> list[Path]:
    """Write all figures of a dataset and return their paths.

    ``cumulative.png``; ``by_yaw.png`` if the annotations have poses; ``by_landmark.png`` if they have points;
    ``worst.jpg``; for MERL-RAV, whose occluded points are annotated, also those of `draw_uncertainty`. Figures without
    anything to show are left out.

    Args:
        name: name of the dataset on the command line.
        title: name of the dataset in papers.
        limit: threshold of the area under the curve and of a failure, in `unit`.
        annotations: N faces.
        predictions: of the same faces, in the same order.
        errors: name of the output -> (N,) error of the face, NaN where it has none. The errors of the principal output
            are under its name, or else come first.
        folder: created if it does not exist.
        unit: unit of the errors.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found, paths = predictions.found, []
    title = f"{title}, {predictions.method}"
    if errors:
        paths.append(folder / "cumulative.png")
        draw_cumulative(errors, paths[-1], title, limit, found, unit)
    if errors and annotations.yaw is not None and np.isfinite(annotations.yaw).any():
        paths.append(folder / "by_yaw.png")
        draw_by_yaw(errors, annotations.yaw, found, paths[-1], title, unit)
    if annotations.points.shape[1]:
        paths.append(folder / "by_landmark.png")
        draw_by_landmark(annotations, predictions, paths[-1], title)
    if errors:
        principal = next(iter(predictions.outputs))
        shown = principal if principal in errors else next(iter(errors))
        sheet = draw_worst(annotations, predictions, errors[shown], folder / "worst.jpg", _of(title, shown), unit)
        paths += [] if sheet is None else [sheet]
    if name == "merl-rav" and predictions.visibility is not None and predictions.uncertainty is not None:
        # The offset is NaN when no face was found.
        offset = np.nan_to_num(annotation_offset(annotations, predictions).offset)
        paths += draw_uncertainty(uncertainty_figures(annotations, predictions, offset), folder, title)
    return paths


def draw_by_yaw(
    errors: Mapping[str, np.ndarray], yaw: np.ndarray, found: np.ndarray, path: Path, name: str, unit: str = "%"
) -> None:
    """Draw the error against the signed yaw: faces, median and mean of the bins, and the mirrored median.

    Args:
        errors: name of the output -> (N,) error of the face, NaN where it has none.
        yaw: (N,) annotated yaw, degrees; faces with NaN are not drawn.
        found: (N,) bool.
        path: PNG to write.
        name: name of the dataset.
        unit: unit of the errors.
    """
    outputs = {output: values for output, values in errors.items() if np.isfinite(values[np.isfinite(yaw)]).any()}
    yaw = yaw.clip(YAW_EDGES[0], YAW_EDGES[-1])
    columns = min(2, max(1, len(outputs)))
    rows = -(-max(1, len(outputs)) // columns)
    figure = empty_figure(4.8 * columns + 1.2 * (columns == 1), 2.9 * rows + 1.9)
    figure.suptitle(f"{name}\nerror of each face by yaw, {unit}", fontsize=11)
    heights = [1.0] * rows + [0.5]
    panels = figure.subplots(rows + 1, columns, sharex=True, sharey="row", squeeze=False, height_ratios=heights)
    top = _top(list(outputs.values()), yaw)
    for axes in panels.ravel():
        apply_style(axes)
    for axes in panels[:-1].ravel()[len(outputs) :]:
        axes.set_axis_off()
    for axes, (output, values) in zip(panels[:-1].ravel(), outputs.items(), strict=False):
        _draw_faces(axes, values, yaw, found, top)
        axes.set_title(output, fontsize=9)
        axes.set_ylim(0, 1.06 * top)
    for axes in panels[:-1, 0]:
        axes.set_ylabel("error", fontsize=9)
    for axes in panels[-1]:
        _draw_counts(axes, yaw, found)
        axes.set(xlim=(-92, 92), xticks=YAW_EDGES[::3])
        axes.set_xlabel("annotated yaw, degrees (sign as in the dataset)", fontsize=9)
    panels[-1, 0].set_ylabel("faces", fontsize=9)
    handles = {
        label: handle
        for axes in panels[:-1].ravel()
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    if handles:
        figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=3 * columns, fontsize=8)
    save(figure, path)


def draw_by_landmark(annotations: FaceRecords, predictions: Predictions, path: Path, name: str) -> None:
    """Draw the mean error of every landmark of the principal output as the radius of a circle on the mean shape.

    Everything is in percent of one normalizer: the dataset's own if the annotations have one, else sqrt(w h) of the box
    of the annotated points. Landmarks that the method does not have, or that are never annotated, are left out.
    """
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Circle
    from matplotlib.patheffects import withStroke

    size, unit = _normalizer(annotations)
    distance = 100 * np.linalg.norm(predictions.landmarks - annotations.points, axis=-1) / size[:, None]
    error, shape = mean_known(distance, 0), _mean_shape(annotations, size)
    drawn = np.flatnonzero(np.isfinite(error) & np.isfinite(shape).all(1))
    # Largest circles first, so that smaller ones are drawn over them.
    drawn = drawn[np.argsort(-error[drawn], kind="stable")]
    figure = empty_figure(7.4, 6.2)
    axes = figure.subplots()
    apply_style(axes)
    faces = f"{np.isfinite(distance).any(1).sum():,} faces"
    name = _of(name, next(iter(predictions.outputs)))
    axes.set_title(f"{name}\nmean error by landmark, {faces}", fontsize=11)
    if len(drawn):
        axes.scatter(*shape[drawn].T, s=7, color="black", edgecolor="white", linewidth=0.5, zorder=3)
        disks = [Circle(center, radius) for center, radius in zip(shape[drawn], error[drawn], strict=True)]
        circles = PatchCollection(disks, cmap="cividis_r", edgecolor="white", linewidth=0.7)
        circles.set_array(error[drawn])
        circles.set_clim(0, error[drawn[0]] or 1)
        axes.add_collection(circles)
        figure.colorbar(circles, ax=axes, shrink=0.8, label=f"mean error (= radius), % of {unit}")
        halo = [withStroke(linewidth=2.5, foreground="white")]
        for i in drawn[:NAMED].tolist():
            style = {"xytext": (0, 3), "textcoords": "offset points", "ha": "center", "path_effects": halo}
            axes.annotate(str(i), shape[i], fontsize=8, **style)
        listed = ", ".join(f"{i}: {error[i]:.1f}" for i in drawn[:NAMED].tolist())
        axes.text(
            0.01, 0.012, f"largest errors (landmark index from 0): {listed}", transform=axes.transAxes, fontsize=8
        )
    axes.set(aspect="equal", xlabel=f"x of the mean shape, % of {unit}", ylabel=f"y (down), % of {unit}")
    axes.margins(0.09)
    axes.invert_yaxis()
    save(figure, path)


def _of(name: str, output: str) -> str:
    # The output of another method has an empty name.
    return f"{name}, {output}" if output else name


def _draw_faces(axes: Any, values: np.ndarray, yaw: np.ndarray, found: np.ndarray, top: float) -> None:
    # One output: its faces, and mean and median of its bins.
    placed = np.isfinite(yaw) & np.isfinite(values)
    inside = placed & (values <= top)
    axes.scatter(yaw[inside], values[inside], s=5, color=COLORS[0], alpha=0.4, linewidths=0, label="face")
    beyond = yaw[placed & ~inside]
    if len(beyond):
        # Drawn at the upper edge, so that outliers do not compress the axis.
        axes.scatter(
            beyond,
            np.full(len(beyond), top),
            s=16,
            marker="^",
            color=COLORS[0],
            linewidths=0,
            label="face beyond the axis",
        )
    missed = yaw[~found & np.isfinite(yaw)]
    if len(missed):
        axes.scatter(
            missed,
            np.full(len(missed), 1.06 * top),
            s=60,
            marker="|",
            color=COLORS[1],
            clip_on=False,
            label="face not found",
        )
    middle, median = (YAW_EDGES[1:] + YAW_EDGES[:-1]) / 2, _of_bins(np.median, values, yaw)
    axes.plot(middle, median[::-1], ":", color=GRAY, label="median, mirrored")
    axes.plot(middle, _of_bins(np.mean, values, yaw), "s--", color=COLORS[1], markersize=3, label="mean, 10° bins")
    axes.plot(middle, median, "o-", color="black", markersize=3.5, label="median, 10° bins")


def _draw_counts(axes: Any, yaw: np.ndarray, found: np.ndarray) -> None:
    middle, width = (YAW_EDGES[1:] + YAW_EDGES[:-1]) / 2, np.diff(YAW_EDGES)
    count, missed = (np.histogram(yaw[np.isfinite(yaw) & mask], YAW_EDGES)[0] for mask in (found, ~found))
    axes.bar(middle, count, width, color=COLORS[0], alpha=0.35, edgecolor="white")
    axes.bar(middle, missed, width, count, color=COLORS[1], edgecolor="white")
    for x, number in zip(middle, count + missed, strict=True):
        if number:
            axes.annotate(short(number), (x, number), (0, 1), textcoords="offset points", ha="center", fontsize=6.5)
    axes.set_ylim(0, 1.3 * max(1, (count + missed).max()))


def _of_bins(statistic: Callable[[np.ndarray], np.floating[Any]], values: np.ndarray, yaw: np.ndarray) -> np.ndarray:
    # (18,) NaN for bins without a face.
    placed = np.isfinite(yaw) & np.isfinite(values)
    index = np.digitize(yaw[placed], YAW_EDGES[1:-1])
    parts = [values[placed][index == i] for i in range(len(YAW_EDGES) - 1)]
    return np.array([statistic(part) if len(part) else np.nan for part in parts])


def _top(outputs: Sequence[np.ndarray], yaw: np.ndarray) -> float:
    # Upper end of the error axis: nearly all faces and all bins are below it.
    highest = 0.0
    for values in outputs:
        centers = [_of_bins(statistic, values, yaw) for statistic in (np.median, np.mean)]
        high = float(np.quantile(values[np.isfinite(values) & np.isfinite(yaw)], 0.98))
        highest = max(highest, high, 1.1 * float(np.nanmax(centers)))
    return highest if highest > 0 else 1.0


def _normalizer(annotations: FaceRecords) -> tuple[np.ndarray, str]:
    # (N,) pixels, and its name.
    if annotations.normalizer is not None:
        return annotations.normalizer, "the dataset's normalizer"
    return bounding_box_size(annotations.points), "sqrt(w h) of the annotated points' box"


def _mean_shape(annotations: FaceRecords, size: np.ndarray) -> np.ndarray:
    # (P, 2) percent of `size`, relative to the center of the box.
    points = annotations.points
    used = np.isfinite(size)
    if annotations.yaw is not None:
        frontal = used & (np.abs(annotations.yaw) <= FRONTAL)
        used = frontal if frontal.any() else used
    # Faces with missing points are turned, so use only complete ones if there are any.
    placed = np.isfinite(points).all(-1)
    complete = used & (placed | ~placed.any(0)).all(1)
    used = complete if complete.any() else used
    center = (annotations.box[:, :2] + annotations.box[:, 2:]) / 2
    centered = 100 * (points - center[:, None]) / size[:, None, None]
    return mean_known(centered[used], 0)
