"""Shape-indexed features (supplement, section 2): deconv5 sampled at the landmarks of the previous iteration."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn.functional import embedding


class ShapeIndexedFeatures:
    """Phi(D_deconv5, .) for one map and any number of landmarks.

    The landmarks get no gradient: the recurrence learns to correct them, and the gradient of sampling is noise at the
    scale of a few pixels.

    Written as a look-up of rows, not with `grid_sample`: 272 rows per face are read, and the backward pass writes these
    rows of all samples into one map, instead of filling a map for each sample and adding them.

    Args:
        deconv5: (B, C, m, m), any floating type.
    """

    def __init__(self, deconv5: Tensor) -> None:
        count, channels, self._size, _ = deconv5.shape
        rows = deconv5.permute(0, 2, 3, 1).reshape(count * self._size * self._size, channels)
        self._rows = _Rows(rows.detach())
        self._gate: Tensor = _CollectGradients.apply(rows, self._rows)  # type: ignore[no-untyped-call]

    def at(self, landmarks: Tensor) -> Tensor:
        """One feature vector per landmark, sampled bilinearly.

        Args:
            landmarks: (B, L, 2) crop frame; outside the crop the nearest edge is sampled.

        Returns:
            (B, L, C) of the landmarks' dtype; flattened, the paper's vector of 80 x 68 = 5440 numbers.
        """
        size = self._size
        # The center of cell i is at (2 i + 1) / size - 1.
        position = ((landmarks.detach() + 1) * (size / 2) - 0.5).clamp(0, size - 1)
        low = position.floor().clamp(max=size - 2)
        x, y = (position - low).unbind(-1)
        column, row = low.long().unbind(-1)
        first = (torch.arange(len(landmarks), device=row.device).unsqueeze(1) * size + row) * size + column
        corners = torch.stack([first, first + 1, first + size, first + size + 1], dim=-1)
        shares = torch.stack([(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y], dim=-1)
        sampled: Tensor = _Sample.apply(self._gate, self._rows, corners, shares)  # type: ignore[no-untyped-call]
        return sampled


def shape_indexed(deconv5: Tensor, landmarks: Tensor) -> Tensor:
    """Phi(D_deconv5, S^{k-1}) of one set of landmarks, see `ShapeIndexedFeatures`.

    Args:
        deconv5: (B, C, m, m), any floating type.
        landmarks: (B, L, 2) crop frame; outside the crop the nearest edge is sampled.

    Returns:
        (B, L, C) of the landmarks' dtype.
    """
    return ShapeIndexedFeatures(deconv5).at(landmarks)


class _Rows:
    """The cells of a map as rows (R, C), and the gradients of its samples: pairs of cells (n,) and values (n, C)."""

    def __init__(self, values: Tensor) -> None:
        self.values = values
        self.gradients: list[tuple[Tensor, Tensor]] = []


class _CollectGradients(Function):
    """Rows (R, C) -> a number that every sample depends on, so that its backward pass runs after those of all
    samples."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, source: _Rows) -> Tensor:
        ctx.source = source
        return rows.new_zeros(())

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *_: Tensor) -> tuple[Tensor, None]:
        source = ctx.source
        cells, values = (torch.cat(parts) for parts in zip(*source.gradients, strict=True))
        source.gradients.clear()
        rows = len(source.values)
        return torch.ops.aten.embedding_dense_backward(values.to(source.values.dtype), cells, rows, -1, False), None


class _Sample(Function):
    """The weighted sum of four rows per landmark."""

    @staticmethod
    def forward(ctx: Any, gate: Tensor, source: _Rows, corners: Tensor, shares: Tensor) -> Tensor:
        ctx.source = source
        ctx.save_for_backward(corners, shares)
        return (embedding(corners, source.values).to(shares.dtype) * shares.unsqueeze(-1)).sum(2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        corners, shares = ctx.saved_tensors
        values = gradients[0].unsqueeze(2) * shares.unsqueeze(-1)
        ctx.source.gradients.append((corners.flatten(), values.flatten(0, 2)))
        return ctx.source.values.new_zeros(()), None, None, None
