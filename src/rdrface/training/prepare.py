"""Preparation of the faces of a run: datasets are read, fitted, split and packed once, into the folder of the run."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from rdrface.datasets.annotation_offset import without_offset
from rdrface.datasets.crops import PackedCrops, read_settings
from rdrface.datasets.packing import pack_inside
from rdrface.datasets.readers import SETS, read_set
from rdrface.datasets.records import FaceRecords
from rdrface.datasets.sources import check_sources
from rdrface.datasets.synthetic import draw_faces
from rdrface.errors import ConfigError, DataError
from rdrface.fitting import fit_records
from rdrface.fitting.estimated_boxes import with_missing_boxes
from rdrface.fitting.observations import MIN_POINTS
from rdrface.landmarks import NUM_LANDMARKS
from rdrface.morphable.model import FaceModel
from rdrface.training.config import TrainingConfig
from rdrface.training.expression_warping import expression_warp
from rdrface.training.expression_warping.expression_warp import ExpressionWarpConfig, choose_open_eyes, close_eyes
from rdrface.training.face_order import held_out_faces
from rdrface.training.face_profiling import face_profiling
from rdrface.training.face_profiling.face_profiling import FaceProfilingConfig, choose_near_frontal_faces, profile_faces
from rdrface.training.fitted_labels import with_self_occlusion, without_fitted_outline
from rdrface.training.run_folder import TRAIN, VAL, pack_file

SETTINGS = ("packed_size", "validation_fraction", "face_profiling", "closed_eye_copies", "annotation_offset")
"""Keys of `TrainingConfig` that a pack depends on; they are stored in its metadata."""


def prepare_faces(
    config: TrainingConfig, data: list[str], synthetic: int | None, folder: Path, quality: int | None = None
) -> tuple[PackedCrops, PackedCrops | None]:
    """Prepare the faces for training and validation: read, fit, split and pack them, once per run.

    Args:
        config: configuration of the run.
        data: values of ``--data``.
        synthetic: number of synthetic faces to draw instead, or None.
        folder: folder of the run. If it contains packs, they are used and `data` is not read.
        quality: see `PackedCrops.save`.

    Returns:
        Faces for training; faces for validation, None if there are none.

    Raises:
        ConfigError: no data is given, there are too few faces, or the packs were made with other settings.
        DataError: a dataset or file cannot be read.
    """
    train_file, val_file = pack_file(folder, TRAIN), pack_file(folder, VAL)
    if train_file.is_file():
        if data or synthetic is not None or quality is not None:
            print(
                f"{folder} contains packed faces: they are used, and --data, --synthetic and --quality are ignored",
                file=sys.stderr,
            )
        for path in (train_file, val_file):
            if path.is_file():
                check_settings(path, config)
        if not val_file.is_file() and config.validation_fraction > 0:
            print(f"{folder} does not contain {val_file.name}: no validation and no calibration", file=sys.stderr)
        return PackedCrops.load(train_file), PackedCrops.load(val_file) if val_file.is_file() else None
    records = read_faces(config, data, synthetic, folder)
    held = held_out_faces(records, config.validation_fraction)
    if held.all():
        raise ConfigError(
            f"validation_fraction {config.validation_fraction} leaves none of the {len(records)} faces for training; "
            "use a smaller fraction or more faces"
        )
    settings = pack_settings(config)
    val_faces = pack_inside(records.select(held), config.packed_size) if held.any() else None
    if val_faces is not None:
        val_faces.save(val_file, quality, settings)
    train_faces = _with_rendered_faces(pack_inside(records.select(~held), config.packed_size), config)
    train_faces.save(train_file, quality, settings)
    return train_faces, val_faces


def pack_settings(config: TrainingConfig) -> dict[str, Any]:
    """The part of a configuration that a pack depends on, as JSON values."""
    values = asdict(config)
    settings: dict[str, Any] = json.loads(json.dumps({name: values[name] for name in SETTINGS}))
    return settings


def check_settings(path: Path, config: TrainingConfig) -> None:
    """Check that a pack was made with the settings of a configuration. Packs without settings are accepted.

    Raises:
        ConfigError: the pack was made with other settings.
        DataError: the file is damaged.
    """
    stored = read_settings(path)
    if stored is None:
        return
    current = pack_settings(config)
    for name in SETTINGS:
        if name in stored and stored[name] != current[name]:
            raise ConfigError(
                f"{path} was packed with {name} = {stored[name]}, the configuration has {name} = {current[name]}; "
                "use the configuration of the pack, or pack the faces again into another folder"
            )


def read_faces(config: TrainingConfig, data: list[str], synthetic: int | None, folder: Path) -> FaceRecords:
    """Read and fit the faces given on the command line.

    The annotation offset of a dataset is subtracted before the fit; record files are not changed. In datasets that do
    not mark hidden points, hidden points of faces at large yaw angles come from the fit. The visible outline of 300W-LP
    is not used (`rdrface.training.fitted_labels`).

    Args:
        config: configuration of the run.
        data: values of ``--data``.
        synthetic: number of synthetic faces to draw instead, or None.
        folder: folder of the run; synthetic faces are written to it.

    Raises:
        ConfigError: not exactly one of `data` and `synthetic` is given, or the configuration has an entry for an
            unknown source.
        DataError: a dataset or file cannot be read.
    """
    if (synthetic is None) == (not data):
        raise ConfigError("give the faces to train on: either --data SET=DIR (or FILE.npz) or --synthetic N, not both")
    if synthetic is not None:
        if synthetic < 2:
            raise ConfigError(f"--synthetic must be 2 faces or more; got {synthetic}")
        return draw_faces(folder / "faces", synthetic)
    parts = []
    for item in data:
        name, _, path = item.partition("=")
        if path and name not in SETS:
            raise ConfigError(
                f"--data {item}: no reader for a dataset called {name!r}; the datasets are {', '.join(SETS)}"
            )
        if path:
            parts.append(
                without_offset(with_missing_boxes(read_set(name, Path(path), "train")), config.annotation_offset)
            )
        else:
            parts.append(_training_records(item))
    check_entries(config, np.unique(np.concatenate([part.source for part in parts])).tolist())
    model = FaceModel.load()
    fitted = [part if part.Q is not None else fit_records(part, model) for part in parts]
    return FaceRecords.concat([without_fitted_outline(with_self_occlusion(part, model)) for part in fitted])


def _training_records(path: str) -> FaceRecords:
    """Read a file of records whose faces can be fitted and trained on.

    Raises:
        DataError: it cannot be read, has test faces, or faces without the 68 landmarks.
    """
    records = FaceRecords.load(path)
    if records.is_test.any():
        raise DataError(
            f"{path} has {int(records.is_test.sum())} test faces, which must not be trained on; write the training "
            "part with `rdrface fit SET DIR --split train`"
        )
    if records.points.shape[1] != NUM_LANDMARKS or records.contour is None:
        raise DataError(
            f"{path} has {records.points.shape[1]} points per face; training needs the {NUM_LANDMARKS} landmarks and "
            "their contour convention"
        )
    few = np.isfinite(records.points).all(axis=-1).sum(axis=1) < MIN_POINTS
    if records.Q is None and few.any():
        raise DataError(
            f"{path} has {int(few.sum())} faces with fewer than {MIN_POINTS} points with a position, the first one in "
            f"{records.image[few][0]}; remove them"
        )
    return records


def check_entries(config: TrainingConfig, sources: list[str]) -> None:
    """Check the tables by source of a configuration, before the fit, which is slow.

    Args:
        config: configuration of the run.
        sources: sources of all faces.

    Raises:
        ConfigError: an entry does not match any source and is not for a known dataset.
    """
    check_sources(sources, config.annotation_offset, "annotation_offset")
    suffixes = [face_profiling.SUFFIX] if config.face_profiling else []
    suffixes += [expression_warp.SUFFIX] if config.closed_eye_copies else []
    rendered = [source + suffix for source in sources for suffix in suffixes]
    for option in ("source_draws", "label_weight"):
        check_sources([*sources, *rendered], getattr(config, option), option)


def _with_rendered_faces(faces: PackedCrops, config: TrainingConfig) -> PackedCrops:
    rendered = []
    if config.face_profiling:
        profiling = FaceProfilingConfig()
        chosen = choose_near_frontal_faces(faces, config.face_profiling, profiling, config.seed)
        rendered.append(profile_faces(faces, chosen, profiling, config.seed))
    if config.closed_eye_copies:
        warping = ExpressionWarpConfig()
        chosen = choose_open_eyes(faces, config.closed_eye_copies, warping, config.seed)
        rendered.append(close_eyes(faces, chosen, warping, config.seed))
    return faces.joined(*rendered) if rendered else faces
