"""A face as Wavefront OBJ with normals, texture coordinates and a material, or as Stanford PLY with vertex colors."""

from os import PathLike
from pathlib import Path

import numpy as np

from rdrface.face import Face
from rdrface.files import write_aside
from rdrface.mesh_io import obj_bytes, ply_bytes
from rdrface.scene.glb import jpeg
from rdrface.scene.shape import FacePose, FaceShape, expression_of, rotation_of
from rdrface.scene.surface import Region
from rdrface.scene.texture import SIZE, face_texture

_MATERIAL = "skin"


def write_obj(
    path: str | PathLike[str],
    face: Face,
    image: np.ndarray | None = None,
    *,
    pose: FacePose = "neutral",
    region: Region = "face",
    texture_size: int = SIZE,
) -> None:
    """Write a face as NAME.obj in millimeters, with NAME.mtl and, if there is an image, NAME.jpg, the texture.

    The axes are those of the face: x to the person's left, y up, z out of the face; with the pose "posed" those of the
    image: x right, y up, z towards the viewer. Existing files are replaced together.

    Args:
        path: name of the OBJ file.
        face: the face.
        image: (H, W, 3) uint8 RGB, its image, for the texture.
        pose: state of the face, see `FacePose`.
        region: part of the head, see `Region`.
        texture_size: side of the texture, pixels.

    Raises:
        ValueError: the suffix is not .obj, an argument has another value, or the face has a face model with another
            mesh.
        DataError: a file cannot be written.
    """
    path = _checked(path, ".obj")
    shape = FaceShape.of(face, region)
    vertices, normals = _posed(shape, face, pose)
    texture = None if image is None else face_texture(face, image, texture_size)
    material_file, texture_file = path.with_suffix(".mtl"), path.with_suffix(".jpg")
    # OBJ counts texture coordinates from the bottom.
    uv = shape.surface.uv * [1, -1] + [0, 1]
    content = obj_bytes(vertices, shape.surface.triangles, uv, normals, (material_file.name, _MATERIAL))
    texture_line = "" if texture is None else f"map_Kd {texture_file.name}\n"
    color = "0.8 0.7 0.65" if texture is None else "1 1 1"
    material = f"newmtl {_MATERIAL}\nKa 0 0 0\nKd {color}\nKs 0 0 0\nillum 1\n{texture_line}"
    with write_aside(path) as at_mesh, write_aside(material_file) as at_material:
        if texture is not None:
            with write_aside(texture_file) as at_texture:
                at_texture.write_bytes(jpeg(texture))
        at_material.write_text(material, encoding="utf-8")
        at_mesh.write_bytes(content)


def write_ply(
    path: str | PathLike[str],
    face: Face,
    image: np.ndarray | None = None,
    *,
    pose: FacePose = "neutral",
    region: Region = "face",
) -> None:
    """Write a face as binary PLY in millimeters, with normals and, if there is an image, a color for each vertex.

    Args and axes are those of `write_obj`.

    Raises:
        ValueError: the suffix is not .ply, an argument has another value, or the face has a face model with another
            mesh.
        DataError: the file cannot be written.
    """
    path = _checked(path, ".ply")
    shape = FaceShape.of(face, region)
    vertices, normals = _posed(shape, face, pose)
    colors = None
    if image is not None:
        texture = face_texture(face, image)
        column, row = (shape.surface.uv * len(texture)).astype(int).clip(0, len(texture) - 1).T
        colors = texture[row, column]
    with write_aside(path) as partial:
        partial.write_bytes(ply_bytes(vertices, shape.surface.triangles, normals, colors))


def _posed(shape: FaceShape, face: Face, pose: FacePose) -> tuple[np.ndarray, np.ndarray]:
    expression = expression_of(face, pose)
    vertices, normals = shape.vertices(expression), shape.normals(expression)
    if pose != "posed":
        return vertices, normals
    rotation = rotation_of(face).T.astype(np.float32)
    return vertices @ rotation, normals @ rotation


def _checked(path: str | PathLike[str], suffix: str) -> Path:
    path = Path(path)
    if path.suffix.lower() != suffix:
        raise ValueError(f"the name of the file must end in {suffix}; got {path.name}")
    return path
