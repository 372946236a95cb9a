"""OpenVINO inference requests of a graph whose batch size varies."""

from typing import Any


class RequestsByBatch:
    """Chooses the inference request for a batch.

    With a known batch size, OpenVINO joins operators and computes on parts of arrays without copies. Most calls have a
    single image, so the graph is compiled for one image first, and for batches when the first one arrives. Not
    thread-safe.

    Args:
        core: the `openvino.Core`.
        model: the `openvino.Model` with one input, whose size is fixed except for the batch.
        properties: for `compile_model`.
    """

    def __init__(self, core: Any, model: Any, properties: dict[str, Any]) -> None:
        self._core, self._model, self._properties = core, model, properties
        single = model.clone()
        shape = model.input(0).partial_shape
        if shape[0].is_dynamic:
            single.reshape([1, *(side.get_length() for side in list(shape)[1:])])
            self._batch: Any = None
            self._single = self._compile(single)
        else:
            self._single = self._batch = self._compile(single)

    def request(self, shape: tuple[int, ...]) -> Any:
        """The request for inputs of a shape, (B, 3, H, W)."""
        if shape[0] == 1:
            return self._single
        if self._batch is None:
            self._batch = self._compile(self._model)
        return self._batch

    def _compile(self, model: Any) -> Any:
        return self._core.compile_model(model, "CPU", self._properties).create_infer_request()
