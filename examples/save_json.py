"""Save faces as JSON and read them back without loss.

python examples/save_json.py photo.jpg faces.json
"""

import json
import sys
from pathlib import Path

import rdrface

if len(sys.argv) != 3:
    sys.exit(__doc__)
source, target = sys.argv[1], Path(sys.argv[2])
faces = rdrface.load().detect(source)
target.write_text(json.dumps([face.to_dict() for face in faces]))
loaded = [rdrface.Face.from_dict(content) for content in json.loads(target.read_text())]
print(f"{target}: {len(loaded)} face(s), {target.stat().st_size} bytes")
