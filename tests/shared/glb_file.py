"""Reads binary glTF files, for tests of what is written."""

import json
import struct
from typing import Any

import numpy as np

_KINDS = {5126: "<f4", 5123: "<u2", 5125: "<u4"}
_COLUMNS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}


class GLBFile:
    """The JSON object of a file, and its binary data."""

    def __init__(self, content: bytes) -> None:
        magic, version, length = struct.unpack("<4sII", content[:12])
        assert (magic, version, length) == (b"glTF", 2, len(content))
        size, kind = struct.unpack("<I4s", content[12:20])
        assert kind == b"JSON" and size % 4 == 0
        self.json: dict[str, Any] = json.loads(content[20 : 20 + size])
        binary_size, kind = struct.unpack("<I4s", content[20 + size : 28 + size])
        assert kind == b"BIN\0" and binary_size % 4 == 0
        self._binary = content[28 + size :]
        assert len(self._binary) == binary_size == self.json["buffers"][0]["byteLength"]

    def view(self, index: int) -> bytes:
        """The bytes of a buffer view."""
        view = self.json["bufferViews"][index]
        assert view["byteOffset"] % 4 == 0
        return self._binary[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]

    def accessor(self, index: int) -> np.ndarray:
        """(N, C) values of an accessor, whose bounds are checked."""
        accessor = self.json["accessors"][index]
        values = np.frombuffer(self.view(accessor["bufferView"]), _KINDS[accessor["componentType"]])
        values = values.reshape(accessor["count"], _COLUMNS[accessor["type"]])
        if "min" in accessor:
            assert values.min(axis=0).tolist() == accessor["min"] and values.max(axis=0).tolist() == accessor["max"]
        return values
