"""Process a list of images and go on after the ones that cannot be read.

python examples/handle_errors.py a.jpg broken.jpg
"""

import sys

import rdrface

if len(sys.argv) < 2:
    sys.exit(__doc__)
aligner = rdrface.load()
for path in sys.argv[1:]:
    try:
        print(f"{path}: {len(aligner.detect(path))} face(s)")
    except rdrface.errors.ImageError as error:
        print(f"skipped: {error}")
