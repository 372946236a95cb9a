"""An aligner that knows the annotation, and a 300-W folder for it."""

from types import SimpleNamespace

import numpy as np
from PIL import Image

from rdrface.errors import ImageError


def face(points, box=None):
    """What `rdrface.Face` has that evaluation reads, all four outputs at `points`."""
    points = np.asarray(points, np.float32)
    box = np.concatenate([points.min(0), points.max(0)]) if box is None else box
    return SimpleNamespace(
        box=np.asarray(box, np.float32),
        landmarks=points,
        landmarks_jawline=points,
        projection=points,
        landmarks_3d=np.dstack([points[None], points[None, :, :1]])[0],
        visibility=np.ones(68, np.float32),
        uncertainty=np.full(68, 2, np.float32),
        pose=SimpleNamespace(rotation=np.eye(3)),
        parameters=SimpleNamespace(expression=np.zeros(46, np.float32)),
    )


class TrueAligner:
    """Off by 2 px; finds no face in photos named in `blind`, cannot read those in `broken`, sees `extra` everywhere."""

    def __init__(self, faces, blind=(), broken=(), extra=()):
        self.faces, self.blind, self.broken, self.extra = faces, blind, broken, extra

    def align(self, photo, boxes):
        if any(name in photo for name in self.broken):
            raise ImageError(f"{photo} is damaged")
        middle = self.faces.box[:, :2] + self.faces.box[:, 2:]
        index = [int(np.abs(middle - (box[:2] + box[2:])).sum(1).argmin()) for box in np.asarray(boxes, float)]
        return [face(self.faces.points[i] + np.array([2, 0]), box) for i, box in zip(index, boxes, strict=True)]

    def detect(self, photo):
        if any(name in photo for name in self.blind):
            return list(self.extra)
        index = np.flatnonzero(self.faces.image == photo)
        return [*self.extra, *self.align(photo, self.faces.box[index])]


def write_ibug(root):
    """Three faces `ibug/a.pts`, `b`, `c` with photos, every box another one."""
    rng = np.random.default_rng(0)
    for i, name in enumerate(("a", "b", "c")):
        file = root / "ibug" / f"{name}.pts"
        file.parent.mkdir(exist_ok=True)
        points = rng.uniform(40, 60, (68, 2)) + i
        points[0], points[1] = (1 + i, 1 + i), (101 + i, 101 + i)
        lines = "\n".join(f"{x:.3f} {y:.3f}" for x, y in points)
        file.write_text(f"version: 1\nn_points: 68\n{{\n{lines}\n}}\n")
        Image.new("RGB", (120, 120)).save(file.with_suffix(".png"))
