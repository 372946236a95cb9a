"""``POST /v1/faces``: images in, faces out."""

import json
from collections.abc import Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from rdrface.serving.batching import Batcher
from rdrface.serving.connected import while_connected
from rdrface.serving.deadline import within
from rdrface.serving.decoding import EncodedImage, check_image
from rdrface.serving.face_finder import FoundFaces
from rdrface.serving.limits import Limits
from rdrface.serving.metrics import Metrics
from rdrface.serving.request_errors import ImageRefused
from rdrface.serving.uploads import Upload, read_uploads

Outcome = FoundFaces | ImageRefused


class FacesEndpoint:
    """Finds the faces of the images of requests.

    Args:
        batcher: finds the faces.
        limits: limits of requests.
        metrics: counts images.
        model: the entry `model` of the responses.
    """

    def __init__(self, batcher: Batcher, limits: Limits, metrics: Metrics, model: dict[str, Any]) -> None:
        self._batcher = batcher
        self._limits = limits
        self._metrics = metrics
        self._model = model

    async def respond(self, request: Request) -> Response:
        """Answer a request.

        Raises:
            RequestError: the request is refused.
            ClientDisconnect: the client closed the connection.
        """
        uploads = await read_uploads(request, self._limits)
        work = within(self._limits.timeout, self._outcomes(uploads))
        outcomes = await while_connected(request, work)
        for outcome in outcomes:
            if isinstance(outcome, FoundFaces):
                self._metrics.image_finished("ok", len(outcome.faces))
            else:
                self._metrics.image_finished(outcome.code)
        return Response(await run_in_threadpool(self._rendered, outcomes), media_type="application/json")

    async def _outcomes(self, uploads: Sequence[Upload]) -> list[Outcome]:
        checked = await run_in_threadpool(self._checked, uploads)
        found = iter(await self._batcher.find_faces([one for one in checked if isinstance(one, EncodedImage)]))
        return [next(found) if isinstance(one, EncodedImage) else one for one in checked]

    def _checked(self, uploads: Sequence[Upload]) -> list[EncodedImage | ImageRefused]:
        return [self._checked_one(upload) for upload in uploads]

    def _checked_one(self, upload: Upload) -> EncodedImage | ImageRefused:
        if isinstance(upload, ImageRefused):
            return upload
        try:
            return check_image(upload, self._limits.max_pixels)
        except ImageRefused as refused:
            return refused

    def _rendered(self, outcomes: Sequence[Outcome]) -> bytes:
        content = {"images": [_document(outcome) for outcome in outcomes], "model": self._model}
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode()


def _document(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, ImageRefused):
        error = {"code": outcome.code, "message": outcome.message}
        return {"width": None, "height": None, "faces": [], "error": error}
    faces = [face.to_dict() for face in outcome.faces]
    return {"width": outcome.width, "height": outcome.height, "faces": faces, "error": None}
