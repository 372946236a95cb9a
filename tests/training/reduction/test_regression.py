"""Selection of channels, and least squares."""

import pytest

torch = pytest.importorskip("torch")

from rdrface.training.reduction.regression import linear_map, select_channels  # noqa: E402


def test_a_linear_map_is_recovered() -> None:
    torch.manual_seed(0)
    inputs, weight, bias = torch.randn(500, 6) + 3, torch.randn(4, 6), torch.randn(4)
    found = linear_map(inputs, inputs @ weight.T + bias)
    assert (found[0] - weight).abs().max() < 0.02
    assert (inputs @ found[0].T + found[1] - inputs @ weight.T - bias).abs().max() < 0.05


def test_copies_of_a_channel_are_chosen_once() -> None:
    torch.manual_seed(0)
    a, b, c = torch.randn(3, 500)
    values = torch.stack([a, a, b, a + b, c, 2 * a], 1)
    chosen = select_channels(values, torch.ones(6), 3).tolist()
    assert chosen == sorted(chosen)
    # Three channels span all six only if they are independent.
    assert torch.linalg.matrix_rank(values[:, chosen]) == 3


def test_an_unused_channel_is_not_chosen() -> None:
    torch.manual_seed(0)
    values = torch.randn(500, 4) * torch.tensor([1.0, 1.0, 9.0, 1.0])
    assert select_channels(values, torch.tensor([1.0, 1.0, 0.0, 1.0]), 3).tolist() == [0, 1, 3]
