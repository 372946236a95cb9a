"""ResNet-18 up to its last convolution (supplement, section 2: all layers after pool5 are removed).

It has two outputs: Res3b, for the regression feature network, and Res5b, for pool5 and the parameter initialization.
Written here and not imported, so that all parts of the model can be read in this package.
"""

import torch
from torch import Tensor, nn

from rdrface.network.sizes import FULL, NetworkSizes


class ResidualBlock(nn.Module):
    """The basic block of He et al. 2015: two 3x3 convolutions and a shortcut.

    Args:
        inputs: number of input channels.
        outputs: number of output channels.
        stride: stride of the first convolution and of the shortcut.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv_a = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.norm_a = nn.BatchNorm2d(outputs)
        self.conv_b = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm_b = nn.BatchNorm2d(outputs)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, outputs, H / stride, W / stride)."""
        y = torch.relu(self.norm_a(self.conv_a(x)))
        y = self.norm_b(self.conv_b(y))
        return torch.relu(y + self.shortcut(x))


def _stage(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(ResidualBlock(inputs, outputs, stride), ResidualBlock(outputs, outputs))


class Backbone(nn.Module):
    """ResNet-18 without the layers after its last convolution.

    Pixel values 0..255 are normalized here, with buffers, so that callers cannot forget it.

    Args:
        sizes: layer sizes of the network.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, sizes: NetworkSizes = FULL) -> None:
        super().__init__()
        res2, res3, res4, res5 = sizes.stages
        # One mean and one standard deviation for all channels: independent of any dataset, and colors do not change.
        self.register_buffer("mean", torch.full((1, 3, 1, 1), 116.0))
        self.register_buffer("std", torch.full((1, 3, 1, 1), 64.0))
        self.stem = nn.Sequential(
            nn.Conv2d(3, res2, 7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(res2),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        self.res2 = _stage(res2, res2, 1)
        self.res3 = _stage(res2, res3, 2)
        self.res4 = _stage(res3, res4, 2)
        self.res5 = _stage(res4, res5, 2)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if isinstance(module, ResidualBlock):
                # Blocks start as identities (Goyal et al. 2017), which helps short schedules.
                nn.init.zeros_(module.norm_b.weight)

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Features of crops.

        Args:
            crops: (B, 3, N, N) RGB, 0..255; N a multiple of 32, 256 in the paper.

        Returns:
            Res3b (B, 128, N/8, N/8) and Res5b (B, 512, N/32, N/32), with the channels of `FULL`; at N = 256: 32x32 and
            8x8.
        """
        x = self.res2(self.stem((crops - self.mean) / self.std))
        res3b = self.res3(x)
        return res3b, self.res5(self.res4(res3b))
