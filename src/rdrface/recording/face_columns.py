"""Columns of Parquet files with one face per row."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rdrface.errors import ConfigError
from rdrface.face import Face, packaged_model
from rdrface.face_dict import ARRAY_SHAPES, PARAMETER_SHAPES

if TYPE_CHECKING:
    import pyarrow as pa

_NUMBERS = ("score", "expected_error", "yaw", "pitch", "roll")
_ROTATION = "rotation"
_CUSTOM = "custom_landmarks"


def face_fields(num_custom: int = 0, is_nullable: bool = False) -> "list[pa.Field]":
    """The columns: numbers, flat fixed-size lists of float32 in the order of the arrays of `Face`, and blendshapes.

    Args:
        num_custom: number of landmarks of the annotation scheme that the weights were fine-tuned to.
        is_nullable: the table has rows without a face.

    Raises:
        ConfigError: pyarrow is not installed.
    """
    pa = import_pyarrow()
    sizes = {name: int(np.prod(shape)) for name, shape in ARRAY_SHAPES.items()}
    sizes |= {_ROTATION: 9} | {f"parameters_{name}": size for name, (size,) in PARAMETER_SHAPES.items()}
    sizes |= {_CUSTOM: 2 * num_custom} if num_custom else {}
    types = {name: pa.float32() for name in _NUMBERS}
    types |= {name: pa.list_(pa.float32(), size) for name, size in sizes.items()}
    types |= {name: pa.float32() for name in packaged_model().expression_names}
    return [pa.field(name, kind, nullable=is_nullable) for name, kind in types.items()]


def face_columns(faces: Sequence[Face | None], num_custom: int = 0) -> "dict[str, pa.Array]":
    """The values of `face_fields`.

    Args:
        faces: the face of each row; None gives null in all columns.
        num_custom: see `face_fields`.
    """
    pa = import_pyarrow()
    present = [face for face in faces if face is not None]
    values: dict[str, list[Any]] = {
        "score": [face.score for face in present],
        "expected_error": [face.expected_error for face in present],
        "yaw": [face.pose.yaw for face in present],
        "pitch": [face.pose.pitch for face in present],
        "roll": [face.pose.roll for face in present],
        **{name: [getattr(face, name) for face in present] for name in ARRAY_SHAPES},
        _ROTATION: [face.pose.rotation for face in present],
        **{f"parameters_{name}": [getattr(face.parameters, name) for face in present] for name in PARAMETER_SHAPES},
        **({_CUSTOM: [face.custom_landmarks for face in present]} if num_custom else {}),
        **{name: [face.blendshapes[name] for face in present] for name in packaged_model().expression_names},
    }
    is_null = np.array([face is None for face in faces], bool)
    columns = {}
    for field in face_fields(num_custom):
        size = getattr(field.type, "list_size", 1)
        rows = np.zeros((len(faces), size), np.float32)
        rows[~is_null] = np.reshape(np.asarray(values[field.name], np.float32), (-1, size))
        flat = rows.reshape(-1)
        if hasattr(field.type, "list_size"):
            mask = pa.array(is_null) if is_null.any() else None
            columns[field.name] = pa.FixedSizeListArray.from_arrays(pa.array(flat), size, mask=mask)
        else:
            columns[field.name] = pa.array(flat, mask=is_null)
    return columns


def import_pyarrow(extra: str = "video") -> Any:
    """The module pyarrow.

    Args:
        extra: name of the extra that installs it, for the message.

    Raises:
        ConfigError: pyarrow is not installed.
    """
    try:
        import pyarrow
    except ImportError as error:
        raise ConfigError(
            f"Parquet needs pyarrow, which cannot be imported ({error}): pip install 'rdrface[{extra}]'"
        ) from error
    return pyarrow
