"""Faces for fine-tuning tests without data: random images with the predictions of an untrained network."""

from pathlib import Path

import cv2
import numpy as np

from rdrface.crop import CropFrame, cut
from rdrface.datasets.crops import MARGIN
from rdrface.image import read_image

SIZE = 64
"""Side of the crops, pixels."""


def custom_faces(network, folder: Path, count: int):
    """`CustomFaces` of random images in `folder`.

    The labels are the nose tip, the outer eye corners and the mouth corners predicted by `network`, with an offset.
    """
    import torch

    from rdrface.finetuning.faces import CustomFaces

    rng = np.random.default_rng(1)
    size = round(SIZE * MARGIN / 16) * 16
    coarse = rng.integers(0, 256, (count, 6, 6, 3), dtype=np.uint8)
    images = [cv2.resize(one, (4 * size, 4 * size), interpolation=cv2.INTER_LINEAR) for one in coarse]
    packed = np.stack([cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA) for image in images])
    folder.mkdir()
    paths = []
    for i, image in enumerate(images):
        paths.append(str(folder / f"{i}.png"))
        cv2.imwrite(paths[-1], cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    middle, half = (4 * size - 1) / 2, 4 * size / 2 / MARGIN
    frame = CropFrame(np.full((count, 2), middle), np.full(count, half))
    one = CropFrame(frame.center[:1], frame.half[:1])
    crops = np.concatenate([cut(read_image(path), one, SIZE) for path in paths])
    with torch.no_grad():
        last = network(torch.from_numpy(crops)).steps[-1]
    side = half / 1.6
    return CustomFaces(
        image=tuple(paths),
        photo=np.array([Path(path).name for path in paths]),
        boxes=np.tile([middle - side, middle - side, middle + side, middle + side], (count, 1)),
        detected=np.ones(count, bool),
        frame=frame,
        labels=last.projection_jawline[:, [30, 36, 45, 48, 54], :2].numpy() + np.float32([0.05, -0.03]),
        landmarks=last.landmarks.numpy(),
        yaw=np.linspace(-80, 80, count),
        q=last.q.numpy(),
        packed_images=packed,
        valid=np.tile(np.float32([-1, -1, 1, 1]), (count, 1)),
    )
