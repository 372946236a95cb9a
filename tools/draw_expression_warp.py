"""Draw faces next to versions with closed eyes (`rdrface.training.expression_warping`), with labels.

python tools/draw_expression_warp.py                       # docs/images/closed_eyes.jpg, with one photo
python tools/draw_expression_warp.py --pack FILE -o OUT    # with packed faces, to check training data

The photo is scikit-image's astronaut (NASA, public domain), labeled by the packaged network.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

import rdrface
from rdrface.cli.script import reports_errors
from rdrface.datasets.contact_sheet import contact_sheet
from rdrface.datasets.crops import PackedCrops
from rdrface.datasets.packing import pack
from rdrface.datasets.records import VISIBLE, FaceRecords
from rdrface.fitting import fit_records
from rdrface.geometry.boxes import bounding_boxes
from rdrface.landmarks import NUM_LANDMARKS
from rdrface.morphable.model import FaceModel
from rdrface.training.expression_warping.expression_warp import ExpressionWarpConfig, choose_open_eyes, close_eyes

CELL = 256


def astronaut() -> PackedCrops:
    """The face of the astronaut, labeled by the packaged network."""
    image = data.astronaut()
    face = rdrface.load().detect(image)[0]
    points = face.landmarks[None]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "astronaut.png"
        Image.fromarray(image).save(path)
        records = FaceRecords(
            image=np.array([str(path)]),
            points=points,
            state=np.full((1, NUM_LANDMARKS), VISIBLE, np.int8),
            contour=np.array(["outline"]),
            box=bounding_boxes(points),
            source=np.array(["astronaut"]),
            is_test=np.zeros(1, bool),
        )
        return pack(fit_records(records, FaceModel.load()), 256)


@reports_errors
def main() -> None:
    """Draw the contact sheet."""
    parser = argparse.ArgumentParser(description="Draw faces and their closed eyes.")
    parser.add_argument("--pack", type=Path, help="packed faces with fits (default: the astronaut)")
    parser.add_argument("--faces", type=int, default=8, help="number of packed faces (default: 8)")
    parser.add_argument("--seed", type=int, default=0, help="random seed (default: 0)")
    parser.add_argument(
        "-o",
        "--out",
        type=Path,
        default=Path("docs/images/closed_eyes.jpg"),
        help="image to write (default: docs/images/closed_eyes.jpg)",
    )
    options = parser.parse_args()
    config = ExpressionWarpConfig()
    if options.pack is None:
        faces = astronaut()
        index = np.zeros(1, np.int64)
        variants = {
            "half closed": replace(
                config, wink_probability=0.0, fully_closed_probability=0.0, closing_range=(0.55, 0.55)
            ),
            "closed": replace(config, wink_probability=0.0, fully_closed_probability=1.0),
            "wink": replace(config, wink_probability=1.0, fully_closed_probability=1.0),
        }
        sets = [close_eyes(faces, index, variant, options.seed) for variant in variants.values()]
        titles = ["source", *variants]
    else:
        faces = PackedCrops.load(options.pack)
        index = choose_open_eyes(faces, options.faces, config, options.seed)
        start = time.perf_counter()
        sets = [close_eyes(faces, index, config, options.seed)]
        print(f"{len(index) / (time.perf_counter() - start):.0f} faces per second")
        titles = ["source", "closed"] * len(index)
    sets = [faces.select(index), *sets]
    images, points, state = (
        np.stack([getattr(one, name) for one in sets], axis=1).reshape(len(index) * len(sets), *shape)
        for name, shape in (
            ("images", faces.images.shape[1:]),
            ("points", (NUM_LANDMARKS, 2)),
            ("state", (NUM_LANDMARKS,)),
        )
    )
    # The crop of the network is the center of the window.
    edge = round(faces.size * (1 - 1 / faces.margin) / 2)
    images = images[:, edge:-edge, edge:-edge]
    points = points * (faces.size / images.shape[1])
    plain = contact_sheet(images, titles=titles, columns=len(sets), cell=CELL)
    labeled = contact_sheet(images, points, state, columns=len(sets), cell=CELL)
    sheet = np.concatenate([plain, labeled], axis=0 if len(index) == 1 else 1)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(sheet).save(options.out, quality=88)
    print(options.out)


if __name__ == "__main__":
    sys.exit(main())
