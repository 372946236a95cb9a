"""Fits the face model to the faces of an annotated dataset."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rdrface.datasets.annotation_offset import without_offset
from rdrface.datasets.records import FaceRecords
from rdrface.datasets.sources import check_sources
from rdrface.errors import DataError
from rdrface.fitting.fit import fit_records
from rdrface.fitting.observations import MIN_POINTS
from rdrface.morphable.model import FaceModel


@dataclass(frozen=True)
class DatasetFit:
    """Result of `fit_dataset`.

    Attributes:
        records: the fitted faces.
        skipped: images of the faces with fewer than `MIN_POINTS` points with a position.
        seconds: time spent fitting.
    """

    records: FaceRecords
    skipped: tuple[str, ...]
    seconds: float


def fit_dataset(
    records: FaceRecords,
    *,
    offset: Mapping[str, tuple[float, float]] | None = None,
    limit: int | None = None,
    model: FaceModel | None = None,
) -> DatasetFit:
    """Fit the faces of a dataset.

    Args:
        records: annotated faces from a reader.
        offset: annotation offset by source, removed before the fit, see `rdrface.datasets.annotation_offset`.
        limit: fit only this many faces, evenly spaced in the dataset; None fits all.
        model: the face model; the packaged one by default.

    Raises:
        ConfigError: an entry of `offset` matches no source of the dataset.
        DataError: no face has enough points.
    """
    offset = {} if offset is None else offset
    check_sources(records.source.tolist(), offset, "--offset")
    records = without_offset(records, offset)
    if limit is not None and limit < len(records):
        records = records.select(np.linspace(0, len(records) - 1, max(limit, 1)).astype(int))
    enough = np.isfinite(records.points).all(axis=-1).sum(axis=1) >= MIN_POINTS
    if not enough.any():
        raise DataError(f"no face has {MIN_POINTS} points with a position, which a fit needs")
    model = FaceModel.load() if model is None else model
    start = time.perf_counter()
    fitted = fit_records(records.select(enough), model)
    return DatasetFit(fitted, tuple(records.image[~enough].tolist()), time.perf_counter() - start)
