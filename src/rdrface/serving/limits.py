"""Limits of the server. This module needs no extra, so that the command line can show the defaults."""

from dataclasses import dataclass, fields

from rdrface.image_arrays import MAX_PIXELS


@dataclass(frozen=True)
class Limits:
    """Limits of the server. What exceeds one of them is refused with an error of its own.

    Attributes:
        max_bytes: bytes of the body of a request.
        max_buffered_bytes: bytes of the bodies of all requests that are being received or processed.
        max_images: images of a request.
        max_pixels: pixels of an image.
        max_decoded_bytes: bytes of all images that are being decoded, wait for the network, or are in it. An image
            that needs more is decoded alone.
        max_faces: detections in an image.
        max_queue: images that wait or are being processed.
        max_connections: open connections.
        timeout: seconds for the images of a request, from the last byte of its body to the result.
        body_timeout: seconds for receiving the body of a request.
        header_timeout: seconds for receiving the head of a request.
        write_timeout: seconds for which a client may read nothing of its response.

    Raises:
        ValueError: a limit is not positive, or two limits contradict each other.
    """

    max_bytes: int = 25_000_000
    max_buffered_bytes: int = 250_000_000
    max_images: int = 16
    max_pixels: int = 50_000_000
    max_decoded_bytes: int = 600_000_000
    max_faces: int = 100
    max_queue: int = 64
    max_connections: int = 500
    timeout: float = 30.0
    body_timeout: float = 30.0
    header_timeout: float = 10.0
    write_timeout: float = 30.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0 < value < float("inf"):
                raise ValueError(f"{field.name} must be positive; got {value}")
        if self.max_pixels > MAX_PIXELS:
            raise ValueError(f"max_pixels must be at most {MAX_PIXELS}, the limit of rdrface; got {self.max_pixels}")
        if self.max_images > self.max_queue:
            raise ValueError(
                f"max_queue must be at least max_images, the images of a single request; got {self.max_queue} and "
                f"{self.max_images}"
            )
        if self.max_bytes > self.max_buffered_bytes:
            raise ValueError(
                "max_buffered_bytes must be at least max_bytes, the body of a single request; got "
                f"{self.max_buffered_bytes} and {self.max_bytes}"
            )
