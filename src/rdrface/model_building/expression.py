"""Expression: 46 of the 52 face units with ARKit's names, as displacements of the mean face."""

from pathlib import Path

import numpy as np

from rdrface.model_building.mesh import FaceMesh
from rdrface.model_building.source import mirrored, read_target

LEFT_OUT = frozenset(
    {"eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "tongueOut", "mouthClose"}
)
"""Units that move nothing of the face (gaze, tongue) or mean nothing alone (mouthClose undoes jawOpen)."""

BLINK_STRENGTH = 0.7
"""eyeBlink at 1 pushes the upper lid 3-4 mm through the lower one."""


def unit_names(folder: Path) -> tuple[str, ...]:
    """Names of the 46 units, sorted."""
    files = (folder / "faceunits01" / "targets" / "faceunits").glob("*.target")
    return tuple(sorted(p.stem for p in files if p.stem not in LEFT_OUT))


def partner(name: str) -> str:
    """Name of the unit on the other side; a unit of both sides is its own partner."""
    if name.endswith("Left"):
        return name.removesuffix("Left") + "Right"
    if name.endswith("Right"):
        return name.removesuffix("Right") + "Left"
    return name


def expression_basis(
    folder: Path, mesh: FaceMesh, mean: np.ndarray, scale: float
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Displacements at strength 1.

    Args:
        mean: (V, 3) mm, symmetric mean face. scale: mm of the mean face per decimetre of the targets.

    Returns:
        basis (46, V, 3) mm, permutation (46,) to the units of the mirrored face, names.
    """
    names = unit_names(folder)
    raw = {n: read_target(folder / "faceunits01/targets/faceunits" / f"{n}.target", mesh.kept) * scale for n in names}
    for name in names:
        if name.startswith("eye") and name.endswith(("Left", "Right")):
            # Some units of one eye drag a few vertices of the other: fade out over 10 mm around the middle.
            side = mean[:, 0] if name.endswith("Left") else -mean[:, 0]
            fade = np.clip(side / 10.0 + 0.5, 0, 1)[:, None]
            raw[name] = raw[name] * fade * (BLINK_STRENGTH if name.startswith("eyeBlink") else 1.0)
    basis = np.array([(raw[name] + mirrored(raw[partner(name)], mesh.mirror)) / 2 for name in names])
    order = np.array([names.index(partner(name)) for name in names])
    return basis, order, names
