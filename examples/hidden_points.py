"""List the points that are hidden, and the least certain of the visible ones.

python examples/hidden_points.py photo.jpg
"""

import sys

import numpy as np

import rdrface

if len(sys.argv) != 2:
    sys.exit(__doc__)
for face in rdrface.load().detect(sys.argv[1]):
    visible = face.visibility > 0.5
    print("hidden points:", np.flatnonzero(~visible).tolist())
    worst = np.argmax(np.where(visible, face.uncertainty, 0))
    pixels = face.uncertainty[worst] / 100 * face.size
    print(f"least certain visible point: {worst}, expected error {pixels:.1f} pixels")
