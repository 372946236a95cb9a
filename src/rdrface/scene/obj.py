"""A face as Wavefront OBJ with normals, texture coordinates and a material, or as Stanford PLY with vertex colors."""

from contextlib import ExitStack
from os import PathLike
from pathlib import Path

import numpy as np

from rdrface.errors import DataError
from rdrface.face import Face
from rdrface.files import real_path, write_aside
from rdrface.image import ImageSource, read_image
from rdrface.mesh_io import obj_bytes, ply_bytes
from rdrface.scene.glb import jpeg
from rdrface.scene.shape import FacePose, FaceShape, expression_of, rotation_of
from rdrface.scene.surface import Region
from rdrface.scene.texture import face_texture

_MATERIAL = "skin"


def to_obj(
    name: str,
    face: Face,
    *,
    texture: np.ndarray | None = None,
    pose: FacePose = "neutral",
    region: Region = "face",
) -> dict[str, bytes]:
    """A face as Wavefront OBJ, see `write_obj`.

    Args:
        name: name of the files without suffix: they refer to each other.
        face: the face.
        texture: (S, S, 3) uint8 RGB, see `face_texture`; None gives a plain color.
        pose: state of the face, see `FacePose`.
        region: part of the head, see `Region`.

    Returns:
        Suffix -> content of the file: "obj", "mtl" and, with a texture, "jpg".

    Raises:
        ValueError: an argument has another value, `name` contains a line break, or the face is not finite or has a face
            model with another mesh.
    """
    if len(f"{name}.".splitlines()) > 1:
        raise ValueError(f"the name of an OBJ file must be one line, because its files refer to it; got {name!r}")
    shape = FaceShape.of(face, region)
    vertices, normals = _posed(shape, face, pose)
    # OBJ counts texture coordinates from the bottom.
    uv = shape.surface.uv * [1, -1] + [0, 1]
    color, texture_line = ("0.8 0.7 0.65", "") if texture is None else ("1 1 1", f"map_Kd {name}.jpg\n")
    material = f"newmtl {_MATERIAL}\nKa 0 0 0\nKd {color}\nKs 0 0 0\nillum 1\n{texture_line}"
    return {
        "obj": obj_bytes(vertices, shape.surface.triangles, uv, normals, (f"{name}.mtl", _MATERIAL)),
        "mtl": material.encode("utf-8", "surrogateescape"),
        **({} if texture is None else {"jpg": jpeg(texture)}),
    }


def write_obj(
    path: str | PathLike[str],
    face: Face,
    image: ImageSource | None = None,
    *,
    pose: FacePose = "neutral",
    region: Region = "face",
) -> None:
    """Write a face as NAME.obj in millimeters, with NAME.mtl and, if there is an image, NAME.jpg, the texture.

    The image itself is never replaced: ``write_obj("photo.obj", face, "photo.jpg")`` is an error.
    The axes are those of the face: x to the person's left, y up, z out of the face; with the pose "posed" those of the
    image: x right, y up, z towards the viewer. Existing files are replaced when all are complete.

    Args:
        path: name of the OBJ file.
        face: the face.
        image: its image, for the texture: whatever `Aligner.detect` takes; None gives a plain color.
        pose: state of the face, see `FacePose`.
        region: part of the head, see `Region`.

    Raises:
        ValueError: the suffix is not .obj, an argument has another value, or the face has a face model with another
            mesh.
        ImageError: the image cannot be read.
        DataError: a file cannot be written, or the texture would replace the image.
    """
    path = _checked(path, ".obj")
    texture_path = path.with_suffix(".jpg")
    if _is_file_of(image, texture_path):
        raise DataError(
            f"{texture_path} is the image, and its name is that of the texture; choose another name than {path.name}"
        )
    texture = None if image is None else face_texture(face, read_image(image))
    files = to_obj(path.stem, face, texture=texture, pose=pose, region=region)
    with ExitStack() as opened:
        for suffix, content in files.items():
            target = path if suffix == "obj" else path.with_suffix(f".{suffix}")
            opened.enter_context(write_aside(target)).write_bytes(content)


def write_ply(
    path: str | PathLike[str],
    face: Face,
    image: ImageSource | None = None,
    *,
    pose: FacePose = "neutral",
    region: Region = "face",
) -> None:
    """Write a face as binary PLY in millimeters, with normals and, if there is an image, a color for each vertex.

    Args and axes are those of `write_obj`.

    Raises:
        ValueError: the suffix is not .ply, an argument has another value, or the face has a face model with another
            mesh.
        ImageError: the image cannot be read.
        DataError: the file cannot be written.
    """
    path = _checked(path, ".ply")
    shape = FaceShape.of(face, region)
    vertices, normals = _posed(shape, face, pose)
    colors = None
    if image is not None:
        texture = face_texture(face, read_image(image))
        column, row = (shape.surface.uv * len(texture)).astype(int).clip(0, len(texture) - 1).T
        colors = texture[row, column]
    with write_aside(path) as partial:
        partial.write_bytes(ply_bytes(vertices, shape.surface.triangles, normals, colors))


def _is_file_of(image: ImageSource | None, path: Path) -> bool:
    """Whether a file is that of an image: a path, an open file, or a PIL image that was opened from a file."""
    source = image if isinstance(image, str | PathLike) else getattr(image, "filename", getattr(image, "name", None))
    if not source or not isinstance(source, str | PathLike):
        return False
    source = Path(source)
    # On file systems that ignore case, two paths can be one file.
    is_same = path.exists() and source.exists() and path.samefile(source)
    return is_same or real_path(path) == real_path(source)


def _posed(shape: FaceShape, face: Face, pose: FacePose) -> tuple[np.ndarray, np.ndarray]:
    expression = expression_of(face, pose)
    vertices, normals = shape.vertices(expression), shape.normals(expression)
    if not (np.isfinite(vertices).all() and np.isfinite(normals).all()):
        raise ValueError("a mesh file cannot contain NaN or infinity: the face is not finite")
    if pose != "posed":
        return vertices, normals
    rotation = rotation_of(face).T.astype(np.float32)
    return vertices @ rotation, normals @ rotation


def _checked(path: str | PathLike[str], suffix: str) -> Path:
    path = Path(path)
    if path.suffix.lower() != suffix:
        raise ValueError(f"the name of the file must end in {suffix}; got {path.name}")
    return path
