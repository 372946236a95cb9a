"""Ablations of the recurrent part on a frozen backbone: which choice of ours matters (docs/ablation.md).

    python experiments/ablate.py RUN                 # everything, then the table; killed, it goes on where it was
    python experiments/ablate.py RUN --only K1 K5 --steps 200

RUN is the folder of a training (checkpoint, train.safetensors, val.safetensors). Its convolutional part is run once
over a part of the faces; every variant then trains a recurrence from a fresh random start on what it saw, with the
losses of the package. A variant takes a minute or two instead of hours.
"""

import argparse
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ablate_faces import BATCH, SeenFaces, mild, see
from ablate_scores import RUN_TO, Results, Truth, face_errors, summary
from rdrface.datasets.crops import PackedCrops
from rdrface.network.rdr import RDR
from rdrface.training import stages
from rdrface.training.augmentation.config import no_augmentation
from rdrface.training.batches import batches
from rdrface.training.config import StageConfig
from rdrface.training.losses.landmark_losses import point_loss
from rdrface.training.losses.objective import losses, total
from rdrface.training.losses.parameter_losses import parameter_distance, vertex_distance, weighted_parameter_distance
from rdrface.training.losses.weights import LossWeights
from rdrface.training.renamed import renamed_checkpoint
from rdrface.training.run_folder import TRAIN, VAL, pack_file
from rdrface.training.schedule import build_optimizer, learning_rate

FACES = 2500
AS_TRAINED = "as-trained"
LEARNED_AGAIN = ("pe_lstm.", "c_lstm.", "jawline_readout.", "uncertainty.")
NO_FIT = {"projection_jawline": 0.0, "parameters": 0.0}
"""What is left out where a parameter loss shall do its work alone."""


@dataclass(frozen=True)
class Variant:
    """One line of the table.

    Attributes:
        meaning: for the table.
        iterations: K.
        features, contour: of `rdrface.network.rdr.RDR`.
        loss: changes of the run's own `LossWeights`.
        heads: the initialization's fc5 and fc6 are learned again, too: what a loss does to the 3D face shows there.
        seeds: how many trainings by default.
    """

    meaning: str
    iterations: int = 3
    features: str = "previous"
    contour: str = "line"
    loss: dict[str, float] = field(default_factory=dict)
    heads: bool = False
    seeds: int = 1


VARIANTS = {
    "base": Variant("recurrence: K = 3, features at S_{k-1}, contour line", seeds=3),
    "K1": Variant("K = 1", iterations=1),
    "K2": Variant("K = 2", iterations=2),
    "K4": Variant("K = 4", iterations=4),
    "K5": Variant("K = 5", iterations=5),
    "features": Variant("C-LSTM's features at the new projection", features="projection", seeds=2),
    "contour": Variant("contour by extreme x", contour="extreme", seeds=2),
    "heads": Variant("recurrence and heads: as above", heads=True, seeds=3),
    "heads-contour": Variant("contour by extreme x", contour="extreme", heads=True),
    "heads-no-jawline": Variant(
        "without the 3D loss (projection_jawline)", loss={"projection_jawline": 0.0}, heads=True
    ),
    "heads-no-projection": Variant("without S_p's loss (projection)", loss={"projection": 0.0}, heads=True),
    "heads-landmarks": Variant(
        "S_k's loss only", loss={**NO_FIT, "projection": 0.0, "landmarks_jawline": 0.0}, heads=True
    ),
    # Instead of the 3D loss. The weights make all of them pull as hard as the 3D loss at 0.4 does, see `push`.
    "heads-none": Variant("no loss on the fit", loss=NO_FIT, heads=True),
    "heads-plain": Variant("plain parameter distance", loss={**NO_FIT, "parameters": 0.25}, heads=True),
    "heads-wpdc": Variant("WPDC", loss={**NO_FIT, "wpdc": 1.4}, heads=True),
    "heads-vertex": Variant("vertex distance", loss={**NO_FIT, "vertex": 0.5}, heads=True),
}


def train_variant(
    variant: Variant, trained: RDR, faces: SeenFaces, own: dict[str, float], steps: int, seed: int
) -> RDR:
    """A network whose recurrence (and heads) learned anew from a random start.

    Args:
        variant: what is different.
        trained: gives everything else.
        faces: to learn from.
        own: the run's own changes of `LossWeights`.
        steps: of 32 faces.
        seed: of the start and the order of the faces.
    """
    torch.manual_seed(seed)
    network = RDR(variant.iterations, variant.features, variant.contour)
    again = LEARNED_AGAIN + (("initialization.",) if variant.heads else ())
    network.load_state_dict({n: v for n, v in trained.state_dict().items() if not n.startswith(again)}, strict=False)
    stages.enter(network, "refinement")
    network.initialization.requires_grad_(variant.heads)
    stage = StageConfig("refinement", steps, batch_size=32)
    weights = LossWeights(**{**own, **variant.loss})
    optimizer = build_optimizer(network, stage)
    learning = [p for p in network.parameters() if p.requires_grad]
    no_maps = torch.zeros(0, 68, 4, 4)
    order = batches(len(faces), stage.batch_size, seed)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(stage, step)
        index = torch.from_numpy(next(order))
        whitened = initial(network, faces, index) if variant.heads else faces.whitened[index]
        prediction = network.refine(faces.maps(index), whitened, variant.iterations)
        parts = losses(prediction, no_maps, faces.labels_of(index), network.scale.std, weights)
        optimizer.zero_grad()
        total(parts, weights).backward()
        torch.nn.utils.clip_grad_norm_(learning, 5.0)
        optimizer.step()
    return network.eval()


def initial(network: RDR, faces: SeenFaces, index: torch.Tensor | slice) -> torch.Tensor:
    """(B, 103) whitened, by the network's own heads."""
    with torch.autocast("cpu", torch.bfloat16):
        return network.initialization(faces.res5b[index]).float()


@torch.no_grad()
def evaluate(network: RDR, faces: SeenFaces, truth: Truth) -> dict[str, float]:
    """Scores on held-out faces."""
    rows = []
    for start in range(0, len(faces), BATCH):
        some = slice(start, start + BATCH)
        steps = network.refine(faces.maps(some), initial(network, faces, some), RUN_TO).steps
        rows.append(face_errors(steps, truth.select(some), network.iterations))
    return summary(torch.cat(rows).numpy(), truth.yaw.numpy(), network.iterations)


def push(trained: RDR, faces: SeenFaces) -> dict[str, float]:
    """How hard each loss on the fit pulls at the parameters at weight 1: the median over faces of the norm of its
    gradient by the whitened Q, at the frozen initialization's own errors."""
    index = torch.arange(min(512, len(faces)))
    labels = faces.labels_of(index)
    whitened = faces.whitened[index].clone().requires_grad_()
    q = trained.scale(whitened)
    trust = labels.trust.unsqueeze(1).expand(-1, 68)
    each = {
        "jawline": point_loss(trained.projection(q)[1], labels.jawline, trust),
        "parameters": parameter_distance(q, labels.q, trained.scale.std, labels.trust),
        "wpdc": weighted_parameter_distance(q, labels.q, trained.scale.std, labels.trust),
        "vertex": vertex_distance(q, labels.q, labels.trust),
    }
    pulls = {name: torch.autograd.grad(loss, whitened, retain_graph=True)[0] for name, loss in each.items()}
    return {name: float((pull.norm(dim=1) * len(index)).median()) for name, pull in pulls.items()}


def load(checkpoint: Path) -> tuple[RDR, dict[str, Any]]:
    """The averaged network of a checkpoint, and the checkpoint's other contents."""
    state = renamed_checkpoint(torch.load(checkpoint, map_location="cpu", weights_only=True))
    config = state["config"]
    network = RDR(config["iterations"], config.get("features", "previous"), config.get("contour", "line"))
    network.load_state_dict(state["average"])
    return network.eval().to(memory_format=torch.channels_last), state  # type: ignore[call-overload]


def some_of(path: Path, count: int) -> PackedCrops:
    """Some of the faces of a file, always the same."""
    faces = PackedCrops.load(path)
    return faces.select(np.sort(np.random.default_rng(0).permutation(len(faces))[:count]))


def main() -> None:
    """Run what is not done yet and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a training run")
    parser.add_argument("--checkpoint", type=Path, help="default: RUN/checkpoint.pt; a copy, where RUN still goes on")
    parser.add_argument("--only", nargs="+", choices=VARIANTS, metavar="NAME", help=f"of {', '.join(VARIANTS)}")
    parser.add_argument("--steps", type=int, default=500, help="of 32 faces, per variant (default 500)")
    parser.add_argument("--faces", type=int, default=FACES, help=f"to learn from (default {FACES})")
    parser.add_argument(
        "--seeds", type=int, help="trainings per variant; default: 3 of the bases, 1 or 2 of the others"
    )
    parser.add_argument("--json", type=Path, help="one line per training; default: RUN/ablation.jsonl")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--push", action="store_true", help="only measure how hard the losses pull")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)

    trained, state = load(args.checkpoint or args.run / "checkpoint.pt")
    own = dict(state["config"]["loss"])
    check = PackedCrops.load(pack_file(args.run, VAL))
    settings = {
        "checkpoint": {"stage": state["stage"], "step": state["step"]},
        "loss": own,
        "faces": args.faces,
        "held_out": len(check),
        "steps": args.steps,
    }
    results = Results(args.json or args.run / "ablation.jsonl", settings)
    wanted = [
        (name, seed)
        for name in args.only or VARIANTS
        for seed in range(args.seeds or VARIANTS[name].seeds)
        if not results.has(name, seed)
    ]
    if wanted or args.push:
        began = time.monotonic()
        size = state["config"]["stage"][-1]["crop_size"]
        faces, _ = see(trained, some_of(pack_file(args.run, TRAIN), args.faces), size, mild(), seed=0)
        held, truth = see(trained, check, size, no_augmentation(), seed=0)
        print(f"saw {len(faces)} + {len(held)} faces in {time.monotonic() - began:.0f} s", flush=True)
        if not results.has(AS_TRAINED, 0):
            results.add(AS_TRAINED, 0, evaluate(trained, held, truth), 0.0)
    if args.push:
        print(push(trained, faces))
        return
    for name, seed in wanted:
        if results.has(name, seed):  # another process was faster
            continue
        began = time.monotonic()
        network = train_variant(VARIANTS[name], trained, faces, own, args.steps, seed)
        scores = evaluate(network, held, truth)
        results.add(name, seed, scores, time.monotonic() - began)
        print(f"{name}, seed {seed}: {scores}", flush=True)
    meanings = {AS_TRAINED: "the network itself, all trained together"}
    meanings |= {name: variant.meaning for name, variant in VARIANTS.items()}
    print(results.table(meanings))


if __name__ == "__main__":
    main()
