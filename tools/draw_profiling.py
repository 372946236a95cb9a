"""Draw faces next to their profiled versions (`rdrface.training.face_profiling`), with labels.

python tools/draw_profiling.py                       # docs/images/profiling.png, with synthetic faces
python tools/draw_profiling.py --pack FILE -o OUT    # with packed faces, to check training data
"""

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from rdrface.cli.script import reports_errors
from rdrface.datasets.contact_sheet import contact_sheet
from rdrface.datasets.crops import PackedCrops
from rdrface.datasets.packing import pack
from rdrface.datasets.synthetic import draw_faces
from rdrface.landmarks import NUM_LANDMARKS
from rdrface.training.face_profiling.face_profiling import (
    FaceProfilingConfig,
    choose_near_frontal_faces,
    profile_faces,
)

YAWS_DEG = (30.0, 60.0, 85.0)
CELL = 224


@reports_errors
def main() -> None:
    """Draw the contact sheet."""
    parser = argparse.ArgumentParser(description="Draw faces and their profiled versions.")
    parser.add_argument("--pack", type=Path, help="packed faces with fits (default: synthetic faces)")
    parser.add_argument("--faces", type=int, default=4, help="number of faces (default: 4)")
    parser.add_argument("--seed", type=int, default=2, help="random seed (default: 2)")
    parser.add_argument(
        "-o",
        "--out",
        type=Path,
        default=Path("docs/images/profiling.png"),
        help="image to write (default: docs/images/profiling.png)",
    )
    options = parser.parse_args()
    config = FaceProfilingConfig(close_eyes_probability=0.0, open_mouth_probability=0.0)
    if options.pack is None:
        config = replace(config, min_resolution=0.0)
        with tempfile.TemporaryDirectory() as folder:
            faces = pack(draw_faces(Path(folder), 10 * options.faces, options.seed), 256)
    else:
        faces = PackedCrops.load(options.pack)
    index = choose_near_frontal_faces(faces, options.faces, config, options.seed)
    sets = [faces.select(index)]
    for yaw in YAWS_DEG:
        sets.append(profile_faces(faces, index, replace(config, yaw_range_deg=(yaw, yaw)), options.seed))
    # One row per face: the face, then its profiled versions.
    windows, points, state = (
        np.stack([getattr(one, name) for one in sets], axis=1).reshape(len(index) * len(sets), *shape)
        for name, shape in (
            ("images", faces.images.shape[1:]),
            ("outline", (NUM_LANDMARKS, 2)),
            ("state", (NUM_LANDMARKS,)),
        )
    )
    titles = ["source", *(f"yaw {yaw:.0f}" for yaw in YAWS_DEG)] * len(index)
    sheet = contact_sheet(windows, points, state, titles, columns=len(sets), cell=CELL)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(sheet).save(options.out, optimize=True)
    print(options.out)


if __name__ == "__main__":
    sys.exit(main())
