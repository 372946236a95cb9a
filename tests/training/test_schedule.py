"""Learning rate and optimizer of a stage."""

import pytest
import torch

from rdrface.network.rdr import RDR
from rdrface.training import stages
from rdrface.training.config import StageConfig
from rdrface.training.schedule import build_optimizer, learning_rate


def test_learning_rate_rises_and_falls() -> None:
    stage = StageConfig("joint", 100, learning_rate=1.0, warmup_fraction=0.1, final_fraction=0.05)
    rates = [learning_rate(stage, step) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == pytest.approx(1.0)
    assert rates[-1] == pytest.approx(0.05, abs=0.01)


def test_the_optimizer_has_the_parameters_of_the_stage_and_decays_matrices_only() -> None:
    network = RDR(1)
    stages.enter(network, "refinement")
    matrices, vectors = build_optimizer(network, StageConfig("refinement", 1, weight_decay=0.3)).param_groups
    assert (matrices["weight_decay"], vectors["weight_decay"]) == (0.3, 0.0)
    trained = {id(p) for part in (network.pe_lstm, network.c_lstm) for p in part.parameters()}
    trained |= {id(p) for part in (network.jawline_readout, network.uncertainty) for p in part.parameters()}
    assert {id(p) for p in [*matrices["params"], *vectors["params"]]} == trained
    assert all(p.ndim > 1 for p in matrices["params"]) and all(p.ndim <= 1 for p in vectors["params"])
    assert isinstance(matrices["params"][0], torch.nn.Parameter)
