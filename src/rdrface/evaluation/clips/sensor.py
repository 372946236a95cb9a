"""Camera sensor and video compression."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from PIL import Image

from rdrface.errors import ConfigError


@dataclass(frozen=True)
class Sensor:
    """Noise of an 8-bit camera (Poisson-Gaussian model: Foi et al., Practical Poissonian-Gaussian Noise Modeling and
    Fitting for Single-Image Raw-Data, TIP 2008).

    Attributes:
        read_noise: standard deviation of the noise that does not depend on the light, gray levels.
        shot_noise: variance of the noise divided by the gray level.
        flicker: standard deviation of the exposure from frame to frame, as a share.
        exposure: brightness of the image, as a share.
    """

    read_noise: float = 1.2
    shot_noise: float = 0.02
    flicker: float = 0.005
    exposure: float = 1.0

    def expose(self, scene: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """One frame (H, W, 3) uint8 of a scene (H, W, 3), 0..255."""
        gain = self.exposure * (1 + self.flicker * rng.standard_normal())
        light = np.float32(gain) * scene.astype(np.float32)
        std = np.sqrt(np.float32(self.read_noise**2) + np.float32(self.shot_noise) * light)
        noisy = light + std * rng.standard_normal(scene.shape, dtype=np.float32)
        exposed: np.ndarray = np.rint(noisy).clip(0, 255).astype(np.uint8)
        return exposed


def jpeg(frames: Iterable[np.ndarray], quality: int) -> Iterator[np.ndarray]:
    """Compress every frame as a JPEG image, like a webcam with MJPEG."""
    for frame in frames:
        file = io.BytesIO()
        Image.fromarray(frame).save(file, "jpeg", quality=quality)
        yield np.asarray(Image.open(file))


def h264(frames: Iterable[np.ndarray], rate: int, quality: int) -> Iterator[np.ndarray]:
    """Compress the frames as a video and decode it.

    Args:
        frames: (H, W, 3) uint8 each.
        rate: frames per second.
        quality: constant rate factor of x264: 23 is its default, larger is worse.

    Raises:
        ConfigError: PyAV is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise ConfigError("clips compressed with H.264 need PyAV: pip install 'rdrface[video]'") from error
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        options = {"crf": str(quality), "preset": "veryfast", "threads": "1"}
        stream = container.add_stream("libx264", rate=Fraction(rate), options=options)
        for i, pixels in enumerate(frames):
            if not i:
                stream.height, stream.width = pixels.shape[:2]
                stream.pix_fmt = "yuv420p"
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")))
        container.mux(stream.encode())
    file.seek(0)
    with av.open(file, "r") as video:
        for frame in video.decode(video=0):
            yield frame.to_ndarray(format="rgb24")
