"""Exponential moving average (EMA) of the weights. It varies less than the weights of single steps, and is exported."""

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from rdrface.network.rdr import RDR

WARM_UP = 10
"""After n updates the decay is at most n / (n + WARM_UP), so the random initial weights soon have no influence."""


class EMA(AveragedModel):
    """A second network, `module`, whose parameters and buffers are averages of those of the trained network.

    Args:
        network: the network being trained; it is copied.
        decay: fraction of the average that is kept in each update, after the warm-up.
    """

    module: RDR

    def __init__(self, network: RDR, decay: float) -> None:
        super().__init__(network, use_buffers=True)
        self.decay = decay
        self.eval().requires_grad_(False)

    @property
    def updates(self) -> int:
        """Number of updates so far."""
        return int(self.n_averaged)

    @torch.no_grad()
    def update_parameters(self, model: nn.Module) -> None:
        """Move the average towards the current weights of the network, including the batch statistics.

        `AveragedModel` would copy the counter to the device in every update, which waits for an accelerator, and would
        replace the average by the weights in the first update.
        """
        self.n_averaged += 1
        average_(_tensors(self.module), _tensors(model), min(self.decay, self.updates / (self.updates + WARM_UP)))


def average_(averages: list[Tensor], values: list[Tensor], decay: float) -> None:
    """average <- decay average + (1 - decay) value, in place; integer tensors are copied.

    All tensors are updated in a few calls, because an accelerator would wait for the launches of 250 small ones.
    """
    floating = [i for i, tensor in enumerate(averages) if tensor.is_floating_point()]
    integer = [i for i, tensor in enumerate(averages) if not tensor.is_floating_point()]
    torch._foreach_lerp_([averages[i] for i in floating], [values[i] for i in floating], 1 - decay)
    torch._foreach_copy_([averages[i] for i in integer], [values[i] for i in integer])


def _tensors(network: nn.Module) -> list[Tensor]:
    return [*network.parameters(), *network.buffers()]
