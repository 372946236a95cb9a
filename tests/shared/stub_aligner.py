"""An aligner that returns the annotations with a known error, and a 300-W folder for it."""

from types import SimpleNamespace

import numpy as np
from PIL import Image

from rdrface.errors import ImageError


def face(points, box=None):
    """The attributes of `rdrface.Face` that evaluation reads, with all four outputs at `points` (68, 2)."""
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


class StubAligner:
    """Aligner that returns the annotated points moved by 2 px to the right.

    Args:
        faces: the annotations.
        missed: parts of image names; no annotated face is detected in these images.
        unreadable: parts of image names; these images raise `ImageError`.
        extra: faces detected in every image.
    """

    precision, crop_size = "float32", 128

    def __init__(self, faces, missed=(), unreadable=(), extra=()):
        self.faces, self.missed, self.unreadable, self.extra = faces, missed, unreadable, extra

    def align(self, image, boxes):
        if any(name in image for name in self.unreadable):
            raise ImageError(f"{image} is damaged")
        middle = self.faces.box[:, :2] + self.faces.box[:, 2:]
        index = [int(np.abs(middle - (box[:2] + box[2:])).sum(1).argmin()) for box in np.asarray(boxes, float)]
        return [face(self.faces.points[i] + np.array([2, 0]), box) for i, box in zip(index, boxes, strict=True)]

    def detect(self, image):
        if any(name in image for name in self.missed):
            return list(self.extra)
        index = np.flatnonzero(self.faces.image == image)
        return [*self.extra, *self.align(image, self.faces.box[index])]


def write_ibug(root):
    """Write three annotated faces `ibug/a.pts`, `b` and `c` with images; each has a different box."""
    rng = np.random.default_rng(0)
    for i, name in enumerate(("a", "b", "c")):
        file = root / "ibug" / f"{name}.pts"
        file.parent.mkdir(exist_ok=True)
        points = rng.uniform(40, 60, (68, 2)) + i
        points[0], points[1] = (1 + i, 1 + i), (101 + i, 101 + i)
        lines = "\n".join(f"{x:.3f} {y:.3f}" for x, y in points)
        file.write_text(f"version: 1\nn_points: 68\n{{\n{lines}\n}}\n")
        Image.new("RGB", (120, 120)).save(file.with_suffix(".png"))
