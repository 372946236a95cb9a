"""OpenVINO inference requests of a graph whose input size varies."""

from typing import Any

RUN_WEIGHT, CHANGE_WEIGHT = 1, 10
"""Relative cost of a run with a shape, and of a change to it, if the graph is not compiled for the shape."""
COMPILE_FROM = 40
"""Sum of these costs from which the graph is compiled for a shape: the third change and some runs, or a longer series
of images of one size."""
MAX_SHAPES = 6
"""Maximum number of shapes for which the graph is compiled."""
MAX_COUNTED = 100
"""Maximum number of shapes whose costs are kept: a folder of images of many sizes has more."""
MAX_PIXELS = 512 * 512
"""Maximum input of these, pixels: changing to larger shapes takes a small part of their time."""


class RequestsByShape:
    """Chooses the inference request for an input shape.

    A request for inputs of any size is some tenths of a millisecond slower than one for a fixed size, and every change
    of the size takes some milliseconds, as much as the run itself for small inputs. A detector that alternates between
    sizes would pay them in every image. Shapes that come often therefore get a request of their own; compiling the
    graph for it takes about 0.1 s. Not thread-safe.

    The two kinds of requests round differently: the same image can give slightly different results before and after its
    shape is compiled.

    Args:
        core: the `openvino.Core`.
        model: the `openvino.Model` with one input.
        properties: for `compile_model`.
    """

    def __init__(self, core: Any, model: Any, properties: dict[str, Any]) -> None:
        self._core, self._model, self._properties = core, model, properties
        self._any_shape = core.compile_model(model, "CPU", properties).create_infer_request()
        self._by_shape: dict[tuple[int, ...], Any] = {}
        self._compiled: dict[tuple[int, ...], Any] = {}
        self._cost: dict[tuple[int, ...], int] = {}
        self._last: tuple[int, ...] | None = None
        self._is_static = model.input(0).partial_shape.is_static

    def request(self, shape: tuple[int, ...]) -> Any:
        """The request for inputs of a shape, (B, 3, H, W)."""
        if self._is_static:
            return self._any_shape
        if shape in self._by_shape:
            return self._by_shape[shape]
        self._count(shape)
        return self._by_shape.get(shape, self._any_shape)

    def reset(self) -> None:
        """Choose as after loading, so that later results do not depend on earlier calls. Compiled graphs are kept."""
        self._by_shape.clear()
        self._cost.clear()
        self._last = None

    def _count(self, shape: tuple[int, ...]) -> None:
        weight = RUN_WEIGHT if shape == self._last else CHANGE_WEIGHT
        self._last = shape
        if len(self._by_shape) == MAX_SHAPES or shape[0] * shape[-2] * shape[-1] > MAX_PIXELS:
            return
        if len(self._cost) == MAX_COUNTED:
            self._cost.clear()
        self._cost[shape] = self._cost.get(shape, 0) + weight
        if self._cost[shape] >= COMPILE_FROM:
            self._by_shape[shape] = self._request_of(shape)
            self._last = None

    def _request_of(self, shape: tuple[int, ...]) -> Any:
        """A request for one shape, compiled on its first call."""
        if shape not in self._compiled:
            if len(self._compiled) == MAX_SHAPES:
                # Of an earlier choice: after `reset`, the shapes in use are never more than this number.
                del self._compiled[next(other for other in self._compiled if other not in self._by_shape)]
            model = self._model.clone()
            model.reshape(list(shape))
            self._compiled[shape] = self._core.compile_model(model, "CPU", self._properties).create_infer_request()
        return self._compiled[shape]
