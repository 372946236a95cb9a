"""Pictures of the turned head, and of tracked clips, rendered from the photo as in docs/video_evaluation.md."""

from dataclasses import replace

import numpy as np
from PIL import Image

import rdrface
from gallery.photo import Photo
from gallery.sheet import Tile, degrees, sheet, tile_width
from rdrface.evaluation.clips.actors import rendered_actor
from rdrface.evaluation.clips.clip import Clip
from rdrface.evaluation.clips.kinds import HEIGHT, KINDS, WIDTH
from rdrface.face import Face

_YAWS = (0, 20, 40, 60, 75, 90)
_CONTOUR_YAW = 45
SECONDS = {"profile": (0.0, 0.6, 0.9, 1.5, 2.1, 2.9), "occlusion": (0.3, 0.6, 0.8, 1.2, 1.9, 2.4)}
"""Kind of clip -> times of the frames that are shown."""

_FRAME = 270
"""Side of the part of a frame that is shown, pixels."""


def turned(photo: Photo, width: int) -> Image.Image:
    """The head at several yaws: the landmarks above, the 3D face below."""
    above, below = [], []
    for yaw in _YAWS:
        image, face = turned_face(photo, yaw, tile_width(len(_YAWS), width))
        number = int((face.visibility <= 0.5).sum())
        above.append(Tile(rdrface.draw(image, [face]), f"turned by {yaw}°", f"{number} points hidden"))
        mesh = rdrface.draw(image, [face], landmarks=False, mesh=True, axes=True)
        below.append(Tile(mesh, f"measured: {degrees(face.pose.yaw)}"))
    return sheet([above, below], width)


def contour(photo: Photo, width: int) -> Image.Image:
    """A turned head with the contour on the visible outline and on the jawline."""
    image, face = turned_face(photo, _CONTOUR_YAW, tile_width(3, width))
    jawline = replace(face, landmarks=face.landmarks_jawline)
    row = [
        Tile(image, f"turned by {_CONTOUR_YAW}°"),
        Tile(rdrface.draw(image, [face]), "contour on the visible outline"),
        Tile(rdrface.draw(image, [jawline]), "contour on the jawline"),
    ]
    return sheet([row], width)


def clip(photo: Photo, width: int) -> Image.Image:
    """Frames of two tracked clips: a turning head, and one that is covered for a second."""
    rows = []
    for kind, seconds in SECONDS.items():
        made = KINDS[kind].clip(kind, photo.cast)
        rows.append(_strip(made, seconds, tile_width(len(seconds), width)))
    return sheet(rows, width)


def turned_face(photo: Photo, yaw: float, side: int) -> tuple[np.ndarray, Face]:
    """(side, side, 3) image of the head turned by `yaw` degrees from the view of the photo, and its face."""
    portrait = photo.portrait(side)
    actor = rendered_actor(portrait, photo.cast.head, np.array([0.0, float(yaw)]), np.zeros(2))
    left, top = np.rint(portrait.center - (side - 1) / 2).astype(int)
    image = np.ascontiguousarray(actor.canvas(1)[top : top + side, left : left + side])
    points = actor.points[1] - (left, top)
    (face,) = photo.aligner.align(image, np.concatenate([points.min(0), points.max(0)])[None])
    return image, face


def _strip(made: Clip, seconds: tuple[float, ...], side: int) -> list[Tile]:
    """Tiles of the frames at these times."""
    tracker = rdrface.Tracker(rdrface.load())
    shown = {int(np.argmin(np.abs(made.times - time))) for time in seconds}
    tiles = []
    left, top = (WIDTH - _FRAME) // 2, (HEIGHT - _FRAME) // 2
    for index, (time, image) in enumerate(zip(made.times.tolist(), made.frames(), strict=False)):
        people = tracker.update(image, time)
        if index not in shown:
            continue
        drawn = rdrface.draw(image, [person.face for person in people])[top : top + _FRAME, left : left + _FRAME]
        small = Image.fromarray(drawn).resize((side, side), Image.Resampling.LANCZOS)
        found = ", ".join(f"person {one.id}, {degrees(one.face.pose.yaw)}" for one in people)
        tiles.append(Tile(np.asarray(small), f"{time:.1f} s", found or "nobody"))
        if index == max(shown):
            break
    return tiles
