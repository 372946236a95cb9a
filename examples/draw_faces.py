"""Draw the landmarks, the 3D surface and the axes of the head.

python examples/draw_faces.py photo.jpg drawn.jpg
"""

import sys

from PIL import Image

import rdrface

if len(sys.argv) != 3:
    sys.exit(__doc__)
source, target = sys.argv[1:]
faces = rdrface.load().detect(source)
Image.fromarray(rdrface.draw(source, faces, mesh=True, axes=True)).save(target)
print(f"{target}: {len(faces)} face(s)")
