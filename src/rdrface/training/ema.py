"""The exponential average of the weights: steadier than the weights of any one step, and what is exported."""

import copy

import torch
from torch import Tensor

from rdrface.network.rdr import RDR


class WeightAverage:
    """Keeps a second network whose weights follow the trained one's slowly.

    Args:
        network: the network being trained; copied.
        decay: share of the average that is kept at each step, in the long run.
    """

    def __init__(self, network: RDR, decay: float) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.decay = decay
        self.updates = 0

    @torch.no_grad()
    def update(self, network: RDR) -> None:
        """Move the average towards the network's present weights; buffers (batch statistics) are averaged likewise."""
        self.updates += 1
        # A young average would remember the random start for long: let it run at a shorter memory first.
        keep = min(self.decay, self.updates / (self.updates + 10))
        mine, theirs = _tensors(self.network), _tensors(network)
        floating = [i for i, tensor in enumerate(mine) if tensor.is_floating_point()]
        whole = [i for i, tensor in enumerate(mine) if not tensor.is_floating_point()]
        # All tensors in a few calls: an accelerator waits for the launches of 250 small ones.
        torch._foreach_lerp_([mine[i] for i in floating], [theirs[i] for i in floating], 1 - keep)
        torch._foreach_copy_([mine[i] for i in whole], [theirs[i] for i in whole])


def _tensors(network: RDR) -> list[Tensor]:
    return [*network.parameters(), *network.buffers()]
