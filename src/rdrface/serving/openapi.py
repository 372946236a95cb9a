"""Parts of the OpenAPI description that FastAPI cannot derive from the code."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from rdrface.serving.access import API_KEY_HEADER
from rdrface.serving.documents import Base64Images, ErrorResponse, StatusDocument
from rdrface.serving.uploads import FIELD


def faces_body(max_images: int) -> dict[str, Any]:
    """Description of the bodies that `/v1/faces` accepts."""
    document = Base64Images.model_json_schema()
    document["properties"]["images"]["maxItems"] = max_images
    files = {
        "type": "array",
        "minItems": 1,
        "maxItems": max_images,
        "items": {"type": "string", "format": "binary"},
        "description": "image files: JPEG, PNG, WebP, AVIF, HEIC",
    }
    form = {"type": "object", "required": [FIELD], "additionalProperties": False, "properties": {FIELD: files}}
    return {
        "required": True,
        "content": {"multipart/form-data": {"schema": form}, "application/json": {"schema": document}},
    }


_MEANINGS = {
    400: "malformed form",
    401: "the API key is missing or wrong",
    403: "request of a page of another site",
    408: "the body arrived too slowly",
    413: "too many bytes",
    415: "neither a form nor JSON",
    421: "unknown host name",
    422: "no images, too many of them, or an invalid document",
    500: "the server failed",
    503: "the queue or the memory is full, or the server is stopping",
    504: "the images were not processed in time",
}

FACES_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorResponse, "description": meaning} for status, meaning in _MEANINGS.items()
}

GLB_RESPONSES: dict[int | str, dict[str, Any]] = {
    **FACES_ERRORS,
    200: {
        "content": {"model/gltf-binary": {"schema": {"type": "string", "format": "binary"}}},
        "description": "binary glTF",
    },
    404: {"model": ErrorResponse, "description": "the image cannot be used, or has no such face"},
}

HEALTH_RESPONSES: dict[int | str, dict[str, Any]] = {
    503: {"model": StatusDocument, "description": "the server is stopping"}
}

TEXT_RESPONSE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "text format of Prometheus"}
}

MODEL_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        "description": "the file",
    },
    304: {"description": "the client has the file"},
    404: {"model": ErrorResponse, "description": "the web page is not installed"},
}

_EVERYWHERE = ("401", "403", "421", "500")
"""Errors that every endpoint can have."""


def describe(app: FastAPI, has_key: bool) -> dict[str, Any]:
    """The OpenAPI description of the application.

    Args:
        app: all of its routes have been added.
        has_key: whether the server requires an API key.
    """
    description = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    errors = description["paths"]["/v1/faces"]["post"]["responses"]
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            for status in _EVERYWHERE:
                operation["responses"].setdefault(status, errors[status])
            if has_key and (path == "/metrics" or method == "post"):
                operation["security"] = [{"key": []}]
    if has_key:
        schemes = {"key": {"type": "apiKey", "in": "header", "name": API_KEY_HEADER}}
        description["components"]["securitySchemes"] = schemes
    return description
