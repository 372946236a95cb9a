"""Learning rate and optimizer of a stage."""

import math

import torch

from rdrface.network.rdr import RDR
from rdrface.training.config import StageConfig


def learning_rate(stage: StageConfig, step: int) -> float:
    """Learning rate of a step: linear warm-up, then a cosine decay to ``final_fraction`` of the maximum.

    Args:
        stage: the stage.
        step: number of the step, 0 .. steps - 1.
    """
    warmup_steps = max(1.0, stage.warmup_fraction * stage.steps)
    if step < warmup_steps:
        return stage.learning_rate * (step + 1) / warmup_steps
    progress = min((step - warmup_steps) / max(1.0, stage.steps - warmup_steps), 1.0)
    final = stage.final_fraction
    return stage.learning_rate * (final + (1 - final) * 0.5 * (1 + math.cos(math.pi * progress)))


def build_optimizer(network: RDR, stage: StageConfig) -> torch.optim.AdamW:
    """AdamW for the parameters that the stage trains. Vectors (biases, normalizations) have no weight decay."""
    trained = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": stage.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=stage.learning_rate, betas=(0.9, 0.98), fused=True)
