"""Counts of photos and faces."""

import json
from dataclasses import asdict, dataclass, fields

METADATA_KEY = "rdrface_counts"
"""Key of the counts in the metadata of the Parquet files."""


@dataclass(frozen=True)
class Counts:
    """What was found in some photos.

    Attributes:
        photos: number of photos, those that failed included.
        faces: number of faces.
        without_faces: number of photos that were read and in which no face was found.
        failed: number of photos that could not be read.
        dropped: number of detections that were dropped because of their expected error.
    """

    photos: int = 0
    faces: int = 0
    without_faces: int = 0
    failed: int = 0
    dropped: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str | bytes) -> "Counts":
        """Restore the counts from the line of `to_json`."""
        return cls(**json.loads(text))
