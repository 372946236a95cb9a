"""Faces and what `rdrface.training.face_profiling.face_profiling` makes of them, side by side, with their labels.

python tools/draw_profiling.py                       # docs/images/profiling.png, of drawn faces
python tools/draw_profiling.py --pack FILE -o OUT    # of packed faces, to look at what training will see
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from rdrface.datasets.contact_sheet import contact_sheet
from rdrface.datasets.crops import PackedCrops, pack
from rdrface.datasets.synthetic import draw_faces
from rdrface.training.face_profiling.face_profiling import ProfilingConfig, choose_faces, profile_faces

YAWS = (30.0, 60.0, 85.0)
CELL = 224


def main() -> None:
    """Draw the sheet."""
    parser = argparse.ArgumentParser(description="Draw faces and their turned versions.")
    parser.add_argument("--pack", type=Path, help="packed faces with fits; without it faces are drawn")
    parser.add_argument("--faces", type=int, default=4)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("-o", "--out", type=Path, default=Path("docs/images/profiling.png"))
    options = parser.parse_args()
    config = ProfilingConfig(close_eyes=0.0, open_mouth=0.0)
    if options.pack is None:
        config = replace(config, resolution=0.0)
        with tempfile.TemporaryDirectory() as folder:
            faces = pack(draw_faces(Path(folder), 10 * options.faces, options.seed), 256)
    else:
        faces = PackedCrops.load(options.pack)
    index = choose_faces(faces, options.faces, config, options.seed)
    sets = [faces.select(index)]
    for yaw in YAWS:
        sets.append(profile_faces(faces, index, replace(config, yaw=(yaw, yaw)), options.seed))
    # One row per face: the face, then its turns.
    images, points, state = (
        np.stack([getattr(one, name) for one in sets], axis=1).reshape(len(index) * len(sets), *shape)
        for name, shape in (("images", faces.images.shape[1:]), ("outline", (68, 2)), ("state", (68,)))
    )
    titles = ["photo", *(f"turned to {yaw:.0f}" for yaw in YAWS)] * len(index)
    sheet = contact_sheet(images, points, state, titles, columns=len(sets), cell=CELL)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(sheet).save(options.out, optimize=True)
    print(options.out)


if __name__ == "__main__":
    main()
