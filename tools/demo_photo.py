"""Writes the photo of `make demo`: scikit-image's astronaut (Eileen Collins, NASA, public domain).

python tools/demo_photo.py out/astronaut.png
"""

import sys
from pathlib import Path

from PIL import Image
from skimage import data


def main() -> None:
    """Write the photo to the path in the only argument."""
    path = Path(sys.argv[1])
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(data.astronaut()).save(path)


if __name__ == "__main__":
    main()
