"""Print the strongest expression coefficients, under ARKit's names.

python examples/blendshapes.py photo.jpg
"""

import sys

import rdrface

if len(sys.argv) != 2:
    sys.exit(__doc__)
for face in rdrface.load().detect(sys.argv[1]):
    strongest = sorted(face.blendshapes.items(), key=lambda item: -item[1])[:5]
    print(", ".join(f"{name} {value:.2f}" for name, value in strongest))
