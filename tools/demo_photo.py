"""Writes the photo of `make demo`: scikit-image's astronaut (Eileen Collins, NASA, public domain).

python tools/demo_photo.py out/astronaut.png
"""

import argparse
from pathlib import Path

from PIL import Image
from skimage import data


def main() -> None:
    """Write the photo."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path, metavar="FILE", help="image file to write")
    path = parser.parse_args().path
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(data.astronaut()).save(path)


if __name__ == "__main__":
    main()
