"""Recordings: files with the tracked faces of a video."""

from rdrface.recording.clip import ClipRecorder, write_person_clip
from rdrface.recording.frame_record import FrameRecord, RecordedFace
from rdrface.recording.json_lines import JSONLinesWriter
from rdrface.recording.live_link import LiveLinkWriter
from rdrface.recording.parquet import ParquetWriter
from rdrface.recording.reading import read_recording
from rdrface.recording.vmc import VMCSender

__all__ = [
    "ClipRecorder",
    "FrameRecord",
    "JSONLinesWriter",
    "LiveLinkWriter",
    "ParquetWriter",
    "RecordedFace",
    "VMCSender",
    "read_recording",
    "write_person_clip",
]
