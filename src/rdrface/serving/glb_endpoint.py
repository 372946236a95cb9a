"""``POST /v1/glb``: one image in, a 3D file of one of its faces out."""

import importlib
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from rdrface.face import Face
from rdrface.serving.batching import Batcher
from rdrface.serving.connected import while_connected
from rdrface.serving.deadline import within
from rdrface.serving.decoding import check_image
from rdrface.serving.limits import Limits
from rdrface.serving.request_errors import ImageRefused, RequestError, too_many_images
from rdrface.serving.uploads import Upload, read_uploads

MEDIA_TYPE = "model/gltf-binary"

Pose = Literal["neutral", "expression", "posed"]
Region = Literal["face", "head"]


class GLBEndpoint:
    """Makes GLB files with `rdrface.scene`.

    Args:
        batcher: finds the faces.
        limits: limits of requests.
    """

    def __init__(self, batcher: Batcher, limits: Limits) -> None:
        self._batcher = batcher
        self._limits = limits

    async def respond(
        self,
        request: Request,
        face: Annotated[int, Query(ge=0, le=10_000, description="index of the face in the answer of /v1/faces")] = 0,
        pose: Annotated[Pose, Query(description="initial state; the file contains all of them")] = "neutral",
        region: Annotated[Region, Query(description="the face in front of the ears, or the head")] = "face",
        texture: Annotated[bool, Query(description="whether the colors of the image are used")] = True,
    ) -> Response:
        """Make a 3D file (binary glTF) of one face, with 46 morph targets and the texture of the image."""
        uploads = await read_uploads(request, self._limits)
        if len(uploads) > 1:
            raise too_many_images(1)
        work = within(self._limits.timeout, self._glb(uploads[0], face, pose, region, texture))
        return Response(await while_connected(request, work), media_type=MEDIA_TYPE)

    async def _glb(self, upload: Upload, index: int, pose: Pose, region: Region, has_texture: bool) -> bytes:
        try:
            if isinstance(upload, ImageRefused):
                raise upload
            image = await self._batcher.in_thread(check_image, upload, self._limits.max_pixels)
            (found,) = await self._batcher.find_faces([image])
            if isinstance(found, ImageRefused):
                raise found
        except ImageRefused as refused:
            raise RequestError(404, refused.code, refused.message) from refused
        if index >= len(found.faces):
            raise RequestError(
                404, "no_such_face", f"the image has {len(found.faces)} faces, numbered from 0; got number {index}"
            )
        face = found.faces[index]
        if not has_texture:
            return await self._batcher.in_thread(_made, face, None, pose, region)
        return await self._batcher.with_pixels(image, lambda pixels: _made(face, pixels, pose, region))


def _made(face: Face, pixels: np.ndarray | None, pose: Pose, region: Region) -> bytes:
    scene: Any = importlib.import_module("rdrface.scene")
    texture = None if pixels is None else scene.face_texture(face, pixels)
    content: bytes = scene.to_glb(face, texture=texture, pose=pose, region=region)
    return content
