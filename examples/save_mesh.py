"""Save the 3D face as an OBJ or PLY file that any 3D program opens.

python examples/save_mesh.py photo.jpg face.obj
"""

import sys

import rdrface

if len(sys.argv) != 3:
    sys.exit(__doc__)
source, target = sys.argv[1:]
faces = rdrface.load().detect(source)
if not faces:
    sys.exit(f"{source}: no face")
mesh = faces[0].mesh()
mesh.save(target)
print(f"{target}: {len(mesh.vertices)} vertices, {len(mesh.triangles)} triangles")
