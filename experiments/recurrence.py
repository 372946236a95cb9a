"""Ablations of the recurrent part on a frozen backbone (docs/ablation.md).

    python experiments/recurrence.py RUN --steps 250
    python experiments/recurrence.py RUN --only K1 K5

RUN is the folder of a training, with checkpoint.pt, train.safetensors and val.safetensors. The convolutional part is
run once over the faces; every variant then trains a new recurrence on the cached features with the losses of the
package. Finished trainings are not repeated when the command is run again.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cached_features import CachedFaces, cache, mild_augmentation
from rdrface.cli.script import reports_errors
from rdrface.datasets.crops import PackedCrops
from rdrface.landmarks import NUM_LANDMARKS
from rdrface.network.rdr import RDR
from rdrface.training import stages
from rdrface.training.augmentation.config import no_augmentation
from rdrface.training.checkpoint import NAME, read_network
from rdrface.training.config import StageConfig
from rdrface.training.face_order import batches
from rdrface.training.loop import MAX_GRADIENT_NORM
from rdrface.training.losses.landmark_losses import point_loss
from rdrface.training.losses.objective import losses, total
from rdrface.training.losses.parameter_losses import parameter_distance, vertex_distance, weighted_parameter_distance
from rdrface.training.losses.weights import LossWeights
from rdrface.training.renamed import renamed_config
from rdrface.training.run_folder import TRAIN, VAL, pack_file
from rdrface.training.schedule import build_optimizer, learning_rate
from results import Results
from scores import BATCH, RUN_TO, face_errors, summary
from variants import LATER_LOSSES, RECURRENCE, Variant

AS_TRAINED = "as-trained"
RETRAINED = ("pe_lstm.", "c_lstm.", "jawline_readout.", "uncertainty.")
"""Parameters that start at random in every variant."""


def train_variant(
    variant: Variant, trained: RDR, faces: CachedFaces, loss: dict[str, float], steps: int, seed: int
) -> RDR:
    """Train the recurrence, and with `variant.heads` the initialization, from a random start.

    Args:
        variant: the options.
        trained: network that gives all other weights.
        faces: training faces.
        loss: weights of the base that differ from the defaults of `LossWeights`.
        steps: optimizer steps of 32 faces.
        seed: of the initial weights and of the order of the faces.
    """
    torch.manual_seed(seed)
    network = RDR(variant.iterations, variant.features, variant.contour)
    new = RETRAINED + (("initialization.",) if variant.heads else ())
    network.load_state_dict({n: v for n, v in trained.state_dict().items() if not n.startswith(new)}, strict=False)
    stages.enter(network, "refinement")
    network.initialization.requires_grad_(variant.heads)
    stage = StageConfig("refinement", steps, batch_size=32)
    weights = LossWeights(**{**loss, **variant.loss})
    optimizer = build_optimizer(network, stage)
    trainable = [p for p in network.parameters() if p.requires_grad]
    no_logits = torch.zeros(0, 68, 4, 4)  # conv6 is not trained
    order = batches(len(faces), stage.batch_size, seed)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(stage, step)
        index = torch.from_numpy(next(order))
        standardized = initial(network, faces, index) if variant.heads else faces.standardized[index]
        prediction = network.refine(faces.maps(index), standardized, variant.iterations)
        parts = losses(prediction, no_logits, faces.labels_of(index), network.scale.std, weights)
        optimizer.zero_grad()
        total(parts, weights).backward()
        torch.nn.utils.clip_grad_norm_(trainable, MAX_GRADIENT_NORM)
        optimizer.step()
    return network.eval()


def initial(network: RDR, faces: CachedFaces, index: Tensor | slice) -> Tensor:
    """Standardized parameters (B, 103) that the network's initialization predicts."""
    with torch.autocast("cpu", torch.bfloat16):
        return network.initialization(faces.pool5[index]).float()


@torch.no_grad()
def evaluate(network: RDR, faces: CachedFaces) -> dict[str, float]:
    """Scores on held-out faces."""
    errors = []
    for number, truth in enumerate(faces.truth):
        index = slice(BATCH * number, BATCH * (number + 1))
        steps = network.refine(faces.maps(index), initial(network, faces, index), RUN_TO).steps
        errors.append(face_errors(steps, truth, network.iterations))
    return summary(errors, [truth.yaw for truth in faces.truth], network.iterations)


def gradient_norms(trained: RDR, faces: CachedFaces) -> dict[str, float]:
    """Median over faces of the norm of each loss's gradient with respect to the standardized Q, at weight 1.

    The gradients are taken at the errors of the trained initialization. The weights of the parameter losses in
    variants.py give the same median as the 3D loss at weight 0.4.
    """
    index = torch.arange(min(512, len(faces)))
    labels = faces.labels_of(index)
    standardized = faces.standardized[index].clone().requires_grad_()
    q = trained.scale(standardized)
    trust = labels.trust.unsqueeze(1).expand(-1, NUM_LANDMARKS)
    values = {
        "projection_jawline": point_loss(trained.projection(q)[1], labels.jawline, trust),
        "parameters": parameter_distance(q, labels.q, trained.scale.std, labels.trust),
        "wpdc": weighted_parameter_distance(q, labels.q, trained.scale.std, labels.trust),
        "vertex": vertex_distance(q, labels.q, labels.trust),
    }
    gradients = {name: torch.autograd.grad(v, standardized, retain_graph=True)[0] for name, v in values.items()}
    return {name: float((gradient.norm(dim=1) * len(index)).median()) for name, gradient in gradients.items()}


@reports_errors
def main() -> None:
    """Train the variants that have no result yet and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a training")
    parser.add_argument("--only", nargs="+", choices=RECURRENCE, metavar="NAME", help=f"of {', '.join(RECURRENCE)}")
    parser.add_argument("--steps", type=int, default=250, help="of 32 faces, per variant (default: 250)")
    parser.add_argument("--faces", type=int, default=2500, help="training faces (default: 2500)")
    parser.add_argument("--json", type=Path, help="one line per training (default: RUN/recurrence.jsonl)")
    parser.add_argument("--threads", type=int, default=2, help="default: 2")
    parser.add_argument("--gradient-norms", action="store_true", help="print the gradient norms of the losses only")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)

    trained, size = read_network(args.run)
    trained = trained.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    state = torch.load(args.run / NAME, map_location="cpu", weights_only=True)
    loss = {**renamed_config(state["config"])["loss"], **LATER_LOSSES}
    train_faces = PackedCrops.load(pack_file(args.run, TRAIN))
    chosen = np.sort(np.random.default_rng(0).permutation(len(train_faces))[: args.faces])
    faces = cache(trained, train_faces.select(chosen), size, mild_augmentation())
    if args.gradient_norms:
        print(gradient_norms(trained, faces))
        return
    held_out = cache(trained, PackedCrops.load(pack_file(args.run, VAL)), size, no_augmentation())

    checkpoint = {"stage": state["stage"], "step": state["step"]}
    counts = {"faces": len(faces), "held_out": len(held_out), "steps": args.steps}
    results = Results(args.json or args.run / "recurrence.jsonl", {"checkpoint": checkpoint, "loss": loss, **counts})
    if not any(row["variant"] == AS_TRAINED for row in results.read()):
        results.add(AS_TRAINED, 0, evaluate(trained, held_out))
    variants = {name: RECURRENCE[name] for name in args.only or RECURRENCE}

    def train(variant: Variant, name: str, seed: int) -> dict[str, float]:
        return evaluate(train_variant(variant, trained, faces, loss, args.steps, seed), held_out)

    results.complete(variants, train)
    meanings = {AS_TRAINED: "trained network, all parts together"}
    print(results.table(meanings | {name: variant.meaning for name, variant in RECURRENCE.items()}))


if __name__ == "__main__":
    sys.exit(main())
