"""Facial landmarks, pose and a 3D face for images up to full profile.

import rdrface
aligner = rdrface.load()
for face in aligner.detect("photo.jpg"):
    print(face.landmarks, face.pose)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rdrface._version import __version__

if TYPE_CHECKING:
    from rdrface import errors
    from rdrface.aligner import Aligner
    from rdrface.drawing import draw
    from rdrface.face import Face, Mesh, Parameters, Pose
    from rdrface.fitting.single_face import fit
    from rdrface.loading import load
    from rdrface.tracking.tracked_face import TrackedFace
    from rdrface.tracking.tracker import Tracker

__all__ = [
    "Aligner",
    "Face",
    "Mesh",
    "Parameters",
    "Pose",
    "TrackedFace",
    "Tracker",
    "__version__",
    "draw",
    "errors",
    "fit",
    "load",
]

_MODULES = {
    "Aligner": "rdrface.aligner",
    "Face": "rdrface.face",
    "Mesh": "rdrface.face",
    "Parameters": "rdrface.face",
    "Pose": "rdrface.face",
    "TrackedFace": "rdrface.tracking.tracked_face",
    "Tracker": "rdrface.tracking.tracker",
    "draw": "rdrface.drawing",
    "fit": "rdrface.fitting.single_face",
    "load": "rdrface.loading",
}
"""Public name -> the module that defines it."""


if not TYPE_CHECKING:
    # Hidden from type checkers, which would accept any name because of it.

    def __getattr__(name: str) -> Any:
        # Imported on first use: `rdrface --help` and training start without the run-time packages.
        if name == "errors":
            return import_module("rdrface.errors")
        if name in _MODULES:
            return getattr(import_module(_MODULES[name]), name)
        raise AttributeError(f"module 'rdrface' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
