"""deconv5 only at the cells around the landmarks, for the exported graph.

A bilinear sample of deconv5 needs 2 x 2 of its cells. A transposed convolution with kernel 4 and stride 2 computes each
cell from 2 x 2 cells of its input, with one of four parts of the kernel: for even and odd rows and columns. Of 2 x 2
neighboring cells, one has an even row and an even column, and so on. So each of the four parts is a matrix that is
applied to one window per landmark: 4 x 68 windows instead of the whole map.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from rdrface.network.regression_features import RegressionFeatures


class PointFeatures(nn.Module):
    """Shape-indexed features without the map deconv5; the same values as `rdrface.network.shape_indexed`.

    Args:
        features: the layers of which it replaces deconv5. The batch normalization of deconv5 is folded into `weight`
            and `weight_bias`.
    """

    parity: Tensor

    def __init__(self, features: RegressionFeatures) -> None:
        super().__init__()
        deconvolution, norm, _ = features.deconv5
        assert isinstance(norm, nn.BatchNorm2d) and norm.running_var is not None and norm.running_mean is not None
        assert isinstance(deconvolution, nn.ConvTranspose2d)
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        self.weight = nn.Parameter((deconvolution.weight * scale[:, None, None]).detach())  # (C_in, C_out, 4, 4)
        self.weight_bias = nn.Parameter((norm.bias - norm.running_mean * scale).detach())
        self.register_buffer("parity", torch.tensor([[0.0], [1.0]]), persistent=False)

    def forward(self, table: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """Features at L points.

        Args:
            table: (B, n + 2, n + 2, C_in) deconv4 with a border of one zero.
            x, y: (B, L) crop frame; outside the crop the nearest edge is sampled.

        Returns:
            (B, L, C_out).
        """
        count, side, _, channels = table.shape
        points = x.shape[1]
        size = 2 * (side - 2)
        column, share_x = _windows(x[:, None, None], self.parity, size)
        row, share_y = _windows(y[:, None, None], self.parity[:, None], size)
        first = (row * side + column).view(count, -1, 1)
        cells = (first + torch.tensor([0.0, 1.0, side, side + 1])).to(torch.int32)
        cells = cells + torch.arange(count, dtype=torch.int32)[:, None, None] * (side * side)
        windows = embedding(cells, table.reshape(-1, channels)).view(count, 4, points, 4 * channels)
        features = torch.relu(windows @ self._kernels() + self.weight_bias)
        return (features * (share_y * share_x).view(count, 4, points, 1)).sum(1)

    def _kernels(self) -> Tensor:
        """(4, 4 C_in, C_out): the part of the kernel for each parity of row and column."""
        inputs, outputs = self.weight.shape[:2]
        parts = self.weight.flip(2, 3).view(inputs, outputs, 2, 2, 2, 2)  # dy, parity of y, dx, parity of x
        return parts.permute(3, 5, 2, 4, 0, 1).reshape(4, 4 * inputs, outputs)


def _windows(at: Tensor, parity: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Along one axis: the first padded cell of deconv4 under the even and under the odd neighbor in deconv5, and the
    bilinear weights of these neighbors.

    Args:
        at: (B, 1, 1, L) crop frame.
        parity: 0 and 1 along the axis of the result for even and odd.
        size: cells of deconv5.
    """
    # The center of cell i is at (2 i + 1) / size - 1.
    position = ((at + 1) * (size / 2) - 0.5).clamp(0, size - 1)
    low = torch.floor(position).clamp(max=size - 2)
    half = torch.floor(low / 2)
    odd = low - 2 * half
    window = half + odd + parity * (1 - odd)
    return window, 1 - torch.abs(position - (2 * window - parity))
