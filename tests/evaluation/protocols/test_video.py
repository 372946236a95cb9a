"""The tables of the protocol, on invented predictions."""

from dataclasses import replace

import numpy as np
import pytest

from invented_clip import invented_clip
from rdrface.evaluation.predictions.tracked import TrackedFaces
from rdrface.evaluation.protocols.video import measure, tables, time_table


def exact(clip, ids=True):
    """The truth as predictions; person k has number k + 1."""
    count, people = clip.landmarks.shape[:2]
    numbers = tuple(np.arange(1, people + 1) for _ in range(count)) if ids else None
    blink = tuple(np.zeros((people, 2)) for _ in range(count))
    return TrackedFaces(tuple(clip.landmarks), numbers, blink, np.full(count, 7.0))


def test_exact_predictions_have_no_errors():
    clip = invented_clip("pan")
    result = measure(clip, exact(clip))
    assert result.jitter.max() == 0 and result.errors.max() == 0 and result.lag == pytest.approx(0, abs=0.01)
    assert (result.counted, result.lost, result.false, result.switches, result.fragments) == (40, 0, 0, 0, 0)
    assert result.milliseconds == 7 and result.to_dict()["lag"] == pytest.approx(0, abs=0.01)


def test_late_lost_and_false_faces_are_counted():
    clip = invented_clip("pan")
    faces = list(exact(clip).landmarks)
    faces[10], faces[20] = np.empty((0, 68, 2)), np.concatenate([faces[20], faces[20] + 500])
    late = [faces[0], *faces[:-1]]
    ids = tuple(np.arange(1, len(one) + 1) for one in late)
    result = measure(clip, TrackedFaces(tuple(late), ids, None, np.ones(40)))
    assert result.lost == 1 and result.false == 1 and result.fragments == 1 and result.switches == 0
    assert result.lag == pytest.approx(1, abs=0.05)


def test_numbers_that_are_exchanged_are_switches_but_not_for_methods_without_numbers():
    clip = invented_clip("crossing", people=2)
    faces = exact(clip)
    exchanged = tuple(ids[::-1] if t >= 20 else ids for t, ids in enumerate(faces.ids))
    assert measure(clip, replace(faces, ids=exchanged)).switches == 2
    assert measure(clip, exact(clip, ids=False)).switches is None


def test_hidden_landmarks_are_not_counted_and_a_covered_face_may_be_lost():
    clip = invented_clip("occlusion")
    hidden = clip.hidden.copy()
    hidden[:, :, :17] = True
    wrong = [points + np.where(np.arange(68) < 17, 5.0, 0.0)[:, None] for points in clip.landmarks]
    faces = replace(exact(clip), landmarks=tuple(wrong))
    assert measure(replace(clip, hidden=hidden), faces).errors.max() == 0
    covered = np.zeros((40, 1))
    covered[5:30] = 0.8
    empty = tuple(np.empty((0, 68, 2)) if 5 <= t < 30 else points for t, points in enumerate(clip.landmarks))
    ids = tuple(np.ones(len(points), int) for points in empty)
    result = measure(replace(clip, covered=covered), replace(faces, landmarks=empty, ids=ids, blink=None))
    assert (result.counted, result.lost, result.fragments) == (15, 0, 0)


def test_there_is_a_table_for_each_group_and_a_row_for_each_kind_and_method():
    clips = [invented_clip("still"), invented_clip("pan"), invented_clip("crossing", people=2)]
    results = {
        "smoothed": [measure(clip, exact(clip)) for clip in clips],
        "other": [measure(clip, exact(clip, ids=False)) for clip in clips],
    }
    made = tables(results)
    assert [table.title for table in made] == [
        "Video: still face",
        "Video: moving face",
        "Video: occlusion and several people",
    ]
    assert [row.name for row in made[1].rows] == ["pan, smoothed", "pan, other"]
    switches = made[2].columns.index("switches")
    assert [row.cells[switches] for row in made[2].rows] == [0, None]
    assert [row.cells for row in time_table(results).rows] == [(7.0, 7.0, None, 7.0)] * 2
