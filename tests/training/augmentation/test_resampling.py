"""Sampling of training crops from packed crops: padding outside the image, and averaging against aliasing."""

import numpy as np
import pytest

from rdrface.crop import CropFrame, cut

torch = pytest.importorskip("torch")

from rdrface.training.augmentation.resampling import PADDINGS, sample  # noqa: E402


def seeded(seed=3):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("kind", range(len(PADDINGS)))
def test_each_kind_of_padding_fills_the_area_outside_the_image(kind):
    """The image is white and covers the left half of the packed crop; the right half is padded."""
    images = torch.full((4, 64, 64, 3), 200, dtype=torch.uint8)
    images[:, :, 32:] = 0
    valid = torch.tensor([[-1.0, -1.0, 0.0, 1.0]]).repeat(4, 1)
    shares = tuple(float(i == kind) for i in range(6))
    one, zero = torch.ones(4), torch.zeros(4)
    crops = sample(images, valid, 64, one, zero, torch.zeros(4, 2), shares, seeded())
    assert (crops[:, :, :, :32] == 200).all()
    right = crops[:, :, :, 32:]
    if PADDINGS[kind] in ("edge", "reflection", "other face"):
        assert (right == 200).all()  # the edge, the reflection and the other faces are white too
    elif PADDINGS[kind] == "black":
        assert (right == 0).all()
    elif PADDINGS[kind] == "color":
        assert (right == right[:, :, :1, :1]).all() and right.std() > 0
    else:
        assert right.std((1, 2, 3)).min() > 50


def test_reflection_padding_mirrors_the_image():
    images = torch.zeros(1, 64, 64, 3, dtype=torch.uint8)
    images[:, :, :32] = torch.arange(32, dtype=torch.uint8)[None, None, :, None] * 4
    valid = torch.tensor([[-1.0, -1.0, 0.0, 1.0]])
    crop = sample(images, valid, 64, torch.ones(1), torch.zeros(1), torch.zeros(1, 2), (0, 0, 1.0, 0, 0, 0), seeded())[
        0, 0, 10
    ]
    expected = torch.cat([torch.arange(32), torch.arange(32).flip(0)]) * 4.0
    assert (crop - expected).abs().max() <= 4.01


def test_small_crops_are_not_aliased():
    """A fine checkerboard becomes uniformly gray, not a moire pattern."""
    y, x = torch.meshgrid(torch.arange(128), torch.arange(128), indexing="ij")
    board = ((x + y) % 2 * 255).byte()[None, :, :, None].expand(1, -1, -1, 3).contiguous()
    crop = sample(
        board,
        torch.tensor([[-1.0, -1.0, 1.0, 1.0]]),
        32,
        torch.ones(1),
        torch.zeros(1),
        torch.zeros(1, 2),
        (1.0, 0, 0, 0, 0, 0),
        seeded(),
    )
    torch.testing.assert_close(crop, torch.full_like(crop, 127.5))


@pytest.mark.parametrize("side", [176, 208, 288, 320, 400])
def test_training_crops_are_as_sharp_as_crops_at_inference(side):
    """White noise, sampled from packed crops of several sizes and cut from an image of the same size."""
    image = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    trained = sample(
        torch.from_numpy(image)[None],
        torch.tensor([[-1.0, -1.0, 1.0, 1.0]]),
        128,
        torch.full((1,), 1.4),
        torch.zeros(1),
        torch.zeros(1, 2),
        (1.0, 0, 0, 0, 0, 0),
        seeded(),
    )
    frame = CropFrame(np.array([[side / 2 - 0.5, side / 2 - 0.5]]), np.array([side / 2 / 1.4]))
    assert float(trained.std()) == pytest.approx(float(cut(image, frame, 128).std()), rel=0.05)
