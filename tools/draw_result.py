"""Draws the image of the README: a face, its landmarks, its 3D face, and the 3D face rotated.

python tools/draw_result.py docs/images/result.jpg
"""

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from skimage import data

import rdrface
from rdrface.drawing import draw
from rdrface.face import Face
from rdrface.geometry.rotation import rotation_matrix
from rdrface.morphable.params import ROTATION, TRANSLATION

SIDE = 420
"""Side of a panel in pixels."""


def enlarged(photo: np.ndarray, face: Face) -> np.ndarray:
    """Crop (SIDE, SIDE, 3) around the face."""
    center = (face.box[:2] + face.box[2:]) / 2
    half = 0.95 * face.size
    scale = 2 * half / SIDE
    # Pixel i of the panel is at center - half + scale * (i + 0.5); minus 0.5, because pixel centers are integers.
    start = center - half + scale / 2 - 0.5
    matrix = np.array([[scale, 0, start[0]], [0, scale, start[1]]])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(photo, matrix, (SIDE, SIDE), flags=flags, borderMode=cv2.BORDER_REPLICATE)


def rotated(face: Face, yaw: float) -> Face:
    """The same 3D face with this yaw in degrees, at the center of the panel."""
    pose = face.parameters.pose.copy()
    pose[ROTATION] = 0, np.radians(yaw), 0
    pose[TRANSLATION] = 0, 0, 0
    moved = replace(face, parameters=replace(face.parameters, pose=pose))
    middle = moved.mesh().vertices[:, :2].mean(0)
    pose[3:5] = (SIDE / 2 - middle) / pose[6] * [1, -1]
    pose[3:6] = np.asarray(rotation_matrix(pose[:3])).T @ pose[3:6]
    return replace(face, parameters=replace(face.parameters, pose=pose))


def main() -> None:
    """Write the image."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="FILE", help="JPEG file to write")
    out = parser.parse_args().out
    photo = data.astronaut()
    aligner = rdrface.load()
    panel = enlarged(photo, aligner.detect(photo)[0])
    face = aligner.detect(panel)[0]
    blank = np.full_like(panel, 255)
    panels = [
        panel,
        draw(panel, [face]),
        draw(panel, [face], landmarks=False, mesh=True, axes=True),
        draw(blank, [rotated(face, 40)], landmarks=False, mesh=True),
    ]
    out.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(out), cv2.cvtColor(np.hstack(panels), cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    main()
