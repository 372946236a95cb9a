"""Remove the constant by which the labels of a set are displaced from its photos, and move the face boxes with them."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from rdrface.datasets.records import FaceRecords
from rdrface.datasets.sources import value_of
from rdrface.errors import ConfigError

_MOST = 20.0
_WANTED = "two numbers, how far the labels lie to the right and down in percent of the face's side"


def without_offset(records: FaceRecords, offset: Mapping[str, Sequence[float]]) -> FaceRecords:
    """Records whose labels are moved back by the offset of their set.

    Args:
        records: N faces without a fit.
        offset: part -> (dx, dy), how far its labels lie to the right and down in percent of the face's side, sqrt(w h)
            of `FaceRecords.box`. Parts are looked up as in `rdrface.datasets.sources`; those of other sets are passed over.

    Returns:
        The records with `points`, `jawline_contour` and `box` moved.

    Raises:
        ValueError: the records are fitted; a fit belongs to the labels it was made of.
    """
    if records.Q is not None:
        raise ValueError("the records are fitted already; move their labels before the fit")
    percent = np.array([value_of(name, offset, (0.0, 0.0)) for name in records.source.tolist()]).reshape(-1, 2)
    side = np.sqrt((records.box[:, 2:] - records.box[:, :2]).prod(axis=1))
    move = (percent / 100 * side[:, None]).astype(np.float32)
    jawline = records.jawline_contour
    return replace(
        records,
        points=records.points - move[:, None],
        jawline_contour=None if jawline is None else jawline - move[:, None],
        box=records.box - np.tile(move, 2),
    )


def check_offset(offset: Mapping[str, object]) -> None:
    """ConfigError unless every part has two finite numbers."""
    for part, value in offset.items():
        numbers = value if isinstance(value, (list, tuple)) else []
        if len(numbers) != 2 or not all(_is_number(number) and abs(number) <= _MOST for number in numbers):
            raise ConfigError(f"the offset of {part!r} must be {_WANTED}, at most {_MOST:g}; got {value!r}")


def parse_offset(options: Iterable[str]) -> dict[str, tuple[float, float]]:
    """Offsets from options of the command line, each PART=DX,DY.

    Raises:
        ConfigError: another form, or a part given twice.
    """
    offset: dict[str, tuple[float, float]] = {}
    for option in options:
        part, _, numbers = option.partition("=")
        try:
            across, down = (float(number) for number in numbers.split(","))
        except ValueError as error:
            raise ConfigError(
                f"--offset wants PART=DX,DY ({_WANTED}), e.g. 300w/helen=0.4,0.4; got {option!r}"
            ) from error
        if part in offset:
            raise ConfigError(f"--offset names {part!r} twice; give it once")
        offset[part] = (across, down)
    check_offset(offset)
    return offset


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
