"""Degradations of images: size, blur, light, compression, occlusion."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from held_out_faces import HeldOutFace

from rdrface.evaluation.clips.sensor import jpeg

FULL_SCALE = 2000.0
"""Electrons of white at normal exposure: a small sensor at high sensitivity."""

READ_NOISE = 5.0
"""Standard deviation of the noise that does not depend on the light, electrons."""

Change = Callable[[HeldOutFace, np.random.Generator], HeldOutFace]


@dataclass(frozen=True)
class Degradation:
    """One row of a table: its name and the change of a face."""

    name: str
    change: Change


def resized(size: float) -> Change:
    """Downscale the image until the landmark box has `size` pixels; smaller faces are not changed."""

    def change(face: HeldOutFace, rng: np.random.Generator) -> HeldOutFace:
        if face.size <= size:
            return face
        height, width = face.pixels.shape[:2]
        new = max(1, round(width * size / face.size)), max(1, round(height * size / face.size))
        pixels = cv2.resize(face.pixels, new, interpolation=cv2.INTER_AREA)
        ratio = np.array(new) / (width, height)
        points, corners = ((p + 0.5) * ratio - 0.5 for p in (face.points, face.box.reshape(2, 2)))
        return HeldOutFace(pixels, points, corners.ravel())

    return change


def gaussian_blur(percent: float) -> Change:
    """Blur with a Gaussian whose standard deviation is `percent` of the face size."""

    def change(face: HeldOutFace, rng: np.random.Generator) -> HeldOutFace:
        sigma = percent / 100 * face.size
        return _with(face, cv2.GaussianBlur(face.pixels, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE))

    return change


def motion_blur(percent: float) -> Change:
    """Average along a straight line, `percent` of the face size long, in a random direction."""

    def change(face: HeldOutFace, rng: np.random.Generator) -> HeldOutFace:
        half, angle = percent / 200 * face.size, rng.uniform(0, np.pi)
        radius = int(np.ceil(half)) + 1
        x, y = np.meshgrid(*(np.arange(-radius, radius + 1),) * 2)
        along, across = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
        kernel = (1 - np.abs(across)).clip(0) * (half + 0.5 - np.abs(along)).clip(0, 1)
        return _with(face, cv2.filter2D(face.pixels, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE))

    return change


def exposed(factor: float) -> Change:
    """Expose with `factor` of the light, with shot noise and read noise; the image is not brightened afterwards."""

    def change(face: HeldOutFace, rng: np.random.Generator) -> HeldOutFace:
        electrons = FULL_SCALE * factor * to_linear(face.pixels)
        electrons = rng.poisson(electrons) + rng.normal(0, READ_NOISE, electrons.shape)
        return _with(face, from_linear(electrons / FULL_SCALE))

    return change


def compressed(quality: int) -> Change:
    """Compress as a JPEG file with chroma at half the resolution."""
    return lambda face, rng: _with(face, next(jpeg([face.pixels], quality)))


def covered(percent: float) -> Change:
    """Cover `percent` of the landmark box by a rectangle inside it, at a random position.

    The rectangle is plain or has a coarse random texture. For one seed, its center, proportions and colors are the same
    for all percentages as far as the box allows.
    """

    def change(face: HeldOutFace, rng: np.random.Generator) -> HeldOutFace:
        share = percent / 100
        # The width as a share of the box's must leave a height of at most that of the box.
        width = float(np.clip(np.sqrt(share) * np.exp(rng.uniform(-0.5, 0.5)), share, 1))
        extent = (face.box[2:] - face.box[:2]) * (width, share / width)
        center = np.clip(
            face.box[:2] + rng.uniform(0, 1, 2) * (face.box[2:] - face.box[:2]),
            face.box[:2] + extent / 2,
            face.box[2:] - extent / 2,
        )
        height, columns = face.pixels.shape[:2]
        texture = rng.integers(0, 256, (1, 1, 3) if rng.random() < 0.5 else (6, 6, 3), dtype=np.uint8)
        texture = cv2.resize(texture, (columns, height), interpolation=cv2.INTER_CUBIC)
        x0, y0, x1, y1 = np.round(np.concatenate([center - extent / 2, center + extent / 2])).astype(int)
        area = np.s_[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)]
        pixels = face.pixels.copy()
        pixels[area] = texture[area]
        return _with(face, pixels)

    return change


def to_linear(pixels: np.ndarray) -> np.ndarray:
    """sRGB values 0..255 -> light 0..1 (IEC 61966-2-1)."""
    value = pixels.astype(np.float64) / 255
    light: np.ndarray = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return light


def from_linear(light: np.ndarray) -> np.ndarray:
    """Light -> sRGB, uint8: the inverse of `to_linear`. Light outside 0..1 is clipped."""
    light = light.clip(0, 1)
    value = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    pixels: np.ndarray = np.rint(255 * value).astype(np.uint8)
    return pixels


def _with(face: HeldOutFace, pixels: np.ndarray) -> HeldOutFace:
    return replace(face, pixels=pixels)


DEGRADATIONS: dict[str, tuple[Degradation, ...]] = {
    "size": tuple(Degradation(f"{size} pixels", resized(size)) for size in (64, 48, 32, 24, 16, 12)),
    "blur": (
        *(Degradation(f"Gaussian, {percent} %", gaussian_blur(percent)) for percent in (1, 2, 4, 8)),
        *(Degradation(f"motion, {percent} %", motion_blur(percent)) for percent in (5, 10, 20)),
    ),
    "light": tuple(
        Degradation(f"exposure x {name}", exposed(factor))
        for name, factor in (
            ("1/2", 1 / 2),
            ("1/4", 1 / 4),
            ("1/8", 1 / 8),
            ("1/16", 1 / 16),
            ("1/64", 1 / 64),
            ("2", 2.0),
            ("4", 4.0),
        )
    ),
    "compression": tuple(Degradation(f"JPEG quality {quality}", compressed(quality)) for quality in (50, 20, 10)),
    "occlusion": tuple(Degradation(f"{percent} % covered", covered(percent)) for percent in (10, 20, 30, 50)),
}
"""Property -> degradations, from weak to strong. The first row of each table is the unchanged image."""

EXPLANATIONS: dict[str, str] = {
    "size": "Size of the landmark box in the image, which is downscaled by area averaging.",
    "blur": "Standard deviation of the Gaussian, or length of the motion in a random direction, percent of the face "
    "size.",
    "light": f"In linear light; white at normal exposure is {FULL_SCALE:g} electrons, read noise {READ_NOISE:g}.",
    "compression": "The faces have the sizes of the unchanged images.",
    "occlusion": "Share of the landmark box behind a plain or textured rectangle. Covered points count too.",
}
"""Property -> explanation of its rows."""
