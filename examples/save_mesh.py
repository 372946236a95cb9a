"""Save the 3D face as an OBJ or PLY file that any 3D program opens.

python examples/save_mesh.py photo.jpg face.obj
"""

import sys

import rdrface

source, target = sys.argv[1:]
face = rdrface.load().detect(source)[0]
mesh = face.mesh()
mesh.save(target)
print(f"{target}: {len(mesh.vertices)} vertices, {len(mesh.triangles)} triangles")
