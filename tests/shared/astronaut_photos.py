"""Two annotated photos of the astronaut in 300-W's layout, for tests that make clips."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import rdrface
from annotated import write_pts


def write_astronaut_photos(root: Path) -> Path:
    """Write the photo twice, the second time darker; the annotations are the landmarks of the network."""
    pixels = pytest.importorskip("skimage").data.astronaut()[:300, 80:380]
    large = np.asarray(Image.fromarray(pixels).resize((600, 600), Image.Resampling.BICUBIC))
    (face,) = rdrface.load().detect(large)
    for name, brightness in (("a", 1.0), ("b", 0.7)):
        write_pts(root / "helen" / "trainset" / f"{name}.pts", face.landmarks.astype(np.float64) + 1)
        Image.fromarray((brightness * large).astype(np.uint8)).save(root / "helen" / "trainset" / f"{name}.png")
    return root
