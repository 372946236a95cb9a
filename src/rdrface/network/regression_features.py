"""The regression feature network (supplement, section 2): Res3b -> deconv4 -> deconv5, and conv6 in training."""

from torch import Tensor, nn

from rdrface.landmarks import NUM_LANDMARKS

CHANNELS = 80
"""Channels of deconv5: the length of one landmark's shape-indexed feature."""


class RegressionFeatures(nn.Module):
    """Two deconvolutions (kernel 4, stride 2) from Res3b to half the crop's resolution.

    The supplement does not state what follows each deconvolution; batch normalization and ReLU are our choice.
    """

    def __init__(self) -> None:
        super().__init__()
        self.deconv4 = nn.Sequential(
            nn.ConvTranspose2d(128, 48, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(48), nn.ReLU()
        )
        self.deconv5 = nn.Sequential(
            nn.ConvTranspose2d(48, CHANNELS, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(CHANNELS), nn.ReLU()
        )

    def forward(self, res3b: Tensor) -> Tensor:
        """(B, 128, n, n) -> deconv5 (B, 80, 4n, 4n); at the paper's 256 px: 48x64x64, then 80x128x128."""
        features: Tensor = self.deconv5(self.deconv4(res3b))
        return features


class LandmarkResponse(nn.Module):
    """conv6, used in training only: one response map per landmark, whose softmax over all cells gives its position.

    Its loss makes deconv5's features discriminate between the landmarks. It is not exported.
    """

    def __init__(self, landmarks: int = NUM_LANDMARKS) -> None:
        super().__init__()
        self.conv6 = nn.Conv2d(CHANNELS, landmarks, 1)

    def forward(self, deconv5: Tensor) -> Tensor:
        """(B, 80, m, m) -> (B, 68, m, m) logits."""
        logits: Tensor = self.conv6(deconv5)
        return logits
