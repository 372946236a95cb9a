"""Conversion of faces to and from the types of other libraries, which are imported only when they are needed."""

from rdrface.interchange.coco_wholebody import from_coco_wholebody, to_coco_annotation, to_coco_wholebody
from rdrface.interchange.data_frame import from_pandas, to_pandas
from rdrface.interchange.mediapipe import from_mediapipe, to_mediapipe
from rdrface.interchange.points68 import from_points68, to_points68
from rdrface.interchange.supervision import from_supervision, to_supervision

__all__ = [
    "from_coco_wholebody",
    "from_mediapipe",
    "from_pandas",
    "from_points68",
    "from_supervision",
    "to_coco_annotation",
    "to_coco_wholebody",
    "to_mediapipe",
    "to_pandas",
    "to_points68",
    "to_supervision",
]
