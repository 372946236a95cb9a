"""Reading several images in order."""

import io
import os
import sys

import numpy as np
import pytest
from PIL import Image

from rdrface.errors import ImageError
from rdrface.image_batch import can_decode_ahead, read_in_order


def write_images(folder, count):
    paths = [folder / f"{i}.png" for i in range(count)]
    for i, path in enumerate(paths):
        Image.new("RGB", (40, 30), (i, 0, 0)).save(path)
    return paths


def test_images_of_all_types_keep_their_order(tmp_path):
    paths = write_images(tmp_path, 12)
    images = [
        *paths[:4],
        paths[4].read_bytes(),
        Image.open(paths[5]),
        np.full((30, 40, 3), 6, np.uint8),
        io.BytesIO(paths[7].read_bytes()),
        *map(str, paths[8:]),
    ]
    for given in (images[:7] + images[8:], iter(images)):
        expected = [*range(7), 8, 9, 10, 11] if isinstance(given, list) else list(range(12))
        assert [pixels[0, 0, 0] for pixels in read_in_order(given, 10**9)] == expected


def test_one_image_object_can_occur_several_times(tmp_path):
    (path,) = write_images(tmp_path, 1)
    image = Image.open(path)
    assert len(list(read_in_order([image] * 20, 10**9))) == 20


def test_the_error_of_an_image_contains_its_index(tmp_path):
    path = write_images(tmp_path, 1)[0]
    reading = read_in_order([path, path.read_bytes()[:60]], 10**9)
    next(reading)
    with pytest.raises(ImageError, match=r"image 1 of the batch: the data"):
        next(reading)
    with pytest.raises(ImageError, match=r"image 1 of the batch: no file at .*none\.jpg"):
        list(read_in_order([path, tmp_path / "none.jpg"], 10**9))
    with pytest.raises(TypeError, match="image 0 of the batch: an image is a path"):
        list(read_in_order([None], 10**9))


def test_a_generator_may_reuse_the_memory_of_its_arrays():
    def frames():
        frame = np.zeros((30, 40, 3), np.uint8)
        for i in range(5):
            frame[:] = i
            yield frame

    assert [pixels[0, 0, 0] for pixels in list(read_in_order(frames(), 10**9))] == [0, 1, 2, 3, 4]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no named pipes")
def test_named_pipes_are_not_read_ahead(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (path,) = write_images(tmp_path, 1)
    assert can_decode_ahead(path) and can_decode_ahead(str(path)) and can_decode_ahead(b"data")
    assert not can_decode_ahead(tmp_path / "pipe")
    assert not can_decode_ahead("x" * 10_000) and not can_decode_ahead("a\0b")
