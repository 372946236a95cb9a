"""The texture layout of the packaged face model, and the parts of its mesh."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from rdrface.face import packaged_model
from rdrface.morphable.model import FaceModel

PACKAGED = Path(__file__).parent / "data" / "texture_layout.safetensors"


@dataclass(frozen=True)
class TextureLayout:
    """Texture coordinates and parts of the head mesh; written by `rdrface.model_building.texture_layout`.

    Attributes:
        uv: (V, 2) float32 texture coordinates in 0..1; the origin is the top left corner, as in glTF. The layout is
            symmetric: a mirrored texture is the texture of the mirrored face.
        mouth_cavity: (V,) bool, vertices inside the mouth.
        eyes: (V,) bool, vertices of the eyeballs.
        inside_face: (V,) float32, distance in mm on the mean face to the border of the face region: in front of the
            ears, below the jaw and along the hairline. Negative outside.
        inside_head: (V,) float32, the same, approximately in mm, for the head with ears, forehead and the upper neck.
    """

    uv: np.ndarray
    mouth_cavity: np.ndarray
    eyes: np.ndarray
    inside_face: np.ndarray
    inside_head: np.ndarray


@lru_cache(maxsize=1)
def packaged_layout() -> TextureLayout:
    """The packaged layout, read once per process."""
    return TextureLayout(**load_file(PACKAGED))


def layout_of(model: FaceModel) -> TextureLayout:
    """The layout of a face model.

    Raises:
        ValueError: the mesh of the face model is not that of the packaged one, for which the layout was computed.
    """
    if not np.array_equal(model.triangles, packaged_model().triangles):
        raise ValueError(
            "the texture layout belongs to the mesh of the packaged face model; this face has a face model with "
            "another mesh, which can only be saved with `Face.mesh().save`"
        )
    return packaged_layout()
