"""Changes of light, focus, sensor and compression."""

import io
from dataclasses import fields, replace

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from rdrface.training.augmentation import appearance  # noqa: E402
from rdrface.training.augmentation.appearance import (  # noqa: E402
    PROBABILITIES,
    AppearanceConfig,
    change_appearance,
    no_appearance,
)

CONFIG = AppearanceConfig()


def seeded(seed=1):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def crops():
    small = torch.rand(5, 3, 9, 9, generator=seeded(7)) * 255
    return torch.nn.functional.interpolate(small, size=72, mode="bicubic").clamp(0, 255)


@pytest.mark.parametrize(
    "effect",
    [
        "jitter_color",
        "to_gray",
        "change_gamma",
        "gaussian_blur",
        "motion_blur",
        "lower_resolution",
        "add_noise",
        "compress_jpeg",
    ],
)
def test_each_effect_changes_pixels_and_keeps_the_face_in_place(crops, effect):
    before = crops.clone()
    out = getattr(appearance, effect)(crops, CONFIG, seeded())
    assert out.shape == crops.shape and torch.isfinite(out).all()
    assert not torch.equal(out, crops) and torch.equal(crops, before)
    # The result correlates with the input, so nothing is shifted.
    for i in range(5):
        assert torch.corrcoef(torch.stack([out[i, 1].flatten(), crops[i, 1].flatten()]))[0, 1] > 0.5


def test_no_appearance_changes_nothing(crops):
    torch.testing.assert_close(change_appearance(crops, no_appearance(), seeded()), crops)


def test_no_appearance_sets_every_probability_to_zero():
    names = [field.name for field in fields(AppearanceConfig) if field.name.endswith("_probability")]
    assert len(names) == 8 and set(names) == set(PROBABILITIES)
    assert all(getattr(no_appearance(), name) == 0 for name in names)


def test_only_the_chosen_faces_change(crops):
    many = crops[:1].expand(400, -1, -1, -1)
    out = change_appearance(many, replace(no_appearance(), noise_probability=0.25), seeded())
    share = (out != many).flatten(1).any(1).float().mean()
    assert 0.18 < share < 0.32


def test_gray_crops_have_the_luma_in_all_channels(crops):
    out = appearance.to_gray(crops, CONFIG, seeded())
    assert torch.equal(out[:, 0], out[:, 1]) and torch.equal(out[:, 1], out[:, 2])
    expected = (crops * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1)
    torch.testing.assert_close(out[:, 0], expected)


def test_color_jitter_without_changes_is_the_identity(crops):
    names = ("brightness", "contrast", "saturation", "channel")
    no_change = replace(CONFIG, max_hue_change_deg=0.0, **{f"max_{name}_change": 0.0 for name in names})
    torch.testing.assert_close(appearance.jitter_color(crops, no_change, seeded()), crops, atol=0.01, rtol=1e-4)


@pytest.mark.parametrize("effect", ["gaussian_blur", "motion_blur", "lower_resolution", "compress_jpeg"])
def test_uniform_images_stay_uniform_and_nothing_shifts(effect):
    uniform = torch.full((8, 3, 64, 64), 96.0)
    out = getattr(appearance, effect)(uniform, CONFIG, seeded())
    torch.testing.assert_close(out, uniform, atol=40.0 if effect == "compress_jpeg" else 0.01, rtol=0)
    assert out.std((2, 3)).max() < 0.01
    if effect == "compress_jpeg":
        return
    spot = torch.zeros(8, 3, 65, 65)
    spot[:, :, 31:34, 31:34] = 255
    axis = torch.arange(65.0)
    out = getattr(appearance, effect)(spot, CONFIG, seeded())[:, 0]
    for dim in (1, 2):
        center = (out.sum(dim) * axis).sum(1) / out.sum((1, 2))
        torch.testing.assert_close(
            center, torch.full((8,), 32.0), atol=0.6 if effect == "lower_resolution" else 1e-3, rtol=0
        )


def test_compression_has_the_error_of_jpeg(crops):
    """At quality 50 (factor 1 of the tables) the error is close to that of libjpeg."""
    image = crops[0].round()
    array = image.permute(1, 2, 0).byte().numpy()
    file = io.BytesIO()
    Image.fromarray(array).save(file, "JPEG", quality=50, subsampling=0)
    real = np.asarray(Image.open(file)).astype(np.float32)
    errors = []
    for seed in range(6):
        # The factor of the tables is drawn from 0.4..1.6, so it is 1 on average.
        simulated = appearance.compress_jpeg(image[None], replace(CONFIG, max_jpeg_table_factor=1.6), seeded(seed))[0]
        errors.append(float((simulated - image).pow(2).mean().sqrt()))
    libjpeg_error = float(np.sqrt(((real - array) ** 2).mean()))
    assert 0.5 * libjpeg_error < np.mean(errors) < 2 * libjpeg_error
