"""Composition of a clip from people, objects, a camera and a sensor."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np

from rdrface.evaluation.clips.actors import Actor
from rdrface.evaluation.clips.camera import motion_blurred, transformed, warped
from rdrface.evaluation.clips.clip import Clip
from rdrface.evaluation.clips.objects import Occluder
from rdrface.evaluation.clips.sensor import Sensor, h264, jpeg


@dataclass(frozen=True)
class Scene:
    """What a clip shows and how it is recorded.

    Attributes:
        actors: the people, from back to front. The first one present in a frame fills the frame with the background of
            the photo; of the others only head and shoulders are drawn.
        rate: frames per second.
        width, height: size of the frames, pixels.
        occluder: object in front of all people.
        sensor: the camera's sensor.
        exposure: time for which a frame is exposed, seconds; 0 for no motion blur.
        jpeg_quality: quality of MJPEG, or None.
        h264_quality: constant rate factor of H.264, or None.
    """

    actors: tuple[Actor, ...]
    rate: int
    width: int
    height: int
    occluder: Occluder | None = None
    sensor: Sensor = field(default_factory=Sensor)
    exposure: float = 0.0
    jpeg_quality: int | None = None
    h264_quality: int | None = None

    def record(self, kind: str, seed: int) -> Clip:
        """The clip; `seed` determines the noise."""
        count = len(self.actors[0].points)
        times = np.arange(count) / self.rate
        landmarks = np.full((count, len(self.actors), *self.actors[0].points.shape[1:]), np.nan)
        hidden = np.zeros(landmarks.shape[:3], bool)
        covered = np.zeros(landmarks.shape[:2])
        alphas = [actor.alpha() for actor in self.actors] if len(self.actors) > 1 else []
        for i, time in enumerate(times.tolist()):
            for k, actor in enumerate(self.actors):
                if actor.present[i]:
                    landmarks[i, k] = transformed(actor.points[i], self._matrix(actor, time))
            masks = self._masks(i, time, alphas)
            for k in range(len(self.actors)):
                under = self._covered(landmarks[i, k], masks[k + 1 :])
                covered[i, k] = under.mean()
                hidden[i, k] = under | self.actors[k].hidden[i]

        def frames() -> Iterator[np.ndarray]:
            exposed = (
                self.sensor.expose(self._draw(i, time, alphas), np.random.default_rng([seed, i]))
                for i, time in enumerate(times.tolist())
            )
            return iter(self._compressed(exposed))

        return Clip(
            kind=kind,
            photo="+".join(dict.fromkeys(actor.portrait.name for actor in self.actors)),
            width=self.width,
            height=self.height,
            times=times,
            landmarks=landmarks,
            hidden=hidden,
            covered=covered,
            closing=self.actors[0].closing,
            frames=frames,
        )

    def _matrix(self, actor: Actor, time: float) -> np.ndarray:
        return actor.path(time).matrix(actor.portrait.center, self.width, self.height)

    def _masks(self, i: int, time: float, alphas: list[np.ndarray]) -> list[np.ndarray]:
        """Opacity (H, W) of every person and of the object in frame `i`; an empty array for what is not drawn."""
        masks = [np.empty((0, 0))] * len(self.actors)
        for k, alpha in enumerate(alphas):
            if self.actors[k].present[i]:
                masks[k] = warped(alpha, self._matrix(self.actors[k], time), self.width, self.height)
        if self.occluder is not None:
            masks.append(self.occluder.layer(time, self.width, self.height)[1])
        return masks

    def _covered(self, points: np.ndarray, masks: list[np.ndarray]) -> np.ndarray:
        """(68,) bool, landmarks outside the frame or under one of the masks."""
        limit = np.array([self.width, self.height])
        at = np.nan_to_num(points, nan=-1)
        covered: np.ndarray = ((at < 0) | (at > limit - 1)).any(axis=1)
        column, row = np.rint(at).clip(0, limit - 1).astype(int).T
        for mask in masks:
            if mask.size:
                covered |= mask[row, column] > 0.5
        return covered

    def _draw(self, i: int, time: float, alphas: list[np.ndarray]) -> np.ndarray:
        """(H, W, 3) light in frame `i`, 0..255."""
        present = [k for k, actor in enumerate(self.actors) if actor.present[i]]
        first = self.actors[present[0]]
        size = (self.width, self.height)
        if self.exposure:
            image = motion_blurred(first.canvas(i), first.path, first.portrait.center, time, self.exposure, *size)
        else:
            image = warped(first.canvas(i), self._matrix(first, time), *size)
        for k in present[1:]:
            matrix = self._matrix(self.actors[k], time)
            image = _over(warped(self.actors[k].canvas(i), matrix, *size), warped(alphas[k], matrix, *size), image)
        if self.occluder is not None:
            image = _over(*self.occluder.layer(time, *size), image)
        return image

    def _compressed(self, frames: Iterable[np.ndarray]) -> Iterable[np.ndarray]:
        if self.jpeg_quality is not None:
            frames = jpeg(frames, self.jpeg_quality)
        if self.h264_quality is not None:
            frames = h264(frames, self.rate, self.h264_quality)
        return frames


def _over(image: np.ndarray, alpha: np.ndarray, below: np.ndarray) -> np.ndarray:
    """(H, W, 3) float32: an image with opacity (H, W) over another one."""
    return np.asarray(cv2.blendLinear(image.astype(np.float32), below.astype(np.float32), alpha, 1 - alpha))
