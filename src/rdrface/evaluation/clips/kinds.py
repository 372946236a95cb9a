"""The kinds of clips: what moves, and how the camera records it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from rdrface.datasets.records import FaceRecords
from rdrface.evaluation.clips.actors import Actor, blinking_actor, photo_actor, rendered_actor
from rdrface.evaluation.clips.camera import CameraPath, View, pan, roll, zoom
from rdrface.evaluation.clips.clip import Clip
from rdrface.evaluation.clips.objects import textured_occluder
from rdrface.evaluation.clips.portrait import Portrait
from rdrface.evaluation.clips.scene import Scene
from rdrface.evaluation.clips.sensor import Sensor
from rdrface.face_rendering.head import Head

FACE_SIZE, WIDTH, HEIGHT = 150.0, 640, 480
SMALL_FACE_SIZE, LARGE_WIDTH, LARGE_HEIGHT = 60.0, 1280, 720
"""Pixels, of faces and frames; the second line is for the kind "small face"."""

BLINK_STARTS = (0.5, 1.4)
"""Seconds at which the eyes begin to close in the kind "blink"."""

_CLOSE, _CLOSED, _OPEN = 0.05, 0.03, 0.06
"""Durations of the parts of a blink, 140 ms together, in seconds. Spontaneous blinks last 100 to 150 ms."""

_OCCLUSIONS = (1.0, 0.5, 1.5, 2.0)
"""Seconds for which the face is fully covered, by the number of the clip."""


@dataclass(frozen=True)
class Cast:
    """What the clips of one number are made of.

    Attributes:
        number: 0 for the first photo, and so on.
        record, other: fitted faces of two people.
        head: the prepared face model.
        seed: seed of the noise.
    """

    number: int
    record: FaceRecords
    other: FaceRecords
    head: Head
    seed: int

    def portrait(self) -> Portrait:
        """The first person in frames of `WIDTH` x `HEIGHT`."""
        return Portrait.of(self.record, FACE_SIZE, WIDTH, HEIGHT)

    def second_portrait(self) -> Portrait:
        """The second person in frames of `WIDTH` x `HEIGHT`."""
        return Portrait.of(self.other, FACE_SIZE, WIDTH, HEIGHT)


@dataclass(frozen=True)
class Kind:
    """A kind of clip.

    Attributes:
        group: heading of the table that it belongs to.
        seconds: default length.
        rate: frames per second.
        scene: (cast, number of frames) -> scene.
        moves: the landmarks move far enough to measure the lag.
    """

    group: str
    seconds: float
    rate: int
    scene: Callable[[Cast, int], Scene]
    moves: bool = False

    def clip(self, name: str, cast: Cast, max_frames: int | None = None) -> Clip:
        """The clip of a cast; `max_frames` shortens it, for tests."""
        count = round(self.seconds * self.rate)
        return self.scene(cast, count if max_frames is None else min(count, max_frames)).record(name, cast.seed)


def _scene(actors: Sequence[Actor], rate: int = 30, **options: object) -> Scene:
    return Scene(tuple(actors), rate, WIDTH, HEIGHT, **options)  # type: ignore[arg-type]


def _still(cast: Cast, count: int) -> Scene:
    return _scene([photo_actor(cast.portrait(), count)])


def _mjpeg(cast: Cast, count: int) -> Scene:
    return _scene([photo_actor(cast.portrait(), count)], jpeg_quality=50)


def _h264(cast: Cast, count: int) -> Scene:
    return _scene([photo_actor(cast.portrait(), count)], h264_quality=30)


def _noise(cast: Cast, count: int) -> Scene:
    sensor = Sensor(read_noise=8, shot_noise=0.6, flicker=0.02)
    return _scene([photo_actor(cast.portrait(), count)], sensor=sensor)


def _low_light(cast: Cast, count: int) -> Scene:
    sensor = Sensor(read_noise=2.5, shot_noise=0.08, flicker=0.02, exposure=0.25)
    return _scene([photo_actor(cast.portrait(), count)], sensor=sensor)


def _on_path(path: CameraPath, rate: int = 30, exposure: float = 0.0) -> Callable[[Cast, int], Scene]:
    def scene(cast: Cast, count: int) -> Scene:
        return _scene([photo_actor(cast.portrait(), count).on(path)], rate, exposure=exposure)

    return scene


def _small(cast: Cast, count: int) -> Scene:
    portrait = Portrait.of(cast.record, SMALL_FACE_SIZE, LARGE_WIDTH, LARGE_HEIGHT)
    actor = photo_actor(portrait, count).on(pan(250, 3.0))
    return Scene((actor,), 30, LARGE_WIDTH, LARGE_HEIGHT)


def _profile(cast: Cast, count: int) -> Scene:
    side = 1 if cast.number % 2 else -1
    yaw = side * 80 * np.sin(np.pi * np.arange(count) / (count - 1)) ** 2
    return _scene([rendered_actor(cast.portrait(), cast.head, yaw, np.zeros(count))])


def _talking(cast: Cast, count: int) -> Scene:
    # Four syllables a second, of different strength.
    time = np.arange(count) / 30
    jaw = 0.4 * (1 - np.cos(2 * np.pi * 4 * time)) / 2 * (0.65 + 0.35 * np.sin(2 * np.pi * 0.9 * time))
    return _scene([rendered_actor(cast.portrait(), cast.head, np.zeros(count), jaw)])


def blink_closing(times: np.ndarray) -> np.ndarray:
    """(T,) closing of the eyes at times (T,) in seconds, 0 open to 1 closed: blinks that begin at `BLINK_STARTS`."""
    closing = np.zeros(len(times))
    for start in BLINK_STARTS:
        since = times - start
        opening = (_CLOSE + _CLOSED + _OPEN - since) / _OPEN
        closing = np.maximum(closing, np.minimum(since / _CLOSE, opening).clip(0, 1))
    return closing


def _blink(cast: Cast, count: int) -> Scene:
    return _scene([blinking_actor(cast.portrait(), blink_closing(np.arange(count) / 30))])


def _occlusion(cast: Cast, count: int) -> Scene:
    portrait = cast.portrait()
    covered, begin, travel = _OCCLUSIONS[cast.number % len(_OCCLUSIONS)], 0.7, 0.25
    far = WIDTH / 2 + FACE_SIZE
    center = np.array([WIDTH, HEIGHT]) / 2

    def position(time: float) -> tuple[float, float]:
        times = [begin - travel, begin, begin + covered, begin + covered + travel]
        return float(center[0] + np.interp(time, times, [-far, 0, 0, far])), float(center[1] - 10)

    rng = np.random.default_rng([cast.seed, 1])
    occluder = textured_occluder(1.7 * FACE_SIZE, 1.9 * FACE_SIZE, position, rng)
    return _scene([photo_actor(portrait, count)], occluder=occluder)


def _leaving(cast: Cast, count: int) -> Scene:
    far = WIDTH / 2 + FACE_SIZE

    def path(time: float) -> View:
        return View(x=float(np.interp(time, [0.5, 1.0, 2.0, 2.5], [0, far, far, 0])))

    return _scene([photo_actor(cast.portrait(), count).on(path)])


def _crossing(cast: Cast, count: int) -> Scene:
    def path(first: float, last: float, y: float, scale: float) -> CameraPath:
        return lambda time: View(x=float(np.interp(time, [0.6, 2.4], [first, last])), y=y, scale=scale)

    behind = photo_actor(cast.second_portrait(), count).on(path(170, -170, -20, 0.75))
    front = photo_actor(cast.portrait(), count).on(path(-170, 170, 10, 0.9))
    return _scene([behind, front])


def _cut(cast: Cast, count: int) -> Scene:
    before = np.arange(count) < count // 2
    first = photo_actor(cast.portrait(), count).on(lambda time: View(x=-90, scale=0.9)).only(before)
    second = photo_actor(cast.second_portrait(), count).on(lambda time: View(x=60, y=20, scale=1.1)).only(~before)
    return _scene([first, second])


STILL, MOVING, EXPRESSION, PEOPLE = "still face", "moving face", "eyes and mouth", "occlusion and several people"
"""Values of `Kind.group`."""

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "still": Kind(STILL, 2.0, 30, _still),
        "MJPEG": Kind(STILL, 2.0, 30, _mjpeg),
        "H.264": Kind(STILL, 2.0, 30, _h264),
        "noise": Kind(STILL, 2.0, 30, _noise),
        "low light": Kind(STILL, 2.0, 30, _low_light),
        "pan": Kind(MOVING, 2.0, 30, _on_path(pan(120, 3.0)), moves=True),
        "fast pan": Kind(MOVING, 2.0, 30, _on_path(pan(190, 1.2)), moves=True),
        "motion blur": Kind(MOVING, 2.0, 30, _on_path(pan(190, 1.2), exposure=1 / 60), moves=True),
        "zoom": Kind(MOVING, 2.4, 25, _on_path(zoom(1.6, 2.4), 25), moves=True),
        "roll": Kind(MOVING, 3.0, 30, _on_path(roll(50, 3.0)), moves=True),
        "small face": Kind(MOVING, 2.0, 30, _small, moves=True),
        "profile": Kind(MOVING, 3.0, 30, _profile, moves=True),
        "talking": Kind(EXPRESSION, 2.0, 30, _talking, moves=True),
        "blink": Kind(EXPRESSION, 2.0, 30, _blink),
        "occlusion": Kind(PEOPLE, 4.0, 30, _occlusion),
        "leaving": Kind(PEOPLE, 3.0, 30, _leaving),
        "crossing": Kind(PEOPLE, 3.0, 30, _crossing),
        "cut": Kind(PEOPLE, 2.0, 30, _cut),
    }
)
"""Name -> kind of clip."""
