"""Make a pandas table of the faces of many photos: a row for each face.

python examples/table_of_faces.py faces.csv a.jpg b.jpg c.jpg

Needs pandas: pip install pandas.
"""

import sys

import rdrface
from rdrface import interchange

if len(sys.argv) < 3:
    sys.exit(__doc__)
target, *paths = sys.argv[1:]
faces = rdrface.load().detect_batch(paths)
table = interchange.to_pandas(dict(zip(paths, faces, strict=True)))
table.to_csv(target, index=False)
print(table[["image", "yaw", "pitch", "roll", "jawOpen", "eyeBlinkLeft"]].round(2).to_string())
