"""Fit the 3D face to 68 landmarks that come from elsewhere: no image and no network.

python examples/fit_landmarks.py points.txt

The file has 68 lines "x y", in image pixels and iBUG's order; "nan nan" is a landmark without a position.
"""

import sys

import numpy as np

import rdrface

if len(sys.argv) != 2:
    sys.exit(__doc__)
try:
    face = rdrface.fit(np.loadtxt(sys.argv[1]))
except (OSError, ValueError) as error:  # no such file, no numbers, or points that do not form a face
    sys.exit(f"{sys.argv[1]}: {error}")
print(face.pose)
print(f"jawOpen {face.blendshapes['jawOpen']:.2f}")
