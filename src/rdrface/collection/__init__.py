"""Collections: the faces of any number of photos, in Parquet files."""

from rdrface.collection.annotating import annotate_collection
from rdrface.collection.job import Job
from rdrface.collection.sources import FileSource, ShardSource, Source, TableSource, UnreadableSource

__all__ = [
    "FileSource",
    "Job",
    "ShardSource",
    "Source",
    "TableSource",
    "UnreadableSource",
    "annotate_collection",
]
