"""Sources of photos: files, tar shards and Parquet tables. Each is divided into chunks, and reads the photos of one."""

from rdrface.collection.sources.files import FileSource
from rdrface.collection.sources.shards import ShardSource
from rdrface.collection.sources.tables import TableSource
from rdrface.collection.sources.unreadable import UnreadableSource

Source = FileSource | ShardSource | TableSource | UnreadableSource

__all__ = ["FileSource", "ShardSource", "Source", "TableSource", "UnreadableSource"]
