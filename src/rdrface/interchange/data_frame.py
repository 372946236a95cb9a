"""pandas: a row for each face."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rdrface.errors import ConfigError
from rdrface.face import Face, packaged_model
from rdrface.interchange.points68 import to_numbers
from rdrface.landmarks import NUM_LANDMARKS

_BOX = ("box_x0", "box_y0", "box_x1", "box_y1")
_POINTS = tuple(f"{axis}{i}" for i in range(NUM_LANDMARKS) for axis in "xy")
_PER_POINT = ("visibility", "uncertainty")


def to_pandas(faces: Sequence[Face] | Mapping[str, Sequence[Face]]) -> Any:
    """Faces as a `pandas.DataFrame`.

    Args:
        faces: faces of one image, or of several: name of the image -> its faces.

    Returns:
        The columns of the table of `rdrface detect --csv` that have numbers, then the 46 blendshapes by name; `image`
        is the first column if names are given. Images without a face have no row; without any face, the table has the
        columns and no rows.

    Raises:
        ConfigError: pandas is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        raise ConfigError(f"pandas cannot be imported ({error}): pip install pandas") from error
    columns = _columns()
    if isinstance(faces, Mapping):
        columns = ["image", *columns]
        rows: list[dict[str, Any]] = [
            {"image": name, **_row(i, face)} for name, found in faces.items() for i, face in enumerate(found)
        ]
    else:
        rows = [_row(i, face) for i, face in enumerate(faces)]
    # The names are needed if there is no face.
    return pandas.DataFrame(rows, columns=columns if not rows else None)


def from_pandas(table: Any) -> np.ndarray:
    """The landmarks of a table of `to_pandas` or of `rdrface detect --csv`, read with `pandas.read_csv`.

    Returns:
        (n, 68, 2) float32 image pixels; rows without a face are left out.

    Raises:
        TypeError: `table` is no DataFrame.
        ValueError: columns are missing, or contain no numbers.
    """
    if not hasattr(table, "columns"):
        raise TypeError(f"table must be a pandas.DataFrame; got {type(table).__name__}")
    missing = [name for name in _POINTS if name not in table.columns]
    if missing:
        raise ValueError(f"the table must have the columns x0, y0, ..., x67, y67; {missing[0]} is missing")
    values = to_numbers(table[list(_POINTS)].to_numpy(), "the columns x0, y0, ...").astype(np.float32)
    points: np.ndarray = values[np.isfinite(values).all(axis=1)].reshape(-1, NUM_LANDMARKS, 2)
    return points


def _columns() -> list[str]:
    """Names of the columns of `_row`."""
    per_point = (f"{name}{i}" for name in _PER_POINT for i in range(NUM_LANDMARKS))
    shapes = packaged_model().expression_names
    return ["face", *_BOX, "score", "yaw", "pitch", "roll", *_POINTS, *per_point, "expected_error", *shapes]


def _row(number: int, face: Face) -> dict[str, Any]:
    return {
        "face": number,
        **dict(zip(_BOX, face.box.tolist(), strict=True)),
        "score": face.score,
        "yaw": face.pose.yaw,
        "pitch": face.pose.pitch,
        "roll": face.pose.roll,
        **dict(zip(_POINTS, face.landmarks.ravel().tolist(), strict=True)),
        **{f"{name}{i}": float(value) for name in _PER_POINT for i, value in enumerate(getattr(face, name))},
        "expected_error": face.expected_error,
        **face.blendshapes,
    }
