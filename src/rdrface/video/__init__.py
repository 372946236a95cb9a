"""Videos and cameras: frames with their times. Needs PyAV (``pip install rdrface[video]``)."""

from rdrface.video.camera import Camera, open_camera
from rdrface.video.frame import Frame
from rdrface.video.reader import VideoReader, open_video
from rdrface.video.writer import VideoWriter

__all__ = ["Camera", "Frame", "VideoReader", "VideoWriter", "open_camera", "open_video"]
