"""Initial weights of a smaller RDR from a trained one.

Layer by layer, from the input to the output: the channels of the smaller network are those channels of the trained one
from which the others can be reconstructed best. The weights of a layer reproduce the trained outputs of its channels as
well as possible (least squares on crops), given the smaller network's inputs of that layer. This is channel pruning (He
et al., ICCV 2017; Luo et al., ICCV 2017).

The training of the smaller network then starts from an error that it would reach after hundreds of thousands of faces
from random weights.
"""

import torch
from torch import Tensor

from rdrface.network.rdr import RDR
from rdrface.network.sizes import FULL, LITE, NetworkSizes
from rdrface.training.reduction.backbone import reduce_backbone
from rdrface.training.reduction.heads import reduce_initialization, reduce_lstms


def can_reduce(trained: NetworkSizes, small: NetworkSizes) -> bool:
    """Whether a network of the sizes `small` can be initialized from one of the sizes `trained`."""
    return (trained, small) == (FULL, LITE)


@torch.no_grad()
def reduce_network(trained: RDR, small: RDR, crops: Tensor) -> None:
    """Set the weights of a smaller network; conv6 and the uncertainty keep their initialization.

    Args:
        trained: trained network in evaluation mode, with at least one iteration.
        small: network to initialize, changed in place and put into evaluation mode. Its batch normalizations only add a
            bias: `rdrface.training.warm_start.set_statistics` must follow.
        crops: (B, 3, N, N) training crops, 0..255; about a thousand, so that the least squares are determined.
    """
    small.eval()
    large, reduced = reduce_backbone(trained, small, crops)
    reduce_initialization(trained, small, large, reduced)
    reduce_lstms(trained, small, crops)
