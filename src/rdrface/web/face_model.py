"""The file of the face model that the page loads: a JSON header and arrays, little-endian.

Layout: ``RDRW``, uint32 length of the header, the header, then the arrays. The header lists each array by name with its
type ("float32", "int16", "uint16" or "uint8"), shape, and offset from the end of the header; offsets are multiples
of 4. Bases are int16: multiply component i by ``scales[i]`` of the header to get mm.
"""

import json
from functools import lru_cache

import numpy as np

from rdrface.face import packaged_model
from rdrface.morphable.model import FaceModel
from rdrface.web.face_surface import FaceSurface

MAGIC = b"RDRW"


@lru_cache(maxsize=1)
def packaged_face_model_file() -> bytes:
    """The file of the packaged face model, made once per process."""
    return face_model_file(packaged_model())


def face_model_file(model: FaceModel) -> bytes:
    """The content of the file for a face model; the same model gives the same bytes."""
    surface = FaceSurface.of(model)
    identity, identity_scales = _quantized(surface.values(model.identity_basis))
    expression, expression_scales = _quantized(surface.values(model.expression_basis))
    arrays = {
        "mean": (surface.values(model.mean) + surface.offset).astype("<f4"),
        "identity": identity,
        "expression": expression,
        "triangles": surface.triangles.astype("<u2"),
        "mirror": surface.mirror.astype("<u2"),
        "uv": surface.uv.astype("<f4"),
        "height": surface.height.astype("<f4"),
        "part": surface.part.astype("u1"),
        "landmark_triangles": surface.landmarks.triangle.astype("<u2"),
        "landmark_weights": surface.landmarks.barycentric.astype("<f4"),
    }
    body, entries = b"", {}
    for name, values in arrays.items():
        entries[name] = {"dtype": values.dtype.name, "shape": values.shape, "offset": len(body)}
        body += values.tobytes()
        body += bytes(-len(body) % 4)
    header = {
        "format": "rdrface-web-model-1",
        "expression_names": model.expression_names,
        "identity_scales": identity_scales,
        "expression_scales": expression_scales,
        "arrays": entries,
    }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    return MAGIC + len(text).to_bytes(4, "little") + text + body


def _quantized(basis: np.ndarray) -> tuple[np.ndarray, list[float]]:
    """A basis (C, V, 3) as int16, and the scale of each component."""
    scales = np.abs(basis).max(axis=(1, 2)) / 32767
    return np.rint(basis / scales[:, None, None]).astype("<i2"), [float(f"{scale:.9g}") for scale in scales]
