"""Draws the pictures of docs/gallery.md.

python tools/draw_gallery.py                        # all of them, into docs/images
python tools/draw_gallery.py hidden --out folder    # one of them: folder/gallery_hidden.jpg
"""

import argparse
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from gallery import moving, page, people, solid, still
from gallery.photo import Photo
from gallery.sheet import WIDTH

PICTURES: dict[str, Callable[[Photo, int], Image.Image]] = {
    "landmarks": still.landmarks,
    "turned": moving.turned,
    "contour": moving.contour,
    "hidden": still.hidden,
    "degraded": still.degraded,
    "people": people.people,
    "sides": solid.sides,
    "expressions": solid.expressions,
    "clip": moving.clip,
    "page": page.page,
    "model": people.model,
}
"""Name -> function that draws the picture at a width in pixels."""

QUALITY = 85
"""Of the JPEG files."""


def main() -> None:
    """Draw the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"pictures to draw: {', '.join(PICTURES)} (default: all)"
    )
    images = Path(__file__).parents[1] / "docs" / "images"
    parser.add_argument("--out", type=Path, default=images, metavar="DIR", help="folder (default: docs/images)")
    parser.add_argument("--width", type=int, default=WIDTH, help=f"of the pictures, pixels (default: {WIDTH})")
    args = parser.parse_args()
    if unknown := set(args.names) - set(PICTURES):
        parser.error(f"no such picture: {', '.join(sorted(unknown))}; there are {', '.join(PICTURES)}")
    args.out.mkdir(parents=True, exist_ok=True)
    photo = Photo()
    for name in args.names or PICTURES:
        path = args.out / f"gallery_{name}.jpg"
        PICTURES[name](photo, args.width).save(path, quality=QUALITY, optimize=True)
        print(path)


if __name__ == "__main__":
    main()
