"""Faces for 3D programs: binary glTF with morph targets and texture, textured OBJ, PLY, and animated clips."""

from rdrface.scene.clip import PersonClip, write_clip
from rdrface.scene.glb import to_glb, write_glb
from rdrface.scene.obj import to_obj, write_obj, write_ply
from rdrface.scene.shape import FacePose, FaceShape
from rdrface.scene.surface import Region
from rdrface.scene.texture import face_texture

__all__ = [
    "FacePose",
    "FaceShape",
    "PersonClip",
    "Region",
    "face_texture",
    "to_glb",
    "to_obj",
    "write_clip",
    "write_glb",
    "write_obj",
    "write_ply",
]
