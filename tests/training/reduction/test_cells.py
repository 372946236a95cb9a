"""Convolutions fitted to the outputs of others."""

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from rdrface.training.reduction.cells import cells, fit_convolution, fit_deconvolution  # noqa: E402


@pytest.mark.parametrize(("side", "stride", "padding"), [(3, 1, 1), (3, 2, 1), (1, 2, 0), (1, 1, 0)])
@torch.no_grad()
def test_a_convolution_is_recovered_from_its_outputs(side: int, stride: int, padding: int) -> None:
    torch.manual_seed(0)
    known, fitted = (nn.Conv2d(3, 4, side, stride, padding, bias=False) for _ in range(2))
    norm = nn.BatchNorm2d(4).eval()
    inputs = torch.randn(40, 3, 8, 8)
    target = known(inputs) + 0.7
    outputs = fit_convolution(fitted, norm, inputs, cells(target))
    assert (outputs - target).abs().max() < 0.02
    assert (fitted.weight - known.weight).abs().max() < 0.01


@torch.no_grad()
def test_a_deconvolution_is_recovered_from_its_outputs() -> None:
    torch.manual_seed(0)
    known, fitted = (nn.ConvTranspose2d(3, 4, 4, 2, 1, bias=False) for _ in range(2))
    norm = nn.BatchNorm2d(4).eval()
    inputs = torch.randn(40, 3, 8, 8)
    fit_deconvolution(fitted, norm, inputs, known(inputs) + 0.7)
    assert (norm(fitted(inputs)) - known(inputs) - 0.7).abs().max() < 0.02
    assert (fitted.weight - known.weight).abs().max() < 0.01
