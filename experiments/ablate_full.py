"""Ablations of what the backbone learns: the whole network from a random start, small and short (docs/ablation.md).

    python experiments/ablate_full.py RUN -o runs/ablation        # killed, it goes on where it was

Trains with `rdrface.training.loop.train` on a part of RUN's faces, at 64 pixels: conv6's loss, and turned faces.
"""

import argparse
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric

from ablate_scores import RUN_TO, Results, Truth, face_errors, summary
from rdrface.datasets.crops import PackedCrops
from rdrface.network.rdr import RDR
from rdrface.training.augmentation.augment import augment
from rdrface.training.augmentation.config import no_augmentation
from rdrface.training.augmentation.crop_batch import CropBatch
from rdrface.training.config import StageConfig, TrainingConfig
from rdrface.training.face_profiling.face_profiling import SUFFIX, ProfilingConfig, choose_faces, profile_faces
from rdrface.training.loop import train
from rdrface.training.run_folder import TRAIN, VAL, pack_file

SIZE, BATCH = 64, 32
TURNED = 1500


@dataclass(frozen=True)
class Variant:
    """One line of the table.

    Attributes:
        meaning: for the table.
        loss: changes of `LossWeights`.
        turned: faces turned out of the picture's plane are added to those to learn from.
        seeds: how many trainings by default.
    """

    meaning: str
    loss: dict[str, float] = field(default_factory=dict)
    turned: bool = False
    seeds: int = 1


VARIANTS = {
    "full": Variant("whole network, 64 px", seeds=2),
    "full-no-conv6": Variant("without conv6's loss", loss={"response": 0.0}),
    "full-turned": Variant("with turned faces added", turned=True),
}


def configuration(variant: Variant, steps: int, seed: int) -> TrainingConfig:
    """One stage, everything at once; few changes of the pixels, since so few steps cannot learn to bear them."""
    stage = StageConfig("joint", steps, crop_size=SIZE, batch_size=BATCH, appearance_strength=0.3)
    return TrainingConfig(
        (stage,),
        seed=seed,
        ema_decay=0.99,
        validation_every=steps,
        checkpoint_every=120.0,
        loss={"projection_jawline": 0.4, **variant.loss},
    )


def part_of(path: Path, count: int) -> PackedCrops:
    """Some of the faces of a file, always the same; none that a run has turned."""
    faces = PackedCrops.load(path)
    turned = [number for number, name in enumerate(faces.source_names) if name.endswith(SUFFIX)]
    straight = np.flatnonzero(~np.isin(faces.source, turned))
    return faces.select(np.sort(np.random.default_rng(1).permutation(straight)[:count]))


def with_turned(faces: PackedCrops, count: int, path: Path) -> PackedCrops:
    """Faces and `count` of them turned, which are kept in a file.

    Raises:
        SystemExit: fewer faces are fit to be turned.
    """
    if path.is_file():
        turned = PackedCrops.load(path)
    else:
        turned = profile_faces(faces, choose_faces(faces, count, ProfilingConfig(), 0), ProfilingConfig(), 0)
        turned.save(path)
    if len(turned) != count:
        raise SystemExit(f"{path}: {len(turned)} turned faces for {count}; remove it, or take more --faces")
    return faces.joined(turned)


@torch.no_grad()
def evaluate(network: RDR, faces: PackedCrops) -> dict[str, float]:
    """Scores on held-out faces."""
    generator = torch.Generator().manual_seed(0)
    rows, yaw = [], []
    for start in range(0, len(faces), 64):
        index = np.arange(start, min(start + 64, len(faces)))
        crops, labels = augment(CropBatch.of(faces, index), SIZE, no_augmentation(), generator)
        truth = Truth.of(labels, network.projection)
        with torch.autocast("cpu", torch.bfloat16):
            steps = network(crops.contiguous(memory_format=torch.channels_last), RUN_TO).steps
        rows.append(face_errors(steps, truth, network.iterations))
        yaw.append(truth.yaw)
    return summary(torch.cat(rows).numpy(), torch.cat(yaw).numpy(), network.iterations)


def main() -> None:
    """Run what is not done yet and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, metavar="RUN", help="folder with train.safetensors and val.safetensors")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder for what is made on the way")
    parser.add_argument("--only", nargs="+", choices=VARIANTS, metavar="NAME", help=f"of {', '.join(VARIANTS)}")
    parser.add_argument("--steps", type=int, default=500, help=f"of {BATCH} faces, per variant (default 500)")
    parser.add_argument("--faces", type=int, default=6000, help="to learn from (default 6000)")
    parser.add_argument("--seeds", type=int, help="trainings per variant; default: 2 of the base, 1 of the others")
    parser.add_argument("--turned", type=int, default=TURNED, help=f"turned faces (default {TURNED})")
    parser.add_argument("--json", type=Path, help="one line per training; default: OUT/ablation.jsonl")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)

    learn, check = part_of(pack_file(args.run, TRAIN), args.faces), PackedCrops.load(pack_file(args.run, VAL))
    settings = {
        "size": SIZE,
        "faces": len(learn),
        "held_out": len(check),
        "steps": args.steps,
        "turned": args.turned,
    }
    results = Results(args.json or args.out / "ablation.jsonl", settings)
    fabric = Fabric(accelerator="cpu", devices=1, precision="bf16-mixed")
    fabric.launch()
    for name in args.only or VARIANTS:
        variant = VARIANTS[name]
        for seed in range(args.seeds or variant.seeds):
            if results.has(name, seed):
                continue
            faces = learn
            if variant.turned:
                faces = with_turned(learn, args.turned, args.out / f"turned_{len(learn)}_{args.turned}.safetensors")
            folder = args.out / f"{name}_{seed}_{len(faces)}_{args.steps}"
            began = time.monotonic()
            network = train(configuration(variant, args.steps, seed), faces, None, folder, fabric)
            assert network is not None  # there is no limit of time
            scores = evaluate(network, check)
            results.add(name, seed, scores, time.monotonic() - began)
            shutil.rmtree(folder)
            print(f"{name}, seed {seed}: {scores}", flush=True)
    print(results.table({name: variant.meaning for name, variant in VARIANTS.items()}))


if __name__ == "__main__":
    main()
