"""Move labels that lie beside the places their photos show by a constant of their set, and with it their face boxes."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from rdrface.data.records import FaceRecords
from rdrface.errors import ConfigError

_WANTED = "two numbers, how far the labels lie to the right and down in percent of the face's side"


def without_offset(records: FaceRecords, offset: Mapping[str, Sequence[float]]) -> FaceRecords:
    """Records whose labels are moved back by the offset of their set.

    Args:
        records: N faces without a fit.
        offset: part -> (dx, dy), how far its labels lie to the right and down in percent of the face's side, sqrt(w h)
            of `FaceRecords.box`. A part is a source or its first folders, e.g. "300w/helen"; of several that match a
            face the longest counts. Parts of other sets are passed over, see `check_parts`.

    Returns:
        The records with `points`, `jawline_contour` and `box` moved.

    Raises:
        ValueError: the records are fitted; a fit belongs to the labels it was made of.
    """
    if records.Q is not None:
        raise ValueError("the records are fitted already; move their labels before the fit")
    percent = _offset_of(records.source, offset)
    side = np.sqrt((records.box[:, 2:] - records.box[:, :2]).prod(axis=1))
    move = (percent / 100 * side[:, None]).astype(np.float32)
    jawline = records.jawline_contour
    return replace(
        records,
        points=records.points - move[:, None],
        jawline_contour=None if jawline is None else jawline - move[:, None],
        box=records.box - np.tile(move, 2),
    )


def check_parts(source: np.ndarray, offset: Mapping[str, Sequence[float]]) -> None:
    """Every part must have faces, so that a misspelt one is not passed over.

    Args:
        source: (N,) str, sources of all faces that were read.
        offset: see `without_offset`.

    Raises:
        ConfigError: a part without faces; the message lists what there is.
    """
    sources = sorted(set(source.tolist()))
    for part in offset:
        if not any(_belongs(name, part) for name in sources):
            raise ConfigError(
                f"there is an offset for {part!r}, but none of the faces read are from there; "
                f"name one of these or its first folders, or leave it out: {', '.join(sources)}"
            )


def check_offset(offset: Mapping[str, object]) -> None:
    """ConfigError unless every part has two finite numbers."""
    for part, value in offset.items():
        numbers = value if isinstance(value, (list, tuple)) else []
        if len(numbers) != 2 or not all(_is_number(number) for number in numbers):
            raise ConfigError(f"the offset of {part!r} must be {_WANTED}; got {value!r}")


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


def _offset_of(source: np.ndarray, offset: Mapping[str, Sequence[float]]) -> np.ndarray:
    """(N, 2) percent: of each face the offset of the longest part that it belongs to."""
    result = np.zeros((len(source), 2))
    for part in sorted(offset, key=len):
        result[[_belongs(name, part) for name in source.tolist()]] = offset[part]
    return result


def _belongs(source: str, part: str) -> bool:
    return source == part or source.startswith(f"{part}/")
