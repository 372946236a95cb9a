"""The dictionaries of `Face.to_dict`: numbers without loss of precision, and checks of what is read."""

from collections.abc import Mapping, Sized
from typing import Any

import numpy as np

from rdrface.errors import DataError
from rdrface.landmarks import NUM_LANDMARKS
from rdrface.morphable.params import NUM_EXPRESSION, NUM_IDENTITY, NUM_POSE

_DIGITS = 9
"""Significant decimal digits that distinguish any two float32 numbers."""

ARRAY_SHAPES = {
    "box": (4,),
    "landmarks": (NUM_LANDMARKS, 2),
    "landmarks_jawline": (NUM_LANDMARKS, 2),
    "landmarks_3d": (NUM_LANDMARKS, 3),
    "projection": (NUM_LANDMARKS, 2),
    "visibility": (NUM_LANDMARKS,),
    "uncertainty": (NUM_LANDMARKS,),
}
"""Attribute of `Face` that is always an array -> its shape."""

PARAMETER_SHAPES = {"pose": (NUM_POSE,), "identity": (NUM_IDENTITY,), "expression": (NUM_EXPRESSION,)}
"""Attribute of `Parameters` -> its shape."""

_KEYS_OF_0_1 = {"visible": "visibility", "own_landmarks": "custom_landmarks"}
"""Keys of `Face.to_dict` in release 0.1 -> current keys."""


def plain(values: np.ndarray) -> list[Any]:
    """Nested lists of the values of an array, with the digits that a float32 number needs."""
    # The shortest decimal that gives the same float32 value; the float64 values of tolist() are twice as long.
    flat = [float(f"{value:.{_DIGITS}g}") for value in np.asarray(values, np.float32).ravel().tolist()]
    rounded: list[Any] = np.array(flat).reshape(np.shape(values)).tolist()
    return rounded


def read_entries(content: Mapping[str, Any]) -> dict[str, Any]:
    """Check the dictionary of a face, of this release or of 0.1.

    Args:
        content: the dictionary; `expected_error`, `pose` and `blendshapes` are not read.

    Returns:
        The attributes of `Face` except `model`: arrays are float32, `score` is a float, `custom_landmarks` can be None,
        and `parameters` is a dictionary of the three arrays of `Parameters`.

    Raises:
        DataError: an entry is missing, is not finite, or has the wrong shape or type.
    """
    if not isinstance(content, Mapping):
        raise DataError(f"a face is restored from the dictionary of `Face.to_dict`; got {type(content).__name__}")
    try:
        content = _renamed_since_0_1(content)
        parameters = content["parameters"]
        return {
            **{name: _array(content, name, shape) for name, shape in ARRAY_SHAPES.items()},
            "score": float(_array(content, "score", ())),
            "parameters": {name: _array(parameters, name, shape) for name, shape in PARAMETER_SHAPES.items()},
            "custom_landmarks": _custom_landmarks(content),
        }
    except KeyError as error:
        raise DataError(f"the entry {error} is missing; expected a dictionary written by `Face.to_dict`") from error
    except TypeError as error:
        raise DataError(f"not a face as `Face.to_dict` writes it: {error}") from error


def _array(content: Mapping[str, Any], name: str, shape: tuple[int, ...]) -> np.ndarray:
    try:
        values = np.array(content[name])
    except ValueError as error:
        raise DataError(f"{name} must be numbers of shape {shape}: {error}") from error
    if values.dtype.kind not in "fiu" or values.shape != shape:
        raise DataError(f"{name} must be numbers of shape {shape}; got shape {values.shape}, dtype {values.dtype}")
    if not (np.abs(values) < np.finfo(np.float32).max).all():
        raise DataError(f"{name} must be finite numbers; got NaN, infinity or a number beyond float32")
    return values.astype(np.float32)


def _custom_landmarks(content: Mapping[str, Any]) -> np.ndarray | None:
    points = content.get("custom_landmarks")
    if points is None:
        return None
    count = len(points) if isinstance(points, Sized) else 1
    return _array(content, "custom_landmarks", (max(count, 1), 2))


def _renamed_since_0_1(content: Mapping[str, Any]) -> dict[str, Any]:
    """The dictionary with the keys of release 0.1 replaced by the current ones."""
    renamed = {_KEYS_OF_0_1[key]: value for key, value in content.items() if key in _KEYS_OF_0_1}
    confidence = content.get("confidence")
    if isinstance(confidence, Mapping) and "error_percent" in confidence:
        renamed["uncertainty"] = confidence["error_percent"]
    return {**renamed, **content}
