"""Remove the constant offset between a dataset's annotations and its images."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from rdrface.datasets.records import FaceRecords
from rdrface.datasets.sources import value_of
from rdrface.errors import ConfigError
from rdrface.geometry.boxes import box_size

_MAX_PERCENT = 20.0
_EXPECTED = "two numbers, the offset of the annotations to the right and down in percent of the face size"


def without_offset(records: FaceRecords, offset: Mapping[str, Sequence[float]]) -> FaceRecords:
    """Subtract the annotation offset of each dataset.

    Args:
        records: N faces without a fit.
        offset: source, or its first components -> (dx, dy), offset of its annotations to the right and down in percent
            of the face size, sqrt(w h) of `FaceRecords.box`. The longest matching entry is used
            (`rdrface.datasets.sources.value_of`); faces without a match do not change.

    Returns:
        The records with `points`, `jawline_contour` and `box` moved.

    Raises:
        ValueError: the records are fitted; their fit would not match the changed annotations.
    """
    if records.Q is not None:
        raise ValueError("the records are already fitted; remove the annotation offset before the fit")
    percent = np.array([value_of(name, offset, (0.0, 0.0)) for name in records.source.tolist()]).reshape(-1, 2)
    move = percent / 100 * box_size(records.box)[:, None]
    jawline = records.jawline_contour
    return replace(
        records,
        points=records.points - move[:, None],
        jawline_contour=None if jawline is None else jawline - move[:, None],
        box=records.box - np.tile(move, 2),
    )


def check_offset(offset: Mapping[str, object]) -> None:
    """Check the offsets of a configuration.

    Raises:
        ConfigError: an offset is not two finite numbers, or too large.
    """
    for part, value in offset.items():
        numbers = value if isinstance(value, (list, tuple)) else []
        if len(numbers) != 2 or not all(_is_number(number) and abs(number) <= _MAX_PERCENT for number in numbers):
            raise ConfigError(f"the offset of {part!r} must be {_EXPECTED}, at most {_MAX_PERCENT:g}; got {value!r}")


def parse_offset(options: Iterable[str]) -> dict[str, tuple[float, float]]:
    """Parse command-line options of the form PART=DX,DY.

    Raises:
        ConfigError: an option does not have this form, or a part is given twice.
    """
    offset: dict[str, tuple[float, float]] = {}
    for option in options:
        part, _, numbers = option.partition("=")
        try:
            dx, dy = (float(number) for number in numbers.split(","))
        except ValueError as error:
            raise ConfigError(
                f"--offset must be PART=DX,DY ({_EXPECTED}), e.g. 300w/helen=0.4,0.4; got {option!r}"
            ) from error
        if part in offset:
            raise ConfigError(f"--offset is given twice for {part!r}; give it once")
        offset[part] = (dx, dy)
    check_offset(offset)
    return offset


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
