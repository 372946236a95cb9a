"""Align the faces of many images; the network runs on faces of several images at a time.

python examples/many_images.py a.jpg b.jpg c.jpg
"""

import sys

import rdrface

if len(sys.argv) < 2:
    sys.exit(__doc__)
aligner = rdrface.load()
paths = sys.argv[1:]
for path, faces in zip(paths, aligner.detect_batch(paths), strict=True):
    print(f"{path}: {len(faces)} face(s)")
