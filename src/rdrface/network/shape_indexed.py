"""Shape-indexed features (supplement, section 2): deconv5 read at the landmarks of the iteration before."""

from torch import Tensor
from torch.nn.functional import grid_sample


def shape_indexed(deconv5: Tensor, landmarks: Tensor) -> Tensor:
    """Phi(D_deconv5, S^{k-1}): one feature vector per landmark, sampled bilinearly.

    The places are data, not variables: no gradient flows into them. What a better place would have shown is what the
    recurrence has to learn, and the sampling's gradient is noise at the scale of a few pixels.

    Args:
        deconv5: (B, C, m, m).
        landmarks: (B, L, 2) in the crop frame; outside the crop the nearest edge is read.

    Returns:
        (B, L, C); flattened it is the paper's w = 80 x 68 = 5440 vector.
    """
    grid = landmarks.detach().to(deconv5.dtype).unsqueeze(2)
    sampled = grid_sample(deconv5, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return sampled.squeeze(3).transpose(1, 2)
