"""The photo that all pictures are made from: scikit-image's astronaut (Eileen Collins, NASA, public domain)."""

from dataclasses import replace
from functools import cached_property

import numpy as np
from PIL import Image
from skimage import data

import rdrface
from draw_result import enlarged
from rdrface.datasets.records import FaceRecords
from rdrface.evaluation.clips.kinds import Cast
from rdrface.evaluation.clips.portrait import Portrait
from rdrface.face import Face
from rdrface.face_rendering.head import Head
from rdrface.fitting.fit import fit_records
from rdrface.geometry.boxes import bounding_boxes
from rdrface.landmarks import NUM_LANDMARKS
from rdrface.morphable.model import FaceModel

_CROP = (slice(0, 300), slice(80, 380))
"""Rows and columns of the photo around the head."""


class Photo:
    """The photo and what is known about its face. `aligner` keeps all faces, however uncertain they are."""

    def __init__(self) -> None:
        self.image: np.ndarray = data.astronaut()
        self.aligner = rdrface.load(max_uncertainty=None)

    @cached_property
    def face(self) -> Face:
        """The face in the photo."""
        return self.aligner.detect(self.image)[0]

    def close_up(self, side: int) -> tuple[np.ndarray, Face]:
        """A crop (side, side, 3) around the face, and the face in it."""
        image = enlarged(self.image, self.face, side)
        return image, self.aligner.detect(image)[0]

    @cached_property
    def cast(self) -> Cast:
        """The photo as clips are made from it: landmarks of the network, and the 3D face fitted to them."""
        image = np.asarray(Image.fromarray(self.image[_CROP]).resize((600, 600), Image.Resampling.BICUBIC))
        points = self.aligner.detect(image)[0].landmarks[None].astype(np.float64)
        record = FaceRecords(
            image=np.array(["astronaut"]),
            points=points,
            state=np.zeros((1, NUM_LANDMARKS), np.int8),
            box=bounding_boxes(points),
            source=np.array(["scikit-image"]),
            is_test=np.ones(1, bool),
            contour=np.array(["outline"]),
        )
        model = FaceModel.load()
        fitted = replace(fit_records(record, model, progress=False), open_image=lambda name: image)
        return Cast(0, fitted, fitted, Head.of(model), seed=5)

    def portrait(self, side: int) -> Portrait:
        """The photo for rendering the head in other poses, in frames of `side` x `side` pixels."""
        return Portrait.of(self.cast.record, 0.56 * side, side, side)
