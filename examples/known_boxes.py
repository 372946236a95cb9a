"""Align faces whose boxes are known, for example from another detector.

python examples/known_boxes.py photo.jpg 180 90 270 180

A box encloses the landmarks: from the brows to the chin, without the forehead.
"""

import sys

import rdrface

if len(sys.argv) != 6:
    sys.exit(__doc__)
source, *numbers = sys.argv[1:]
box = [float(number) for number in numbers]
(face,) = rdrface.load().align(source, [box])
print(face)
