"""Clips made from the photo of the astronaut: the truth follows the pixels."""

import numpy as np
import pytest

import rdrface
from astronaut_photos import write_astronaut_photos
from rdrface.errors import DataError
from rdrface.evaluation.clips.kinds import KINDS, Cast, blink_closing
from rdrface.evaluation.clips.photos import choose_photos, read_photos
from rdrface.evaluation.report.clip_sheet import clip_sheet
from rdrface.face_rendering.head import Head
from rdrface.geometry.eyes import CLOSED_EYE, eye_aspect
from rdrface.morphable.model import FaceModel


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_astronaut_photos(tmp_path_factory.mktemp("300w"))


@pytest.fixture(scope="module")
def cast(folder):
    photos = choose_photos(read_photos("300w", folder), 2, seed=0)
    return Cast(0, photos.select([0]), photos.select([1]), Head.of(FaceModel.load()), seed=5)


@pytest.fixture(scope="module")
def aligner():
    return rdrface.load()


def frame(clip, index):
    for i, image in enumerate(clip.frames()):
        if i == index:
            return image
    raise IndexError(index)


def test_too_few_photos_are_an_error_that_says_how_many_there_are(folder):
    with pytest.raises(DataError, match=r"3 photos .* found 2 among 2"):
        choose_photos(read_photos("300w", folder), 3, seed=0)


def test_a_clip_is_the_same_every_time_and_its_noise_depends_on_the_seed(cast):
    clip = KINDS["still"].clip("still", cast, max_frames=2)
    first, again = list(clip.frames()), list(KINDS["still"].clip("still", cast, max_frames=2).frames())
    assert np.array_equal(first, again) and first[0].shape == (480, 640, 3)
    noise = np.diff(np.array(first, float), axis=0)
    assert 1 < noise.std() < 6  # sensor noise differs from frame to frame
    assert clip.counted.all() and clip.times[1] == pytest.approx(1 / 30)


@pytest.mark.parametrize(("kind", "index"), [("pan", 10), ("zoom", 10), ("roll", 9), ("small face", 8)])
def test_the_landmarks_move_with_the_face(cast, aligner, kind, index):
    clip = KINDS[kind].clip(kind, cast, max_frames=index + 1)
    boxes = [np.concatenate([points.min(0), points.max(0)]) for points in clip.landmarks[[0, index], 0]]
    found = [aligner.align(frame(clip, i), box[None])[0].landmarks for i, box in zip((0, index), boxes, strict=True)]
    size = clip.size[index, 0]
    moved = np.linalg.norm(clip.landmarks[index, 0] - clip.landmarks[0, 0], axis=1).mean()
    assert moved > 0.1 * size
    assert np.linalg.norm(found[1] - clip.landmarks[index, 0], axis=1).mean() < 0.03 * size


def test_the_head_turns_to_profile(cast, aligner):
    clip = KINDS["profile"].clip("profile", cast, max_frames=9)
    points = clip.landmarks[4, 0]
    (face,) = aligner.align(frame(clip, 4), np.concatenate([points.min(0), points.max(0)])[None])
    assert abs(face.pose.yaw) > 60
    assert clip.hidden[4].sum() > 15 and clip.hidden[0].sum() == 0
    # Landmarks that the head hides are not covered: the face must be found.
    assert clip.counted.all()


def test_eyes_close_for_140_milliseconds(cast):
    closing = blink_closing(np.arange(60) / 30)
    assert closing.max() == 1 and 3 <= (closing[:30] > 0).sum() <= 5 and (closing[30:] > 0).any()
    clip = KINDS["blink"].clip("blink", cast, max_frames=18)
    closed = int(clip.closing.argmax())
    assert (eye_aspect(clip.landmarks[closed]) < CLOSED_EYE).all()
    images = list(clip.frames())
    eyes = clip.landmarks[0, 0, 36:48]
    (x0, y0), (x1, y1) = eyes.min(0).astype(int), eyes.max(0).astype(int)
    change = np.abs(images[closed][y0:y1, x0:x1].astype(float) - images[0][y0:y1, x0:x1])
    assert change.mean() > 5
    below = slice(y1 + 40, y1 + 80)
    assert np.abs(images[closed][below, x0:x1].astype(float) - images[0][below, x0:x1]).mean() < 4


def test_a_covered_face_need_not_be_found(cast):
    clip = KINDS["occlusion"].clip("occlusion", cast)
    covered = clip.covered[:, 0] == 1
    assert covered.sum() == pytest.approx(30, abs=6)  # one second
    assert not clip.counted[covered].any() and clip.counted[0] and clip.counted[-1]


def test_people_cross_and_a_cut_replaces_one_by_the_other(cast):
    crossing = KINDS["crossing"].clip("crossing", cast)
    behind, front = crossing.landmarks[:, 0].mean(1), crossing.landmarks[:, 1].mean(1)
    assert behind[0, 0] > front[0, 0] and behind[-1, 0] < front[-1, 0]
    assert crossing.covered[:, 0].max() > 0.9 and crossing.covered[:, 1].max() == 0
    cut = KINDS["cut"].clip("cut", cast, max_frames=4)
    assert cut.counted.tolist() == [[True, False], [True, False], [False, True], [False, True]]


def test_the_sheet_has_one_row_per_clip(cast):
    clips = [KINDS[kind].clip(kind, cast, max_frames=3) for kind in ("still", "cut")]
    assert clip_sheet(clips, columns=2, tile_width=160).shape == (240, 320, 3)
