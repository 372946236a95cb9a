"""Binary glTF 2.0 files: buffer views, accessors and the container (Khronos, glTF 2.0 specification)."""

import json
import struct
from typing import Any

import numpy as np

from rdrface._version import __version__

_FLOAT, _UNSIGNED_SHORT, _UNSIGNED_INT = 5126, 5123, 5125
_ARRAY_BUFFER, _ELEMENT_ARRAY_BUFFER = 34962, 34963
_TYPES = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4"}
_MAGIC, _JSON_CHUNK, _BINARY_CHUNK = 0x46546C67, 0x4E4F534A, 0x004E4942


class GLB:
    """Collects the binary data of a glTF file.

    Attributes:
        content: the JSON object, without buffers, buffer views and accessors.
    """

    def __init__(self) -> None:
        self.content: dict[str, Any] = {"asset": {"version": "2.0", "generator": f"rdrface {__version__}"}}
        self._views: list[dict[str, int]] = []
        self._accessors: list[dict[str, Any]] = []
        self._parts: list[bytes] = []
        self._length = 0

    def attribute(self, values: np.ndarray, with_bounds: bool = False) -> int:
        """Add a vertex attribute (N, C).

        Args:
            values: written as float32.
            with_bounds: write minimum and maximum, which positions must have.

        Returns:
            Index of the accessor.
        """
        return self._accessor(np.asarray(values, np.float32), with_bounds, _ARRAY_BUFFER)

    def indices(self, triangles: np.ndarray) -> int:
        """Add triangles (F, 3), indices of vertices; returns the index of the accessor."""
        kind = np.uint16 if triangles.max(initial=0) < 0xFFFF else np.uint32
        return self._accessor(triangles.reshape(-1, 1).astype(kind), False, _ELEMENT_ARRAY_BUFFER)

    def samples(self, values: np.ndarray, with_bounds: bool = False) -> int:
        """Add times or values of an animation (N, C); returns the index of the accessor."""
        return self._accessor(np.asarray(values, np.float32), with_bounds, None)

    def view(self, content: bytes, target: int | None = None) -> int:
        """Add bytes; returns the index of the buffer view."""
        view = {"buffer": 0, "byteOffset": self._length, "byteLength": len(content)}
        self._views.append(view if target is None else {**view, "target": target})
        # Accessors must start at multiples of their component's size.
        self._parts.append(content + bytes(-len(content) % 4))
        self._length += len(self._parts[-1])
        return len(self._views) - 1

    def to_bytes(self) -> bytes:
        """The file."""
        content = self.content | {
            "accessors": self._accessors,
            "bufferViews": self._views,
            "buffers": [{"byteLength": self._length}],
        }
        text = json.dumps(content, separators=(",", ":"), allow_nan=False).encode("utf-8")
        text += b" " * (-len(text) % 4)
        length = 12 + 8 + len(text) + 8 + self._length
        header = struct.pack("<III", _MAGIC, 2, length) + struct.pack("<II", len(text), _JSON_CHUNK)
        return b"".join([header, text, struct.pack("<II", self._length, _BINARY_CHUNK), *self._parts])

    def _accessor(self, values: np.ndarray, with_bounds: bool, target: int | None) -> int:
        kinds = {np.dtype("float32"): _FLOAT, np.dtype("uint16"): _UNSIGNED_SHORT, np.dtype("uint32"): _UNSIGNED_INT}
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise ValueError("a glTF file cannot contain NaN or infinity: the face is not finite")
        accessor = {
            "bufferView": self.view(values.astype(values.dtype.newbyteorder("<")).tobytes(), target),
            "componentType": kinds[values.dtype],
            "count": len(values),
            "type": _TYPES[values.shape[1]],
        }
        if with_bounds:
            accessor |= {"min": values.min(axis=0).tolist(), "max": values.max(axis=0).tolist()}
        self._accessors.append(accessor)
        return len(self._accessors) - 1
