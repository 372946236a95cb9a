"""Crops of photos: JPEG files with different positions, rotations, brightness and quality."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance

_FACE = (224, 115)
"""Middle of the astronaut's face, pixels. It is in nine of ten crops."""

_DAMAGED = 500
"""One in so many files is damaged."""


def write_crops(folder: Path, count: int, side: int, photos: Sequence[Path] = (), seed: int = 0) -> None:
    """Write ``DD/NNNNNN.jpg``, a hundred files in each folder. The same arguments give the same pixels.

    Args:
        folder: the folder.
        count: number of crops.
        side: their side, pixels.
        photos: the photos; none: the astronaut of scikit-image.
        seed: of the random numbers.
    """
    sources = [_astronaut()] if not photos else None
    for i in range(count):
        path = folder / f"{i // 100:03d}" / f"{i:06d}.jpg"
        if path.exists():
            continue
        rng = np.random.default_rng((seed, i))
        photo = sources[0] if sources else _opened(photos[int(rng.integers(len(photos)))])
        path.parent.mkdir(parents=True, exist_ok=True)
        content = io.BytesIO()
        _crop(photo, side, rng, _FACE if sources else None).save(content, "JPEG", quality=int(rng.integers(60, 96)))
        data = content.getvalue()
        path.write_bytes(data[: len(data) // 3] if i % _DAMAGED == _DAMAGED - 1 else data)


def _crop(photo: Image.Image, side: int, rng: np.random.Generator, focus: tuple[int, int] | None = None) -> Image.Image:
    if rng.random() < 0.1:  # two faces
        canvas = Image.new("RGB", (side, side // 2))
        for i in range(2):
            canvas.paste(_crop(photo, side, rng, focus).resize((side // 2, side // 2)), (i * side // 2, 0))
        return canvas
    width, height = photo.size
    length = rng.uniform(0.35, 0.8) * min(width, height)
    x, y = rng.uniform(0, width - length), rng.uniform(0, height - length)
    if focus is not None and rng.random() < 0.9:
        middle = np.array(focus) + rng.normal(0, 0.15, 2) * length
        x, y = np.clip(middle - length / 2, 0, [width - length, height - length])
    rotated = photo.rotate(
        float(rng.normal(0, 15)), Image.Resampling.BICUBIC, center=(float(x + length / 2), float(y + length / 2))
    )
    crop = rotated.resize((side, side), Image.Resampling.BICUBIC, box=(x, y, x + length, y + length))
    crop = crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else crop
    crop = ImageEnhance.Brightness(crop).enhance(float(rng.uniform(0.4, 1.4)))
    return ImageEnhance.Color(crop).enhance(float(rng.uniform(0, 1.5)))


def _opened(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB")


def _astronaut() -> Image.Image:
    from skimage import data

    return Image.fromarray(data.astronaut())
