"""The application of the server: its routes and their OpenAPI description."""

import importlib.util
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from rdrface._version import __version__
from rdrface.serving.access import Access
from rdrface.serving.batching import Batcher
from rdrface.serving.description_page import STYLE, description_page
from rdrface.serving.documents import FacesDocument, StatusDocument, error_content
from rdrface.serving.face_finder import Finder
from rdrface.serving.faces_endpoint import FacesEndpoint
from rdrface.serving.glb_endpoint import GLBEndpoint
from rdrface.serving.guard import Guard
from rdrface.serving.limits import Limits
from rdrface.serving.metrics import Metrics
from rdrface.serving.openapi import (
    FACES_ERRORS,
    GLB_RESPONSES,
    HEALTH_RESPONSES,
    MODEL_RESPONSES,
    TEXT_RESPONSE,
    describe,
    faces_body,
)
from rdrface.serving.request_errors import CLIENT_CLOSED, RequestError, internal_error
from rdrface.serving.web_page import WebPage

_CODES = {404: "not_found", 405: "method_not_allowed"}
_MESSAGES = {404: "there is nothing at this path; /docs describes the API", 405: "this path has other methods"}


def create_app(finders: Sequence[Finder], limits: Limits | None = None, access: Access | None = None) -> Guard:
    """The ASGI application of ``rdrface serve``.

    Args:
        finders: find the faces; those of one application have the same network. They are stopped with it.
        limits: limits of requests; default: those of `Limits`.
        access: rules of access; default: only this machine, without an API key.
    """
    limits, access, metrics = limits or Limits(), access or Access(), Metrics()
    networks = [finder.ready() for finder in finders]  # waits for all of them
    batcher = Batcher(finders, limits, metrics)
    model = {"version": __version__, "crop_size": networks[0].crop_size, "precision": networks[0].precision}

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(batcher.stop)

    app = FastAPI(
        title="rdrface",
        version=__version__,
        description="Facial landmarks, head pose and a 3D face for images up to full profile.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.add_exception_handler(RequestError, _refused)
    app.add_exception_handler(HTTPException, _no_route)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(ClientDisconnect, _disconnected)
    app.add_exception_handler(Exception, _failed)
    _add_faces(app, FacesEndpoint(batcher, limits, metrics, model), faces_body(limits.max_images))
    if importlib.util.find_spec("rdrface.scene") is not None:
        _add_glb(app, GLBEndpoint(batcher, limits), faces_body(1))
    _add_health(app, batcher, metrics)
    _add_pages(app, WebPage.installed())
    _add_description(app, describe(app, access.api_key is not None))
    return Guard(app, access, limits, metrics)


def _add_faces(app: FastAPI, endpoint: FacesEndpoint, body: dict[str, Any]) -> None:
    @app.post("/v1/faces", response_model=FacesDocument, responses=FACES_ERRORS, openapi_extra={"requestBody": body})
    async def find_faces(request: Request) -> Response:
        """Find the faces of one or more images. An image that cannot be used has an `error`; the others have faces."""
        return await endpoint.respond(request)


def _add_glb(app: FastAPI, endpoint: GLBEndpoint, body: dict[str, Any]) -> None:
    app.add_api_route(
        "/v1/glb",
        endpoint.respond,
        methods=["POST"],
        response_class=Response,
        responses=GLB_RESPONSES,
        openapi_extra={"requestBody": body},
    )


def _add_health(app: FastAPI, batcher: Batcher, metrics: Metrics) -> None:
    @app.get("/livez", response_model=StatusDocument)
    async def is_alive() -> Response:
        """Whether the process answers."""
        return JSONResponse({"status": "ok"})

    @app.get("/readyz", response_model=StatusDocument, responses=HEALTH_RESPONSES)
    async def is_ready() -> Response:
        """Whether images are accepted."""
        return JSONResponse({"status": "ok"}) if batcher.is_ready else JSONResponse({"status": "stopping"}, 503)

    @app.get("/healthz", response_model=StatusDocument, responses=HEALTH_RESPONSES)
    async def is_healthy() -> Response:
        """The same as `/readyz`."""
        return await is_ready()

    @app.get("/metrics", response_class=Response, responses=TEXT_RESPONSE)
    async def read_metrics() -> Response:
        """Metrics for Prometheus."""
        return Response(metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _add_pages(app: FastAPI, page: WebPage) -> None:
    @app.get("/v1/model", response_class=Response, responses=MODEL_RESPONSES)
    async def read_face_model(request: Request) -> Response:
        """The face model of the web page: a JSON header and arrays. A client can keep it and check it by its ETag."""
        if page.face_model is None:
            raise RequestError(404, "not_installed", "the web page and its face model are not installed")
        return page.face_model.response(request)

    # One route per file: a URL cannot name any other file, and other methods get their 405.
    for name, file in page.files.items():
        app.add_api_route(f"/{name}", file.response, methods=["GET", "HEAD"], include_in_schema=False)


def _add_description(app: FastAPI, openapi: dict[str, Any]) -> None:
    @app.get("/openapi.json", include_in_schema=False)
    async def read_openapi() -> Response:
        return JSONResponse(openapi)

    @app.get("/docs", include_in_schema=False)
    async def read_description(request: Request) -> Response:
        return HTMLResponse(description_page(openapi, str(request.base_url).rstrip("/")))

    @app.get("/docs/style.css", include_in_schema=False)
    async def read_style() -> Response:
        return Response(STYLE, media_type="text/css")


async def _refused(_: Request, error: Any) -> Response:
    return JSONResponse(error_content(error.code, error.message), error.status, error.headers)


async def _no_route(_: Request, error: Any) -> Response:
    code = _CODES.get(error.status_code, "invalid_request")
    message = _MESSAGES.get(error.status_code, "the request is invalid; /docs describes the API")
    return JSONResponse(error_content(code, message), error.status_code, error.headers)


async def _invalid(request: Request, error: Any) -> Response:
    first = error.errors()[0]
    reason = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return await _refused(request, RequestError(422, "invalid_request", f"a parameter is invalid: {reason}"))


async def _disconnected(_: Request, error: Any) -> Response:
    return Response(status_code=CLIENT_CLOSED)


async def _failed(request: Request, _: Any) -> Response:
    return await _refused(request, internal_error())
