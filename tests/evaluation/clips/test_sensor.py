"""Sensor noise and compression."""

import numpy as np
import pytest

from rdrface.evaluation.clips.sensor import Sensor, h264, jpeg


def test_noise_grows_with_the_light_and_exposure_darkens():
    sensor = Sensor(read_noise=2, shot_noise=0.1, flicker=0, exposure=0.5)
    rng = np.random.default_rng(0)
    dark, bright = (sensor.expose(np.full((200, 200, 3), level), rng).astype(float) for level in (20, 200))
    assert (dark.mean(), bright.mean()) == pytest.approx((10, 100), abs=0.1)
    # sqrt(2^2 + 0.1 * light), and rounding to 8 bits.
    assert (dark.std(), bright.std()) == pytest.approx((5**0.5, 14**0.5), rel=0.03)


def test_flicker_changes_whole_frames():
    sensor = Sensor(read_noise=0, shot_noise=0, flicker=0.05)
    means = [sensor.expose(np.full((8, 8, 3), 100.0), np.random.default_rng(i)).mean() for i in range(50)]
    assert 3 < np.std(means) < 7


@pytest.mark.parametrize("compressed", [lambda frames: jpeg(frames, 50), lambda frames: h264(frames, 30, 30)])
def test_compressed_frames_resemble_the_frames_and_keep_their_order(compressed):
    pytest.importorskip("av")
    ramp = np.broadcast_to(np.linspace(0, 200, 64)[None, :, None], (48, 64, 3))
    frames = [(ramp + 10 * i).astype(np.uint8) for i in range(5)]
    decoded = list(compressed(frames))
    assert len(decoded) == 5
    for before, after in zip(frames, decoded, strict=True):
        assert after.shape == before.shape and np.abs(after.astype(float) - before).mean() < 5
