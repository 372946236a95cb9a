"""Convert faces to the formats of other libraries.

python examples/landmarks_for_other_libraries.py photo.jpg
"""

import sys

import rdrface
from rdrface import interchange

if len(sys.argv) != 2:
    sys.exit(__doc__)
faces = rdrface.load().detect(sys.argv[1])
print("68 points:", interchange.to_points68(faces).shape)
print("COCO-WholeBody:", interchange.to_coco_wholebody(faces).shape)
for face in faces:
    annotation = interchange.to_coco_annotation(face)
    print("face_box:", [round(value, 1) for value in annotation["face_box"]])
# With the package installed: to_supervision(faces), to_mediapipe(face, width, height), to_pandas(faces).
