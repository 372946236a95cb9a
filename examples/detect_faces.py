"""Print the landmarks and the head pose of every face in an image.

python examples/detect_faces.py photo.jpg
"""

import sys

import rdrface

if len(sys.argv) != 2:
    sys.exit(__doc__)
aligner = rdrface.load()
for face in aligner.detect(sys.argv[1]):
    x, y = face.landmarks[30]
    print(f"score {face.score:.2f}, yaw {face.pose.yaw:.0f} degrees, tip of the nose at ({x:.1f}, {y:.1f})")
