"""Crops without a face: what a detector reports by mistake. They teach the uncertainty to be large there.

They are made of the packed faces: a small part of one, enlarged, such as hair, clothes, a cheek or the background; or a
crop whose tiles are in another order, which has every texture of a face but not its shape.
"""

import torch
from torch import Tensor

from rdrface.training.augmentation.rng import to_device, uniform

ENLARGEMENT = (2.5, 7.0)
"""Range of the enlargement of a part, relative to the crop of the face."""

TILE_COUNTS = (3, 4, 6, 8)
"""Numbers of tiles along a side of a crop. With two, the left half of a face often stays as it is."""


def look_at_parts(
    valid: Tensor, chosen: Tensor, scale: Tensor, shift: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Move some crops to a small part of their packed face, anywhere in the image.

    Args:
        valid: (B, 4) xyxy of the images, packed frame.
        chosen: (B,) bool, the crops to move.
        scale, shift: (B,), (B, 2) of crop = scale packed + shift.
        generator: random number generator.

    Returns:
        scale (B,) and shift (B, 2); those of the other crops do not change.
    """
    count, device = len(valid), valid.device
    enlarged = scale * uniform((count,), *ENLARGEMENT, generator, device)
    center = valid[:, :2] + uniform((count, 2), 0, 1, generator, device) * (valid[:, 2:] - valid[:, :2])
    return (
        torch.where(chosen, enlarged, scale),
        torch.where(chosen[:, None], -center * enlarged[:, None], shift),
    )


def shuffle_tiles(crops: Tensor, chosen: Tensor, generator: torch.Generator) -> Tensor:
    """Put the tiles of some crops into a random order.

    Args:
        crops: (B, 3, N, N), changed in place.
        chosen: (B,) bool on the generator's device, the crops to change.
        generator: random number generator.

    Returns:
        `crops`. All of them have the same number of tiles and the same order.
    """
    count = TILE_COUNTS[int(torch.randint(len(TILE_COUNTS), (1,), generator=generator, device=generator.device))]
    order = torch.randperm(count * count, generator=generator, device=generator.device)
    index = to_device(chosen.nonzero()[:, 0], crops.device)
    tile = crops.shape[-1] // count
    if not len(index) or not tile:
        return crops
    side = tile * count
    shuffled = crops[index]
    tiles = shuffled[:, :, :side, :side].unfold(2, tile, tile).unfold(3, tile, tile)  # (b, 3, n, n, t, t)
    moved = tiles.flatten(2, 3)[:, :, to_device(order, crops.device)].reshape(tiles.shape)
    shuffled[:, :, :side, :side] = moved.permute(0, 1, 2, 4, 3, 5).reshape(*shuffled.shape[:2], side, side)
    crops[index] = shuffled
    return crops
