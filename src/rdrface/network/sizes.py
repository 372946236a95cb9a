"""Layer sizes of RDR: those of the paper, and those of the light network."""

from dataclasses import dataclass


@dataclass(frozen=True)
class NetworkSizes:
    """Numbers of channels and units of RDR's layers.

    Attributes:
        name: name in configurations and in the metadata of weights files.
        stages: channels of Res2 to Res5; the stem has as many as Res2.
        reduced: channels to which a 1x1 convolution reduces Res5b before pool5; None for no such convolution.
        fc5_id, fc5_p, fc5_exp: units of fc5 for alpha_id, P and alpha_exp.
        deconv4: channels of deconv4.
        deconv5: channels of deconv5, the length of one landmark's shape-indexed feature.
        hidden: length of the reduced features and of the LSTM states.
        uncertainty: hidden units per landmark of `rdrface.network.uncertainty.Uncertainty`.
        rotation: hidden units for the head's rotation in `Uncertainty`.
    """

    name: str
    stages: tuple[int, int, int, int]
    reduced: int | None
    fc5_id: int
    fc5_p: int
    fc5_exp: int
    deconv4: int
    deconv5: int
    hidden: int
    uncertainty: int
    rotation: int


FULL = NetworkSizes(
    name="full",
    stages=(64, 128, 256, 512),
    reduced=None,
    fc5_id=256,
    fc5_p=128,
    fc5_exp=512,
    deconv4=48,
    deconv5=80,
    hidden=256,
    uncertainty=16,
    rotation=64,
)
"""ResNet-18, fc5 and the deconvolutions of the supplement (section 2); the sizes after them are our choice."""

LITE = NetworkSizes(
    name="lite",
    stages=(32, 64, 128, 192),
    reduced=32,
    fc5_id=96,
    fc5_p=64,
    fc5_exp=192,
    deconv4=32,
    deconv5=32,
    hidden=128,
    uncertainty=8,
    rotation=32,
)
"""The light network: half the channels or fewer, in multiples of 32, which fill the registers of int8 kernels."""

NETWORKS = (FULL.name, LITE.name)
"""Values of the option `network` of a configuration."""


def network_sizes(name: str) -> NetworkSizes:
    """The sizes with a name.

    Raises:
        ValueError: the name is not one of `NETWORKS`.
    """
    for sizes in (FULL, LITE):
        if sizes.name == name:
            return sizes
    raise ValueError(f"the network must be one of {', '.join(NETWORKS)}; got {name!r}")
