"""The bodies of requests with images: multipart forms, and JSON with base64."""

import base64
import binascii
from typing import Any

from pydantic import ValidationError
from python_multipart.multipart import parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from rdrface.serving.documents import Base64Images
from rdrface.serving.limits import Limits
from rdrface.serving.request_errors import ImageRefused, RequestError, too_many_images

FIELD = "images"
"""Name of the form field and of the key of the JSON document."""

Upload = bytes | ImageRefused
"""The content of an image file, or why it has none."""


async def read_uploads(request: Request, limits: Limits) -> list[Upload]:
    """Read the images of a request.

    Raises:
        RequestError: the body has another type, is malformed, or has no image or too many.
    """
    kind, _ = parse_options_header(request.headers.get("content-type"))
    if kind == b"multipart/form-data":
        return await _read_form(request, limits)
    if kind == b"application/json":
        return await run_in_threadpool(_decode_all, await request.body(), limits.max_images)
    raise RequestError(
        415,
        "unsupported_media_type",
        "the content type must be multipart/form-data with the image files in the field images, or application/json "
        'with {"images": ["<base64>", ...]}',
    )


class _InMemoryParser(MultiPartParser):
    """Parser that writes nothing to the disk: the images of strangers stay in memory."""

    spool_max_size = 0  # no maximum


async def _read_form(request: Request, limits: Limits) -> list[Upload]:
    try:
        parser = _InMemoryParser(
            request.headers,
            request.stream(),
            max_files=limits.max_images,
            max_fields=limits.max_images,
            max_part_size=limits.max_bytes,
        )
        form = await parser.parse()
    except MultiPartException as error:
        if error.message.startswith("Too many files"):
            raise too_many_images(limits.max_images) from error
        raise RequestError(400, "malformed_form", f"the form cannot be read: {error.message}") from error
    except (ValueError, LookupError) as error:
        raise RequestError(400, "malformed_form", "the form cannot be read; send it as curl does") from error
    try:
        names = {name for name, _ in form.multi_items()}
        if names - {FIELD}:
            raise RequestError(422, "unknown_field", f"the form has other fields than {FIELD}; remove them")
        if not names:
            raise _no_images()
        return [await _content(value) for value in form.getlist(FIELD)]
    finally:
        await form.close()


async def _content(value: UploadFile | str) -> Upload:
    if isinstance(value, str):
        raise RequestError(
            422,
            "not_a_file",
            f"a field {FIELD} has no file name, so it is text; send image files (curl -F {FIELD}=@NAME)",
        )
    return await value.read()


def _decode_all(body: bytes, max_images: int) -> list[Upload]:
    try:
        encoded = Base64Images.model_validate_json(body).images
    except ValidationError as error:
        raise RequestError(422, "invalid_request", f"the JSON document is invalid: {_reason(error)}") from error
    if len(encoded) > max_images:
        raise too_many_images(max_images)
    return [_decode(text) for text in encoded]


def _decode(text: str) -> Upload:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        hint = "; send only the part after the comma of a data URL" if text[:5] == "data:" else ""
        return ImageRefused("invalid_base64", f"the image is not encoded in base64{hint}")


def _no_images() -> RequestError:
    return RequestError(422, "no_images", f"the request has no images; send at least one in the field {FIELD}")


def _reason(error: ValidationError) -> str:
    first: Any = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg']}" if place else first["msg"]
