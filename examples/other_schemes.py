"""Points of other annotation schemes, taken from the 3D face.

python examples/other_schemes.py photo.jpg
"""

import sys

import rdrface

if len(sys.argv) != 2:
    sys.exit(__doc__)
for face in rdrface.load().detect(sys.argv[1]):
    for scheme in ("wflw98", "aflw21", "eye_centers", "ear_lobes"):
        points = face.points(scheme)
        print(f"{scheme}: {len(points)} points, the first at {points[0].round(1)}")
