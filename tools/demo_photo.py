"""Write the demonstration photo: scikit-image's astronaut (Eileen Collins, NASA, public domain)."""

import sys
from pathlib import Path

from PIL import Image
from skimage import data


def main() -> None:
    """Write the photo to the path given as the only argument."""
    path = Path(sys.argv[1])
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(data.astronaut()).save(path)


if __name__ == "__main__":
    main()
