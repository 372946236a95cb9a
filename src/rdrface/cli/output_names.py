"""Names of the files that `rdrface detect` writes for each image: NAME.json, NAME.overlay.jpg, NAME.face0.obj,
NAME.head0.glb, ..."""

import re
from collections.abc import Iterable
from pathlib import Path

from rdrface.mesh_io import FORMATS

JSON_SUFFIX = ".json"

OVERLAY_SUFFIX = ".overlay.jpg"

HEAD_FORMATS = ("glb", "obj", "mtl", "jpg")
"""Formats of the files of a head: binary glTF, or OBJ with its material and its texture."""

_OVERLAY_OR_MESH = (
    rf"({re.escape(OVERLAY_SUFFIX)}|\.face\d+\.({'|'.join(FORMATS)})|\.head\d+\.({'|'.join(HEAD_FORMATS)}))"
)
"""Pattern of a name after NAME. NAME.json is not included, because other programs write JSON files too."""

_ANY_OUTPUT = re.compile(rf".{_OVERLAY_OR_MESH}$", re.IGNORECASE)


def mesh_suffix(face: int, mesh_format: str) -> str:
    """What follows NAME in the name of a mesh file.

    Args:
        face: index of the face in its image.
        mesh_format: "obj" or "ply".
    """
    return f".face{face}.{mesh_format}"


def head_suffix(face: int, head_format: str) -> str:
    """What follows NAME in the name of a file of a head.

    Args:
        face: index of the face in its image.
        head_format: one of `HEAD_FORMATS`.
    """
    return f".head{face}.{head_format}"


def is_output(path: Path) -> bool:
    """Whether a file has the name of an overlay, a mesh or a head that `rdrface detect` writes."""
    return _ANY_OUTPUT.search(path.name) is not None


def overlays_and_meshes(base: Path, paths: Iterable[Path]) -> set[Path]:
    """Files of one image: its overlay, its meshes and its heads in all formats.

    Args:
        base: folder / NAME.
        paths: files in this folder.
    """
    pattern = re.compile(re.escape(base.name) + _OVERLAY_OR_MESH)
    return {path for path in paths if pattern.fullmatch(path.name)}
