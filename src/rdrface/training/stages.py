"""The stages of training: which parts learn, with how many iterations. Small functions, in the order they are used."""

from collections.abc import Callable

from torch import nn

from rdrface.network.rdr import RDR

Parts = list[nn.Module]


def initialization(network: RDR) -> tuple[Parts, int]:
    """Heads and features: the backbone, the 3D parameter initialization and the regression features; no recurrence."""
    return [network.backbone, network.initialization, network.regression_features, network.response], 0


def refinement(network: RDR) -> tuple[Parts, int]:
    """The recurrence alone, on features that hold still."""
    return [network.pe_lstm, network.c_lstm, network.jawline_readout, network.uncertainty], network.iterations


def joint(network: RDR) -> tuple[Parts, int]:
    """Everything together."""
    return [network], network.iterations


def enter(network: RDR, name: str) -> int:
    """Prepare a network for a stage: only its parts learn, the rest neither learns nor moves its batch statistics.

    Args:
        network: changed in place.
        name: of the stage, as in `rdrface.training.config.STAGES`.

    Returns:
        The iterations the stage runs with.
    """
    stages: dict[str, Callable[[RDR], tuple[Parts, int]]] = {
        "initialization": initialization,
        "refinement": refinement,
        "joint": joint,
    }
    parts, iterations = stages[name](network)
    network.train(False).requires_grad_(False)
    for part in parts:
        part.train(True).requires_grad_(True)
    return iterations
