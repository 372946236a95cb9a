"""Draws the image of the README: a face, its landmarks, its 3D face with the axes, and the 3D face rotated.

python tools/draw_result.py docs/images/result.jpg
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

import rdrface
from rdrface.cli.script import reports_errors
from rdrface.drawing import draw
from rdrface.face import Face
from rdrface.geometry.rotation import rotation_matrix
from rdrface.morphable.params import ROTATION, TRANSLATION

SIDE = 420
"""Side of a panel in pixels."""

BACKGROUND = (30, 36, 48)
"""RGB behind the rotated face."""

JPEG_QUALITY = 88


def enlarged(photo: np.ndarray, face: Face, side: int = SIDE) -> np.ndarray:
    """Crop (side, side, 3) around the face."""
    center = (face.box[:2] + face.box[2:]) / 2
    half = 0.95 * face.size
    # Pillow's positions are those of edges: the center of the first pixel is at 0.5.
    box = (*(center - half + 0.5), *(center + half + 0.5))
    image = Image.fromarray(photo)
    return np.asarray(image.transform((side, side), Image.Transform.EXTENT, box, Image.Resampling.BICUBIC))


def rotated(face: Face, yaw: float) -> Face:
    """The same 3D face with this yaw in degrees, at the center of the panel."""
    pose = face.parameters.pose.copy()
    pose[ROTATION] = 0, np.radians(yaw), 0
    pose[TRANSLATION] = 0, 0, 0
    moved = replace(face, parameters=replace(face.parameters, pose=pose))
    middle = moved.points("ibug68")[:, :2].mean(axis=0) - (0, 0.18 * face.size)
    pose[3:5] = (SIDE / 2 - middle) / pose[6] * [1, -1]
    pose[3:6] = np.asarray(rotation_matrix(pose[:3])).T @ pose[3:6]
    return replace(face, parameters=replace(face.parameters, pose=pose))


@reports_errors
def main() -> None:
    """Write the image."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="FILE", help="JPEG file to write")
    out = parser.parse_args().out
    photo = data.astronaut()
    aligner = rdrface.load()
    panel = enlarged(photo, aligner.detect(photo)[0])
    face = aligner.detect(panel)[0]
    plain = np.full_like(panel, BACKGROUND)
    turned = rotated(face, 50)
    panels = [
        panel,
        draw(panel, [face]),
        draw(panel, [face], landmarks=False, mesh=True, axes=True),
        # Twice, because nothing behind the face needs to be seen.
        draw(plain, [turned, turned], landmarks=False, mesh=True),
    ]
    out.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.hstack(panels)).save(out, quality=JPEG_QUALITY)


if __name__ == "__main__":
    sys.exit(main())
