"""Prints the table of docs/drawing.md: time to draw one face.

python tools/measure_drawing.py
"""

import argparse
import sys
import time
from dataclasses import replace

import numpy as np
from PIL import Image
from skimage import data

import rdrface
from rdrface.cli.script import reports_errors
from rdrface.evaluation.tables.tables import Row, Table

IMAGES = ((640, 480, 100), (640, 480, 250), (4000, 3000, 250), (4000, 3000, 1500))
"""Width, height and size of the face in pixels."""


def milliseconds(image: np.ndarray, face: rdrface.Face, repetitions: int, mesh: bool) -> float:
    """Shortest processor time to draw a face."""
    times = []
    for _ in range(repetitions):
        start = time.process_time()
        rdrface.draw(image, [face], mesh=mesh, axes=True)
        times.append(time.process_time() - start)
    return 1000 * min(times)


@reports_errors
def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=10, help="the shortest of these times counts (default: 10)")
    repetitions = parser.parse_args().repetitions
    photo = data.astronaut()
    aligner = rdrface.load()
    size = aligner.detect(photo)[0].size
    rows = []
    for width, height, wanted in IMAGES:
        side = round(photo.shape[0] * wanted / size)
        image = np.asarray(Image.fromarray(photo).resize((side, side), Image.Resampling.BICUBIC))
        # The upper part of the photo: it contains the face, and is repeated to the right.
        image = np.tile(image, (-(-height // side), -(-width // side), 1))[:height, :width]
        face = aligner.detect(image)[0]
        face = replace(face, uncertainty=np.full_like(face.uncertainty, 2))
        times = [milliseconds(image, face, repetitions, mesh) for mesh in (False, True)]
        rows.append(Row(f"{width} x {height}", (round(face.size), *(round(each) for each in times))))
    columns = ("face size, px", "landmarks and axes", "with mesh")
    print(Table("Processor time to draw one face, ms", columns, tuple(rows)).to_text())


if __name__ == "__main__":
    sys.exit(main())
