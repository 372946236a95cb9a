"""Save the face for 3D programs: binary glTF with 46 blendshapes and the texture of the photo.

python examples/save_glb.py photo.jpg face.glb
"""

import sys
from pathlib import Path

import rdrface
from rdrface.scene import FaceShape, write_glb

if len(sys.argv) != 3:
    sys.exit(__doc__)
source, target = sys.argv[1:]
faces = rdrface.load().detect(source)
if not faces:
    sys.exit(f"{source}: no face")
write_glb(target, faces[0], source, pose="expression")
size = Path(target).stat().st_size / 1e6
print(f"{target}: {len(FaceShape.of(faces[0]).names)} blendshapes, {size:.1f} MB")
