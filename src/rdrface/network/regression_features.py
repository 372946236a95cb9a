"""The regression feature network (supplement, section 2): Res3b -> deconv4 -> deconv5, and conv6 in training."""

from torch import Tensor, nn

from rdrface.landmarks import NUM_LANDMARKS
from rdrface.network.sizes import FULL, NetworkSizes


class RegressionFeatures(nn.Module):
    """Two deconvolutions (kernel 4, stride 2) from Res3b to half the crop's resolution.

    The supplement does not state what follows each deconvolution; batch normalization and ReLU are our choice.

    Args:
        sizes: layer sizes of the network.
    """

    def __init__(self, sizes: NetworkSizes = FULL) -> None:
        super().__init__()
        res3b, deconv4, deconv5 = sizes.stages[1], sizes.deconv4, sizes.deconv5
        self.deconv4 = nn.Sequential(
            nn.ConvTranspose2d(res3b, deconv4, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(deconv4), nn.ReLU()
        )
        self.deconv5 = nn.Sequential(
            nn.ConvTranspose2d(deconv4, deconv5, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(deconv5), nn.ReLU()
        )

    def forward(self, res3b: Tensor) -> Tensor:
        """(B, 128, n, n) -> deconv5 (B, 80, 4n, 4n); with `FULL` at the paper's 256 px: 48x64x64, then 80x128x128."""
        features: Tensor = self.deconv5(self.deconv4(res3b))
        return features


class LandmarkResponse(nn.Module):
    """conv6, used in training only: one response map per landmark, whose softmax over all cells gives its position.

    Its loss makes deconv5's features discriminate between the landmarks. It is not exported.

    Args:
        sizes: layer sizes of the network.
    """

    def __init__(self, sizes: NetworkSizes = FULL) -> None:
        super().__init__()
        self.conv6 = nn.Conv2d(sizes.deconv5, NUM_LANDMARKS, 1)

    def forward(self, deconv5: Tensor) -> Tensor:
        """(B, 80, m, m) -> (B, 68, m, m) logits."""
        logits: Tensor = self.conv6(deconv5)
        return logits
