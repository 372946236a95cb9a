"""The exponential average of the weights: steadier than the weights of any one step, and what is exported."""

import copy

import torch

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
        mine, theirs = self.network.state_dict(), network.state_dict()
        for name, value in mine.items():
            if value.is_floating_point():
                value.lerp_(theirs[name], 1 - keep)
            else:
                value.copy_(theirs[name])
