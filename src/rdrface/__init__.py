"""Facial landmarks, pose and a 3D face for photos up to full profile.

import rdrface
aligner = rdrface.load()
for face in aligner.detect("photo.jpg"):
    print(face.landmarks, face.pose)
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Aligner", "Face", "__version__", "fit", "load"]

if TYPE_CHECKING:
    from rdrface.aligner import Aligner, load
    from rdrface.face import Face
    from rdrface.fitting.one import fit


def __getattr__(name: str) -> Any:
    # The command line prints its help, and training starts, without the runtime's imports.
    if name in ("Aligner", "load"):
        from rdrface import aligner

        return getattr(aligner, name)
    if name == "Face":
        from rdrface.face import Face

        return Face
    if name == "fit":
        from rdrface.fitting.one import fit

        return fit
    raise AttributeError(f"module 'rdrface' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
