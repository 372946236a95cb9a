"""The 3D face model of rdrface: 50 identity modes, 46 blendshapes, and the landmarks on its surface."""

from rdrface.morphable.landmark_model import LandmarkModel
from rdrface.morphable.model import FaceModel, PointModel, SurfacePoints

__all__ = ["FaceModel", "LandmarkModel", "PointModel", "SurfacePoints"]
