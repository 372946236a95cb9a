"""Shape-indexed features (supplement, section 2): deconv5 sampled at the landmarks of the previous iteration."""

import torch
from torch import Tensor
from torch.nn.functional import embedding


def shape_indexed(deconv5: Tensor, landmarks: Tensor) -> Tensor:
    """Phi(D_deconv5, S^{k-1}): one feature vector per landmark, sampled bilinearly.

    The landmarks get no gradient: the recurrence learns to correct them, and the gradient of sampling is noise at the
    scale of a few pixels.

    Written as a look-up of rows, not with `grid_sample`: 272 rows per face are read (and written in the backward pass),
    while the gradient of `grid_sample` covers the whole map.

    Args:
        deconv5: (B, C, m, m), any floating type.
        landmarks: (B, L, 2) crop frame; outside the crop the nearest edge is sampled.

    Returns:
        (B, L, C) of the landmarks' dtype; flattened, the paper's vector of 80 x 68 = 5440 numbers.
    """
    count, channels, size, _ = deconv5.shape
    rows = deconv5.permute(0, 2, 3, 1).reshape(count * size * size, channels)
    # The center of cell i is at (2 i + 1) / size - 1.
    position = ((landmarks.detach() + 1) * (size / 2) - 0.5).clamp(0, size - 1)
    low = position.floor().clamp(max=size - 2)
    x, y = (position - low).unbind(-1)
    column, row = low.long().unbind(-1)
    first = (torch.arange(count, device=row.device).unsqueeze(1) * size + row) * size + column
    corners = torch.stack([first, first + 1, first + size, first + size + 1], dim=-1)
    shares = torch.stack([(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y], dim=-1)
    return (embedding(corners, rows).to(landmarks.dtype) * shares.unsqueeze(-1)).sum(2)
