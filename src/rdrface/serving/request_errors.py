"""Errors of requests and of single images, with the codes that clients can rely on."""

from collections.abc import Mapping


class RequestError(Exception):
    """A request is answered with an error.

    Args:
        status: HTTP status.
        code: short name of the error; part of the API, never changed.
        message: what was received, what is expected and what to do. It contains nothing of the machine.
        headers: further headers of the response.
    """

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})


class ImageRefused(Exception):
    """One image of a request has no result; the other images have.

    Args:
        code: see `RequestError`.
        message: see `RequestError`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)  # these are the arguments with which it is unpickled
        self.code = code
        self.message = message


CLIENT_CLOSED = 499
"""Status in the log and the metrics of a request whose client closed the connection before the response."""

RETRY_SOON = {"Retry-After": "1"}


def body_too_large(max_bytes: int) -> RequestError:
    """The body of a request has more than `max_bytes`."""
    return RequestError(
        413,
        "body_too_large",
        f"the request has more than {max_bytes} bytes, the limit of this server (--max-bytes); send fewer or smaller "
        "images",
    )


def body_timeout(seconds: float) -> RequestError:
    """The body of a request did not arrive in time."""
    return RequestError(
        408,
        "body_timeout",
        f"the request did not arrive within {seconds:g} seconds, the limit of this server (--body-timeout); send "
        "smaller images, or use a faster connection",
    )


def too_many_images(max_images: int) -> RequestError:
    """A request has more than `max_images`."""
    return RequestError(
        422,
        "too_many_images",
        f"the request has more than {max_images} images, the limit of this server (--max-images); send them in several "
        "requests",
    )


def queue_full(max_queue: int) -> RequestError:
    """No more images can wait."""
    return RequestError(
        503,
        "queue_full",
        f"{max_queue} images are waiting already, the limit of this server (--max-queue); repeat the request later",
        RETRY_SOON,
    )


def memory_full() -> RequestError:
    """The bodies of the present requests have the maximum size."""
    return RequestError(
        503,
        "memory_full",
        "the server is receiving as many bytes as it may keep (--max-buffered-bytes); repeat the request later",
        RETRY_SOON,
    )


def timed_out(seconds: float) -> RequestError:
    """The images of a request were not processed in time."""
    return RequestError(
        504,
        "timeout",
        f"the images were not processed within {seconds:g} seconds, the limit of this server (--timeout); send fewer "
        "images, or repeat the request later",
        RETRY_SOON,
    )


def stopping() -> RequestError:
    """The server is being stopped and accepts no more images."""
    return RequestError(503, "stopping", "the server is stopping; repeat the request later", RETRY_SOON)


def internal_error() -> RequestError:
    """The server failed. The reason is in its log only."""
    return RequestError(
        500, "internal_error", "the server failed; its log has the reason under the X-Request-ID of this response"
    )
