"""benchmarks/speed, with two sides that need no network."""

import sys
from pathlib import Path

import numpy as np
import pytest

SPEED = Path(__file__).resolve().parents[2] / "benchmarks" / "speed"

SIDE = f"""
import sys
sys.path.insert(0, {str(SPEED)!r})
from sides import serve
name, seconds, missing, *rows = sys.argv[1:]

def open_rows():
    print("a library prints this", flush=True)
    return {{row: lambda: float(seconds) for row in rows}}, {{missing: "no file"}} if missing else {{}}

serve(name, open_rows)
"""


@pytest.fixture
def speed(monkeypatch):
    """The modules compare and sides."""
    monkeypatch.syspath_prepend(str(SPEED))
    for name in ("compare", "sides"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import compare
    import sides

    yield compare, sides
    for name in ("compare", "sides"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_the_table_has_medians_and_their_ratio(speed):
    compare, _ = speed
    ours = [sys.executable, "-c", SIDE, "ours", "0.012", "lite, image", "default, image"]
    other = [sys.executable, "-c", SIDE, "other", "0.004", "", "image", "image, refined", "video, refined"]
    with compare.Side(ours) as first, compare.Side(other) as second:
        assert (first.name, second.name) == ("ours", "other")
        lines = compare.table(first, second, 20).splitlines()
    assert "| default, image | 12.0 | image | 4.0 | 3.0 |" in lines
    assert "| lite, image | - | image | | - |" in lines
    assert lines[-1] == "lite, image not measured: no file"


def test_a_side_that_fails_is_an_error(speed):
    compare, _ = speed
    with pytest.raises(SystemExit, match="ImportError: no mediapipe"):
        compare.Side([sys.executable, "-c", "raise ImportError('no mediapipe')"])


def test_the_face_of_the_video_moves_by_a_pixel_per_frame(speed):
    _, sides = speed
    image = np.zeros((4, 100, 3), np.uint8)
    image[:, 40] = 255
    video = sides.frames(image)
    columns, times = zip(
        *((int(frame[0, :, 0].argmax()), at) for frame, at in (next(video) for _ in range(100))), strict=True
    )
    assert set(np.abs(np.diff(columns))) == {sides.SHIFT}
    assert np.allclose(np.diff(times), 1 / sides.FRAMES_PER_SECOND)
