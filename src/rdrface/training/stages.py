"""The stages of training: the trained parts of the network and the number of iterations, in order."""

from collections.abc import Callable

from torch import nn

from rdrface.network.rdr import RDR

Parts = list[nn.Module]


def initialization(network: RDR) -> tuple[Parts, int]:
    """Backbone, 3D parameter initialization and regression features, without the recurrence."""
    return [network.backbone, network.initialization, network.regression_features, network.response], 0


def refinement(network: RDR) -> tuple[Parts, int]:
    """Only the recurrence, with fixed features."""
    return [network.pe_lstm, network.c_lstm, network.jawline_readout, network.uncertainty], network.iterations


def features(network: RDR) -> tuple[Parts, int]:
    """Only backbone and regression features: the layers after them are those of the weights that the run starts from,
    which can have such features for each of several crop sizes (`rdrface.training.export`)."""
    return [network.backbone, network.regression_features], network.iterations


def joint(network: RDR) -> tuple[Parts, int]:
    """The whole network."""
    return [network], network.iterations


def enter(network: RDR, name: str) -> int:
    """Prepare a network for a stage: only the stage's parts are trained; the batch statistics of the rest stay fixed.

    Args:
        network: the network, changed in place.
        name: name of the stage, one of `rdrface.training.config.STAGES`.

    Returns:
        K of the stage.
    """
    stages: dict[str, Callable[[RDR], tuple[Parts, int]]] = {
        "initialization": initialization,
        "refinement": refinement,
        "joint": joint,
        "features": features,
    }
    parts, iterations = stages[name](network)
    network.train(False).requires_grad_(False)
    for part in parts:
        part.train(True).requires_grad_(True)
    return iterations
