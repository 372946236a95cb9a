"""Prometheus metrics. Their labels have few values, none of which is chosen by a client."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from rdrface._version import __version__

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_COUNTS = (1, 2, 4, 8, 16, 32)


class Metrics:
    """The metrics of one server.

    Attributes:
        waiting_images: images that wait or are being processed.
        buffered_bytes: bytes of the bodies of requests in memory.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._requests = Counter(
            "rdrface_requests", "Requests by endpoint and HTTP status.", ["endpoint", "status"], registry=self._registry
        )
        self._request_seconds = Histogram(
            "rdrface_request_duration_seconds",
            "Time from the head of a request to the end of its response.",
            ["endpoint"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._images = Counter(
            "rdrface_images",
            "Images by outcome: ok, or the code of their error.",
            ["outcome"],
            registry=self._registry,
        )
        self._faces = Counter("rdrface_faces", "Faces returned.", registry=self._registry)
        self._inference_seconds = Histogram(
            "rdrface_inference_duration_seconds",
            "Time of detection and alignment of a batch of images.",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._batch_images = Histogram(
            "rdrface_batch_images", "Images of a batch.", buckets=_COUNTS, registry=self._registry
        )
        self.waiting_images = Gauge(
            "rdrface_waiting_images", "Images that wait or are being processed.", registry=self._registry
        )
        self.buffered_bytes = Gauge(
            "rdrface_buffered_bytes", "Bytes of the bodies of requests in memory.", registry=self._registry
        )
        Info("rdrface_build", "Version of rdrface.", registry=self._registry).info({"version": __version__})

    def request_finished(self, endpoint: str, status: int, seconds: float) -> None:
        """Count a request. `endpoint` is the template of its route, never the path itself."""
        self._requests.labels(endpoint, str(status)).inc()
        self._request_seconds.labels(endpoint).observe(seconds)

    def image_finished(self, outcome: str, num_faces: int = 0) -> None:
        """Count an image: `outcome` is "ok" or the code of its error."""
        self._images.labels(outcome).inc()
        self._faces.inc(num_faces)

    def batch_finished(self, num_images: int, seconds: float) -> None:
        """Count a batch of the network."""
        self._batch_images.observe(num_images)
        self._inference_seconds.observe(seconds)

    def text(self) -> bytes:
        """The metrics in the text format of Prometheus."""
        return generate_latest(self._registry)
