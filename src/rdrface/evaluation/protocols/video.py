"""Tracking of faces in clips: jitter, lag, errors, lost faces, switched numbers and blinks, by kind of clip."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rdrface.evaluation.clips.clip import Clip
from rdrface.evaluation.clips.kinds import EXPRESSION, KINDS, MOVING, PEOPLE, STILL
from rdrface.evaluation.metrics.blinks import blink_depth, blink_peak
from rdrface.evaluation.metrics.errors import mean_of_counted, nme
from rdrface.evaluation.metrics.motion import lag, squared_deviation, squared_jitter
from rdrface.evaluation.metrics.tracks import Matches, count_fragments, count_switches, match_faces
from rdrface.evaluation.predictions.tracked import TrackedFaces
from rdrface.evaluation.tables.tables import Cell, Row, Table


@dataclass(frozen=True)
class ClipResult:
    """Errors of one method on one clip.

    Attributes:
        kind, photo: see `Clip`.
        jitter, deviation: (n,) squares, percent of the face size, see `rdrface.evaluation.metrics.motion`.
        lag: frames; NaN where the face hardly moves.
        errors: (n,) NME of the found faces, percent of the face size, visible landmarks only.
        counted, lost: number of faces that must be found, and of those that were not.
        false: number of predictions that match no face.
        switches: see `count_switches`; None for a method without numbers.
        fragments: see `count_fragments`.
        depth: (B,) depth of the blinks, percent; see `rdrface.evaluation.metrics.blinks`.
        peak: (B,) rise of eyeBlink; empty for a method without coefficients.
        milliseconds: median time per frame.
    """

    kind: str
    photo: str
    jitter: np.ndarray
    deviation: np.ndarray
    lag: float
    errors: np.ndarray
    counted: int
    lost: int
    false: int
    switches: int | None
    fragments: int
    depth: np.ndarray
    peak: np.ndarray
    milliseconds: float

    def to_dict(self) -> dict[str, Any]:
        """The result for JSON, without the time."""
        return {
            "kind": self.kind,
            "photo": self.photo,
            "jitter": _plain(_root(self.jitter)),
            "std": _plain(_root(self.deviation)),
            "lag": _plain(self.lag),
            "nme": _plain(mean_of_counted(self.errors)),
            "counted": self.counted,
            "lost": self.lost,
            "false": self.false,
            "switches": self.switches,
            "fragments": self.fragments,
            "blink_depth": [_plain(value) for value in self.depth.tolist()],
            "blink_peak": [_plain(value) for value in self.peak.tolist()],
        }


def measure(clip: Clip, faces: TrackedFaces) -> ClipResult:
    """Compare the faces of a method with the truth of a clip."""
    size, counted, truth = clip.size, clip.counted, clip.truth
    matches = match_faces(faces.landmarks, clip.landmarks, size)
    landmarks = _matched(faces.landmarks, matches, (clip.landmarks.shape[2], 2))
    ids = None if faces.ids is None else _ids(faces.ids, matches)
    measured = counted & matches.found
    kind = KINDS[clip.kind]
    jitter = []
    for k in range(truth.shape[1]):
        same = measured[1:, k] & measured[:-1, k]
        if ids is not None:
            same &= ids[1:, k] == ids[:-1, k]
        jitter.append(squared_jitter(landmarks[:, k], truth[:, k], size[:, k], same))
    first = landmarks[:, 0]
    has_blinks = bool((clip.closing > 0).any())
    blink = None if faces.blink is None or not has_blinks else _matched(faces.blink, matches, (2,))[:, 0]
    is_still = kind.group == STILL
    return ClipResult(
        kind=clip.kind,
        photo=clip.photo,
        jitter=np.concatenate(jitter),
        deviation=squared_deviation(first, float(size[0, 0])) if is_still else np.empty(0),
        lag=lag(first, truth[:, 0]) if kind.moves else float("nan"),
        errors=nme(landmarks[measured], truth[measured], size[measured]),
        counted=int(counted.sum()),
        lost=int((counted & ~matches.found).sum()),
        false=int(matches.false.sum()),
        switches=None if ids is None else count_switches(ids),
        fragments=count_fragments(matches.found, counted),
        depth=blink_depth(first, clip.landmarks[:, 0], clip.closing) if has_blinks else np.empty(0),
        peak=np.empty(0) if blink is None else blink_peak(blink, clip.closing),
        milliseconds=float(np.median(faces.milliseconds)),
    )


def tables(results: Mapping[str, Sequence[ClipResult]]) -> list[Table]:
    """One table for each group of kinds.

    Args:
        results: name of the method -> results, in the same order of clips for all methods.
    """
    made = []
    for group, columns in _COLUMNS.items():
        rows = []
        for kind in [name for name, kind in KINDS.items() if kind.group == group]:
            for method, of_method in results.items():
                chosen = [result for result in of_method if result.kind == kind]
                if chosen:
                    rows.append(Row(f"{kind}, {method}", tuple(column(chosen) for column in columns.values())))
        if rows:
            made.append(Table(f"Video: {group}", tuple(columns), tuple(rows)))
    return made


def time_table(results: Mapping[str, Sequence[ClipResult]]) -> Table:
    """Median time per frame; arguments as in `tables`."""
    kinds = ("still", "pan", "small face", "crossing")
    rows = []
    for method, of_method in results.items():
        times = [[result.milliseconds for result in of_method if result.kind == kind] for kind in kinds]
        rows.append(Row(method, tuple(float(np.median(values)) if values else None for values in times)))
    return Table("Video: time per frame, ms", kinds, tuple(rows))


def _matched(values: Sequence[np.ndarray], matches: Matches, shape: tuple[int, ...]) -> np.ndarray:
    """(T, K, *shape) values of the predictions that match the K people; NaN where there is none."""
    matched = np.full((*matches.index.shape, *shape), np.nan)
    for t, k in np.argwhere(matches.found).tolist():
        matched[t, k] = values[t][matches.index[t, k]]
    return matched


def _ids(ids: Sequence[np.ndarray], matches: Matches) -> np.ndarray:
    """(T, K) int, 0 where there is no prediction."""
    numbers: np.ndarray = np.nan_to_num(_matched(ids, matches, ()), nan=0).astype(int)
    return numbers


def _root(squares: np.ndarray) -> float:
    return float(np.sqrt(squares.mean())) if len(squares) else float("nan")


def _plain(value: float) -> float | None:
    return round(float(value), 6) if np.isfinite(value) else None


Column = Callable[[Sequence[ClipResult]], Cell]


def _root_mean(name: str) -> Column:
    return lambda results: _root(np.concatenate([getattr(result, name) for result in results]))


def _mean(name: str) -> Column:
    return lambda results: mean_of_counted(np.concatenate([np.atleast_1d(getattr(one, name)) for one in results]))


def _sum(name: str) -> Column:
    def column(results: Sequence[ClipResult]) -> Cell:
        values: Iterable[int | None] = [getattr(result, name) for result in results]
        return None if None in values else sum(value for value in values if value is not None)

    return column


def _lost_percent(results: Sequence[ClipResult]) -> Cell:
    counted = sum(result.counted for result in results)
    return 100 * sum(result.lost for result in results) / counted if counted else None


_JITTER, _LAG, _NME = _root_mean("jitter"), _mean("lag"), _mean("errors")
_SWITCHES, _FRAGMENTS, _FALSE = _sum("switches"), _sum("fragments"), _sum("false")

_COLUMNS: Mapping[str, Mapping[str, Column]] = {
    STILL: {
        "jitter %": _JITTER,
        "std %": _root_mean("deviation"),
        "NME %": _NME,
        "lost %": _lost_percent,
        "false": _FALSE,
        "switches": _SWITCHES,
    },
    MOVING: {
        "jitter %": _JITTER,
        "lag": _LAG,
        "NME %": _NME,
        "lost %": _lost_percent,
        "false": _FALSE,
        "switches": _SWITCHES,
    },
    EXPRESSION: {
        "jitter %": _JITTER,
        "lag": _LAG,
        "NME %": _NME,
        "blink depth %": _mean("depth"),
        "eyeBlink": _mean("peak"),
        "lost %": _lost_percent,
    },
    PEOPLE: {
        "lost %": _lost_percent,
        "fragments": _FRAGMENTS,
        "switches": _SWITCHES,
        "false": _FALSE,
        "jitter %": _JITTER,
        "NME %": _NME,
    },
}
"""Group -> heading of a column -> its value for the clips of one kind and method."""
