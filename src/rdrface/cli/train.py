"""`rdrface train`: from data sets to weights with one command."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from lightning_fabric import Fabric

from rdrface.aligner import PACKAGED_WEIGHTS
from rdrface.datasets.annotation_offset import without_offset
from rdrface.datasets.crops import PackedCrops, pack
from rdrface.datasets.readers import SETS, read_set
from rdrface.datasets.records import FaceRecords
from rdrface.datasets.sources import check_sources
from rdrface.datasets.synthetic import draw_faces
from rdrface.errors import ConfigError
from rdrface.finetuning.finetune import MINUTES, fine_tune
from rdrface.fitting import fit_records
from rdrface.fitting.estimated_boxes import with_missing_boxes
from rdrface.morphable.model import FaceModel
from rdrface.training.batches import held_out, person_keys
from rdrface.training.calibration import calibrate
from rdrface.training.checkpoint import start_file
from rdrface.training.config import TrainingConfig, load_config, shipped_configs
from rdrface.training.export import describe, export
from rdrface.training.expression_warping.expression_warp import ExpressionWarpConfig, choose_open_eyes, close_eyes
from rdrface.training.face_profiling.face_profiling import FaceProfilingConfig, choose_near_frontal_faces, profile_faces
from rdrface.training.fitted_labels import with_self_occlusion, without_fitted_outline
from rdrface.training.loop import train


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `rdrface train`."""
    parser.add_argument(
        "--config", help=f"a TOML file, or one of the shipped: {', '.join(shipped_configs())}; not with --setting"
    )
    parser.add_argument(
        "--data",
        action="append",
        default=[],
        metavar="SET=DIR|FILE.npz",
        help=f"a data set ({', '.join(SETS)}) and its folder, or records written by `rdrface fit`; may be repeated",
    )
    parser.add_argument("--synthetic", type=int, metavar="N", help="draw N faces instead of reading a data set")
    parser.add_argument(
        "-o", "--out", type=Path, required=True, help="folder of the run; an existing run goes on there"
    )
    parser.add_argument(
        "--from",
        dest="start",
        type=Path,
        metavar="RUN",
        help="begin with the weights of another run (its folder), or with those of NAME.safetensors; with --setting "
        "the default is the shipped weights",
    )
    parser.add_argument(
        "--setting",
        type=Path,
        metavar="DIR",
        help="learn other landmarks from DIR's photos, with a .pts file beside each (docs/finetuning.md)",
    )
    parser.add_argument("--name", default="own", help="with --setting: name of the setting and of its weights file")
    parser.add_argument(
        "--origin",
        type=int,
        choices=(0, 1),
        default=1,
        help="with --setting: the .pts files' number of the first pixel",
    )
    parser.add_argument(
        "--minutes", type=float, help=f"stop after so long, to go on another time; with --setting: default {MINUTES:g}"
    )
    parser.add_argument(
        "--pack-only",
        action="store_true",
        help="read, fit, split and pack the faces into the run's folder, then stop; the folder can be moved to another "
        "machine before the training",
    )
    parser.add_argument(
        "--quality",
        type=int,
        metavar="Q",
        help="with --pack-only: store the windows as WebP of quality 1 to 100",
    )
    parser.add_argument("--accelerator", default="auto", help="cpu, cuda, mps or auto (default)")
    parser.add_argument("--devices", default="auto", help="number of devices, or auto (default)")
    parser.add_argument("--nodes", type=int, default=1, help="number of machines (under torchrun)")
    parser.add_argument(
        "--precision", default="bf16-mixed", choices=("bf16-mixed", "32-true"), help="default: bf16-mixed"
    )


def run(arguments: argparse.Namespace) -> int:
    """Train, then export the averaged weights to ``OUT/weights/``; 0 when done, 1 when the time was up before."""
    if arguments.setting is not None:
        return _fine_tune(arguments)
    if arguments.config is None:
        raise ConfigError(f"--config is missing: a TOML file, or one of the shipped: {', '.join(shipped_configs())}")
    quality = arguments.quality
    if quality is not None and not (arguments.pack_only and 1 <= quality <= 100):
        need = "needs --pack-only" if 1 <= quality <= 100 else "must be a number from 1 to 100"
        raise ConfigError(f"--quality {need}; got {quality}")
    config = load_config(arguments.config)
    if arguments.start is not None:
        start_file(arguments.start)
    minutes = float("inf") if arguments.minutes is None else arguments.minutes
    folder: Path = arguments.out
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"-o {folder} is a file; wanted the folder of a run")
    folder.mkdir(parents=True, exist_ok=True)
    learn, check = packed_faces(config, arguments.data, arguments.synthetic, folder, quality)
    if arguments.pack_only:
        return _report_pack(folder, learn, check, arguments.config)
    fabric = Fabric(
        accelerator=arguments.accelerator,
        devices=arguments.devices,
        num_nodes=arguments.nodes,
        precision=arguments.precision,
    )
    fabric.launch()
    network = train(config, learn, check, folder, fabric, minutes * 60, arguments.start)
    if network is None:
        print(f"time is up; the same command goes on from {folder}", file=sys.stderr)
        return 1
    if fabric.is_global_zero:
        names = tuple(sorted({name.split("/")[0] for name in learn.source_names}))
        path = folder / "weights" / "rdr.safetensors"
        path.parent.mkdir(exist_ok=True)
        if check is not None:
            calibrate(network, check, config.stage[-1].size, config.iterations, fabric.device)
        export(network.cpu(), path, describe(network, config.stage[-1].size, names, metrics={}))
        print(f"weights: {path}")
    return 0


def _report_pack(folder: Path, learn: PackedCrops, check: PackedCrops | None, config: str) -> int:
    for name, faces in (("learn", learn), ("check", check)):
        if faces is not None:
            path = folder / f"{name}.safetensors"
            size = path.stat().st_size
            each = f"{size / len(faces) / 1e3:.1f} kB each"
            print(f"{path}: {len(faces)} faces, {faces.size} px, {size / 1e6:.1f} MB, {each}")
    print(f"to train on them, here or on another machine: rdrface train --config {config} -o {folder}")
    return 0


def _fine_tune(arguments: argparse.Namespace) -> int:
    """`--setting`: only a read-out learns, so neither a configuration nor a data set of the field is wanted."""
    if arguments.config is not None or arguments.data or arguments.synthetic is not None:
        raise ConfigError("--setting DIR names all there is to learn from; leave out --config, --data and --synthetic")
    minutes = MINUTES if arguments.minutes is None else arguments.minutes
    start = PACKAGED_WEIGHTS if arguments.start is None else arguments.start
    fine_tune(start, arguments.setting, arguments.out, arguments.name, minutes, arguments.origin)
    return 0


def packed_faces(
    config: TrainingConfig, data: list[str], synthetic: int | None, folder: Path, quality: int | None = None
) -> tuple[PackedCrops, PackedCrops | None]:
    """Faces to learn from and faces to check with: read, fitted, split and packed once, then kept in the run's folder.

    Args:
        config: of the run.
        data: as given to ``--data``.
        synthetic: how many faces to draw instead.
        folder: of the run. Packs that it holds already are read, whatever `data` names.
        quality: see `PackedCrops.save`.

    Raises:
        ConfigError: no data named, or too few faces.
        DataError: a set or file cannot be read.
    """
    learn_file, check_file = folder / "learn.safetensors", folder / "check.safetensors"
    if learn_file.is_file():
        if data or synthetic is not None or quality is not None:
            print(f"{folder} holds packed faces: they are used as they are, nothing is read again", file=sys.stderr)
        if not check_file.is_file() and config.validation_share > 0:
            print(f"{folder} holds no {check_file.name}: no validation, no calibration", file=sys.stderr)
        return PackedCrops.load(learn_file), PackedCrops.load(check_file) if check_file.is_file() else None
    records = read_faces(data, synthetic, folder, config.offset)
    kept = held_out(person_keys(records), config.validation_share)
    if kept.all():
        raise ConfigError(
            f"validation_share {config.validation_share} leaves none of {len(records)} faces to learn from"
        )
    check = pack(records.select(kept), config.window) if kept.any() else None
    if check is not None:
        check.save(check_file, quality)
    learn = pack(records.select(~kept), config.window)
    photos = learn
    if config.profiled:
        turning = FaceProfilingConfig()
        chosen = choose_near_frontal_faces(photos, config.profiled, turning, config.seed)
        learn = learn.joined(profile_faces(photos, chosen, turning, config.seed))
    if config.closed:
        closing = ExpressionWarpConfig()
        chosen = choose_open_eyes(photos, config.closed, closing, config.seed)
        learn = learn.joined(close_eyes(photos, chosen, closing, config.seed))
    learn.save(learn_file, quality)
    return learn, check


def read_faces(
    data: list[str], synthetic: int | None, folder: Path, offset: Mapping[str, Sequence[float]]
) -> FaceRecords:
    """Records with fits from everything named on the command line.

    Labels of sets are moved back by `offset` (see `TrainingConfig`) and then fitted; record files are taken as they
    are. In sets that mark no hidden points those of turned faces come from the fit; of 300W-LP the visible outline is
    left out (`rdrface.training.fitted_labels`).

    Raises:
        ConfigError: no data named, drawn faces besides, or an offset for a part without faces.
        DataError: a set or file cannot be read.
    """
    if (synthetic is None) == (not data):
        raise ConfigError("name the faces to train on: --data SET=DIR (or FILE.npz), or --synthetic N; not both")
    if synthetic is not None:
        if synthetic < 2:
            raise ConfigError(f"--synthetic wants 2 faces or more; got {synthetic}")
        return draw_faces(folder / "faces", synthetic)
    parts = []
    for item in data:
        name, _, where = item.partition("=")
        if where and name not in SETS:
            raise ConfigError(f"--data {item}: no reader for a set called {name!r}; there are: {', '.join(SETS)}")
        if where:
            part = with_missing_boxes(read_set(name, Path(where), "train"))
            part = without_offset(part, offset)
        else:
            part = FaceRecords.load(item)
        parts.append(part)
    check_sources(np.concatenate([part.source for part in parts]).tolist(), offset, "offset")
    model = FaceModel.load()
    fitted = [part if part.Q is not None else fit_records(part, model) for part in parts]
    return FaceRecords.concat([without_fitted_outline(with_self_occlusion(part, model)) for part in fitted])
