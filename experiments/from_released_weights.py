"""Ablations of the whole network from released weights, at full size (docs/ablation.md).

    python experiments/from_released_weights.py RUN -o runs/ablation --accelerator cuda
    python experiments/from_released_weights.py RUN -o runs/ablation --variants base no-wpdc --minutes 10

RUN is the folder of a training with the packaged configuration `continue`: train.safetensors and val.safetensors are
used. Each variant continues the training of the released weights with the settings of `continue` and the losses of
`rdr`, except for one. The learning rate falls to 0. A training that was stopped is continued, and finished trainings
are not repeated, when the command is run again.
"""

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric

from rdrface.cli.options import positive
from rdrface.cli.script import reports_errors
from rdrface.datasets.crops import PackedCrops
from rdrface.loading import weights_path
from rdrface.training.config import TrainingConfig
from rdrface.training.config_file import load_config
from rdrface.training.restore import restore
from rdrface.training.run_folder import TRAIN, VAL, pack_file
from results import Results
from scores import NME, PROJECTION, YAW_BINS
from training_runs import arbitrary_rotation, evaluate, train_and_score
from variants import FROM_RELEASED, Variant

RELEASED = "released"
EMA_DECAY = 0.99
"""Shorter than that of `continue`, whose average over 1,000 steps would contain much of the released weights."""

FITTED_LABELS = "300w_lp"
"""Source of faces that are not scored: their labels come from a fitted model, and a variant without them would be
judged more severely."""

TABLES = (
    (*NME[:5], "nme", *YAW_BINS, "any_angle"),
    (*PROJECTION[:5], "projection", "jawline", "occlusion_area", "blink_area"),
)
"""Columns of the printed tables."""


def configuration(
    variant: Variant, network: str, crop_size: int, steps: int, batch_size: int, seed: int
) -> TrainingConfig:
    """`continue` with the losses of `rdr` and the changes of a variant, shortened to one stage of `steps` steps.

    The learning rate is proportional to the number of faces per step (Goyal et al., arXiv 1706.02677, 2017).
    """
    base = load_config("continue")
    stage = base.stage[0]
    stage = replace(
        stage,
        steps=steps,
        batch_size=batch_size,
        crop_sizes=(crop_size,),
        # The recorded results are from before `continue` changed these.
        geometry_strength=1.0,
        no_face=0.0,
        learning_rate=stage.learning_rate * batch_size / stage.batch_size,
    )
    return replace(
        base,
        stage=(stage,),
        seed=seed,
        network=network,
        iterations=variant.iterations,
        ema_decay=EMA_DECAY,
        validation_every=steps,
        checkpoint_every=60.0,
        # With the loss of conv6, which `continue` leaves out as a result of these experiments.
        loss={**load_config("rdr").loss, **variant.loss},
    )


def without(faces: PackedCrops, text: str) -> PackedCrops:
    """The faces whose source does not contain a text; all faces if it is empty."""
    if not text:
        return faces
    found = np.array([text in name for name in faces.source_names])
    return faces.select(~found[faces.source])


def choose(faces: PackedCrops, count: int | None) -> PackedCrops:
    """A fixed random choice of `count` faces; all faces if it is None."""
    if count is None or count >= len(faces):
        return faces
    return faces.select(np.sort(np.random.default_rng(1).permutation(len(faces))[:count]))


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a training")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="FOLDER", help="results and checkpoints")
    names = ", ".join(FROM_RELEASED)
    parser.add_argument("--variants", nargs="+", choices=FROM_RELEASED, metavar="NAME", help=f"of {names}")
    parser.add_argument("--weights", type=weights_path, metavar="FILE|lite", help="default: the packaged full weights")
    parser.add_argument("--steps", type=positive, default=1000, help="per variant (default: 1000)")
    parser.add_argument("--batch-size", type=positive, default=64, help="faces per step (default: 64)")
    parser.add_argument("--size", type=positive, help="side of the crops in pixels (default: that of the weights)")
    parser.add_argument("--faces", type=positive, help="training faces (default: all)")
    parser.add_argument("--held-out", type=positive, help="faces to score on (default: all)")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after this time (default: no limit)")
    parser.add_argument("--accelerator", default="auto", help="cpu, cuda or auto (default)")
    parser.add_argument("--threads", type=positive, default=2, help="of the CPU (default: 2)")
    return parser.parse_args()


@reports_errors
def main() -> int:
    """Train the variants that have no result yet and print the tables; returns the exit status."""
    args = arguments()
    deadline = time.monotonic() + 60 * args.minutes
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    fabric = Fabric(accelerator=args.accelerator, devices=1, precision="bf16-mixed")
    fabric.launch()

    weights = args.weights or weights_path(None)
    released, info = restore(weights)
    size = args.size or info.input_size
    faces = choose(PackedCrops.load(pack_file(args.run, TRAIN)), args.faces)
    held_out = choose(without(PackedCrops.load(pack_file(args.run, VAL)), FITTED_LABELS), args.held_out)
    settings = {"weights": info.checksum, "size": size, "faces": len(faces), "held_out": len(held_out)}
    settings |= {"steps": args.steps, "batch_size": args.batch_size}
    results = Results(args.out / "from_released_weights.jsonl", settings)
    if not any(row["variant"] == RELEASED for row in results.read()):
        results.add(RELEASED, 0, evaluate(released.to(fabric.device), held_out, size))

    def train(variant: Variant, name: str, seed: int) -> dict[str, float] | None:
        config = configuration(variant, released.sizes.name, size, args.steps, args.batch_size, seed)
        chosen = without(faces, variant.without)
        folder = args.out / f"{name}_{seed}_{len(chosen)}_{args.steps}_{args.batch_size}_{size}"
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            return None
        with arbitrary_rotation(variant.arbitrary_rotation):
            return train_and_score(config, chosen, held_out, folder, fabric, weights, remaining)

    finished = results.complete({name: FROM_RELEASED[name] for name in args.variants or FROM_RELEASED}, train)
    meanings = {RELEASED: "released weights"} | {name: variant.meaning for name, variant in FROM_RELEASED.items()}
    for columns in TABLES:
        print(f"\n{results.table(meanings, columns)}")
    if not finished:
        print("time limit reached; run the same command again to continue", file=sys.stderr)
    return 0 if finished else 1


if __name__ == "__main__":
    sys.exit(main())
