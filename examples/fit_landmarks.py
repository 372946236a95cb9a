"""Fit the 3D face to 68 landmarks that come from elsewhere: no image and no network.

python examples/fit_landmarks.py points.txt

The file has one line "x y" for each landmark, in image pixels.
"""

import sys

import numpy as np

import rdrface

face = rdrface.fit(np.loadtxt(sys.argv[1]))
print(face.pose)
print(f"jawOpen {face.blendshapes['jawOpen']:.2f}")
