"""Ablations of the whole network from a random start: few steps, small crops (docs/ablation.md).

    python experiments/whole_network.py RUN -o runs/ablation --steps 300

RUN is the folder of a training, with train.safetensors and val.safetensors. Each variant is trained by
`rdrface.training.loop.train` on a part of RUN's faces. Finished trainings are not repeated when the command is run
again.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric

from rdrface.cli.script import reports_errors
from rdrface.datasets.crops import PackedCrops
from rdrface.training.config import StageConfig, TrainingConfig
from rdrface.training.face_profiling.face_profiling import (
    SUFFIX,
    FaceProfilingConfig,
    choose_near_frontal_faces,
    profile_faces,
)
from rdrface.training.run_folder import TRAIN, VAL, pack_file
from results import Results
from training_runs import train_and_score
from variants import LATER_LOSSES, WHOLE_NETWORK, Variant

SIZE = 64
"""Side of the crops in pixels."""


def configuration(variant: Variant, steps: int, seed: int) -> TrainingConfig:
    """One stage that trains all parts. Appearance is augmented less than usual, because the training is short."""
    stage = StageConfig("joint", steps, crop_sizes=[SIZE], batch_size=32, appearance_strength=0.3)
    return TrainingConfig(
        (stage,),
        seed=seed,
        ema_decay=0.99,
        validation_every=steps,
        checkpoint_every=120.0,
        loss={"projection_jawline": 0.4, **LATER_LOSSES, **variant.loss},
    )


def training_faces(path: Path, count: int) -> PackedCrops:
    """A fixed random choice of `count` faces of a file, without those that face profiling rendered."""
    faces = PackedCrops.load(path)
    profiled = [number for number, name in enumerate(faces.source_names) if name.endswith(SUFFIX)]
    originals = np.flatnonzero(~np.isin(faces.source, profiled))
    return faces.select(np.sort(np.random.default_rng(1).permutation(originals)[:count]))


def with_profiled(faces: PackedCrops, count: int) -> PackedCrops:
    """The faces, and `count` of them rotated to larger yaw angles.

    Raises:
        SystemExit: fewer than `count` faces are near-frontal.
    """
    config = FaceProfilingConfig()
    chosen = choose_near_frontal_faces(faces, count, config, 0)
    if len(chosen) != count:
        raise SystemExit(f"only {len(chosen)} of {count} faces can be profiled; use more --faces or fewer --profiled")
    return faces.joined(profile_faces(faces, chosen, config, 0))


@reports_errors
def main() -> None:
    """Train the variants that have no result yet and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a training")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="FOLDER", help="results and checkpoints")
    parser.add_argument(
        "--only", nargs="+", choices=WHOLE_NETWORK, metavar="NAME", help=f"of {', '.join(WHOLE_NETWORK)}"
    )
    parser.add_argument("--steps", type=int, default=300, help="of 32 faces, per variant (default: 300)")
    parser.add_argument("--faces", type=int, default=6000, help="training faces (default: 6000)")
    parser.add_argument("--profiled", type=int, default=1500, help="profiled faces that are added (default: 1500)")
    parser.add_argument("--threads", type=int, default=2, help="default: 2")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)

    faces = training_faces(pack_file(args.run, TRAIN), args.faces)
    held_out = PackedCrops.load(pack_file(args.run, VAL))
    variants = {name: WHOLE_NETWORK[name] for name in args.only or WHOLE_NETWORK}
    settings = {"faces": len(faces), "held_out": len(held_out), "steps": args.steps, "profiled": args.profiled}
    results = Results(args.out / "whole_network.jsonl", settings)
    fabric = Fabric(accelerator="cpu", devices=1, precision="bf16-mixed")
    fabric.launch()

    def train_and_evaluate(variant: Variant, name: str, seed: int) -> dict[str, float] | None:
        chosen = with_profiled(faces, args.profiled) if variant.profiled else faces
        folder = args.out / f"{name}_{seed}_{len(chosen)}_{args.steps}"
        return train_and_score(configuration(variant, args.steps, seed), chosen, held_out, folder, fabric)

    results.complete(variants, train_and_evaluate)
    print(results.table({name: variant.meaning for name, variant in WHOLE_NETWORK.items()}))


if __name__ == "__main__":
    sys.exit(main())
