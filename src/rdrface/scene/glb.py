"""A face as binary glTF: 46 morph targets with ARKit's names, a texture, and the animation of a clip.

Vertices are in millimeters. glTF prescribes meters, so the node of the mesh has a scale of 0.001.
"""

import io
from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np
from PIL import Image

from rdrface.face import Face
from rdrface.files import write_aside
from rdrface.image import ImageSource, read_image
from rdrface.scene.gltf import GLB
from rdrface.scene.shape import FacePose, FaceShape, expression_of, rotation_of
from rdrface.scene.surface import Region
from rdrface.scene.texture import face_texture

METERS = 0.001
"""Meters per millimeter."""

_JPEG_QUALITY = 92
_SKIN = [0.72, 0.62, 0.56, 1.0]
"""Linear RGBA of a face without texture."""

_ROUGHNESS = 0.85
_LINEAR, _LINEAR_MIPMAPS, _CLAMP = 9729, 9987, 33071


def to_glb(
    face: Face, *, texture: np.ndarray | None = None, pose: FacePose = "neutral", region: Region = "face"
) -> bytes:
    """A face as binary glTF.

    The mesh has the person's shape without expression, and 46 morph targets. `pose` sets their initial strengths and
    the rotation of the node, so every state can be reached from every file.

    Args:
        face: the face.
        texture: (S, S, 3) uint8 RGB, see `face_texture`; None gives a plain color.
        pose: initial state, see `FacePose`.
        region: part of the head, see `Region`.

    Raises:
        ValueError: an argument has another value, or the face has a face model with another mesh.
    """
    shape = FaceShape.of(face, region)
    expression = expression_of(face, pose)
    return face_glb(shape, texture, expression, rotation_of(face) if pose == "posed" else None).to_bytes()


def write_glb(
    path: str | PathLike[str],
    face: Face,
    image: ImageSource | None = None,
    *,
    pose: FacePose = "neutral",
    region: Region = "face",
) -> None:
    """Write a face as binary glTF; an existing file is replaced.

    Args:
        path: name of the file.
        face: the face.
        image: its image, for the texture: whatever `Aligner.detect` takes; None gives a plain color.
        pose: initial state, see `FacePose` and `to_glb`.
        region: part of the head, see `Region`.

    Raises:
        ValueError: an argument has another value, or the face has a face model with another mesh.
        ImageError: the image cannot be read.
        DataError: the file cannot be written.
    """
    texture = None if image is None else face_texture(face, read_image(image))
    content = to_glb(face, texture=texture, pose=pose, region=region)
    with write_aside(str(path)) as partial:
        partial.write_bytes(content)


def face_glb(
    shape: FaceShape, texture: np.ndarray | None, expression: np.ndarray | None, rotation: np.ndarray | None
) -> GLB:
    """The file of a face, to which an animation can be added.

    Args:
        shape: the face.
        texture: (S, S, 3) uint8 RGB, or None.
        expression: (46,) initial strengths of the morph targets; None is 0.
        rotation: (3, 3) initial rotation of the head, or None.
    """
    glb = GLB()
    attributes = {
        "POSITION": glb.attribute(shape.vertices(), with_bounds=True),
        "NORMAL": glb.attribute(shape.normals()),
        "TEXCOORD_0": glb.attribute(shape.surface.uv),
    }
    targets = [
        {"POSITION": glb.attribute(position, with_bounds=True), "NORMAL": glb.attribute(normal)}
        for position, normal in zip(shape.movements(), shape.normal_changes(), strict=True)
    ]
    strengths = np.zeros(len(shape.names)) if expression is None else expression
    primitive = {"attributes": attributes, "indices": glb.indices(shape.surface.triangles), "material": 0}
    node: dict[str, Any] = {"name": "head", "mesh": 0, "scale": [METERS] * 3}
    if rotation is not None:
        node["rotation"] = quaternion(rotation).tolist()
    glb.content |= {
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [node],
        "meshes": [
            {
                "name": "face",
                "primitives": [primitive | {"targets": targets}],
                "weights": [float(one) for one in strengths],
                "extras": {"targetNames": list(shape.names)},
            }
        ],
        "materials": [_material(texture is not None)],
    }
    if texture is not None:
        view = glb.view(jpeg(texture))
        glb.content |= {
            "textures": [{"source": 0, "sampler": 0}],
            "images": [{"bufferView": view, "mimeType": "image/jpeg", "name": "face"}],
            "samplers": [{"magFilter": _LINEAR, "minFilter": _LINEAR_MIPMAPS, "wrapS": _CLAMP, "wrapT": _CLAMP}],
        }
    return glb


def animate(glb: GLB, times: np.ndarray, expressions: np.ndarray, rotations: Sequence[np.ndarray]) -> None:
    """Add an animation of the morph targets and of the rotation of the head.

    Args:
        glb: the file of a face.
        times: (N,) seconds, increasing.
        expressions: (N, 46) strengths of the morph targets.
        rotations: N rotation matrices (3, 3).
    """
    quaternions = np.stack([quaternion(one) for one in rotations])
    for i in range(1, len(quaternions)):
        # Both signs are the same rotation; players interpolate along the shorter way only if they are alike.
        if quaternions[i] @ quaternions[i - 1] < 0:
            quaternions[i] *= -1
    at = glb.samples(times[:, None], with_bounds=True)
    outputs = {"weights": glb.samples(expressions.reshape(-1, 1)), "rotation": glb.samples(quaternions)}
    glb.content["animations"] = [
        {
            "name": "clip",
            "samplers": [{"input": at, "output": output, "interpolation": "LINEAR"} for output in outputs.values()],
            "channels": [{"sampler": i, "target": {"node": 0, "path": path}} for i, path in enumerate(outputs)],
        }
    ]


def quaternion(rotation: np.ndarray) -> np.ndarray:
    """(4,) float64 unit quaternion x, y, z, w of a rotation matrix (3, 3), with w >= 0."""
    # The eigenvector of the largest eigenvalue (Bar-Itzhack 2000): exact for every rotation, without case distinctions.
    (a, b, c), (d, e, f), (g, h, i) = np.asarray(rotation, np.float64)
    symmetric = np.array(
        [
            [a - e - i, b + d, c + g, h - f],
            [b + d, e - a - i, f + h, c - g],
            [c + g, f + h, i - a - e, d - b],
            [h - f, c - g, d - b, a + e + i],
        ]
    )
    vector: np.ndarray = np.linalg.eigh(symmetric)[1][:, -1]
    return -vector if vector[3] < 0 else vector


def jpeg(texture: np.ndarray) -> bytes:
    """A texture (S, S, 3) uint8 RGB as JPEG.

    Raises:
        ValueError: another shape or dtype.
    """
    texture = np.asarray(texture)
    if texture.ndim != 3 or texture.shape[2] != 3 or texture.dtype != np.uint8 or not texture.size:
        raise ValueError(
            "a texture must be (S, S, 3) uint8 RGB, see `face_texture`; "
            f"got shape {texture.shape}, dtype {texture.dtype}"
        )
    content = io.BytesIO()
    Image.fromarray(texture).save(content, "JPEG", quality=_JPEG_QUALITY, subsampling="4:4:4")
    return content.getvalue()


def _material(is_textured: bool) -> dict[str, Any]:
    color: dict[str, Any] = {"baseColorTexture": {"index": 0}} if is_textured else {"baseColorFactor": _SKIN}
    return {
        "name": "skin",
        "pbrMetallicRoughness": {**color, "metallicFactor": 0.0, "roughnessFactor": _ROUGHNESS},
    }
