"""Recordings: files with the tracked faces of a video."""

from rdrface.recording.frame_record import FrameRecord, RecordedFace
from rdrface.recording.json_lines import JSONLinesWriter
from rdrface.recording.live_link import LiveLinkWriter
from rdrface.recording.parquet import ParquetWriter
from rdrface.recording.reading import read_recording

__all__ = ["FrameRecord", "JSONLinesWriter", "LiveLinkWriter", "ParquetWriter", "RecordedFace", "read_recording"]
