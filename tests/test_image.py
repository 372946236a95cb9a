"""Reading of images: all kinds become (H, W, 3) uint8 RGB, or an ImageError with the file and the reason."""

import io
import os
import threading

import numpy as np
import pytest
from PIL import Image

from colored_image import BLUE, GREEN, RED, assert_rgb, colored
from rdrface.errors import ImageError
from rdrface.image import read_first_frame, read_image


@pytest.mark.parametrize("suffix", ["png", "bmp", "tiff", "webp", "ppm"])
def test_lossless_files(tmp_path, suffix):
    file = tmp_path / f"a.{suffix}"
    Image.fromarray(colored()).save(file, **({"lossless": True} if suffix == "webp" else {}))
    for source in (file, str(file)):
        np.testing.assert_array_equal(read_image(source), colored())


def test_jpeg(tmp_path):
    Image.fromarray(colored(64, 48)).save(tmp_path / "a.jpg", quality=95)
    result = read_image(tmp_path / "a.jpg")
    assert_rgb(result, (48, 64, 3))
    assert np.abs(result[5, 5].astype(int) - RED).max() < 12


# Stored pixels of an upright image, for each EXIF orientation.
STORE = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, 1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a, -1),
}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(tmp_path, orientation):
    stored = Image.fromarray(np.ascontiguousarray(STORE[orientation](colored())))
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), colored())
    with Image.open(tmp_path / "a.png") as opened:
        np.testing.assert_array_equal(read_image(opened), colored())


def test_cmyk(tmp_path):
    Image.fromarray(colored(64, 48)).convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    result = read_image(tmp_path / "a.jpg")
    assert_rgb(result, (48, 64, 3))
    assert np.abs(result[5, 5].astype(int) - RED).max() < 16 and np.abs(result[40, 30].astype(int) - BLUE).max() < 16


def test_transparent_parts_become_white(tmp_path):
    array = np.dstack([colored(), np.full((6, 8), 255, np.uint8)])
    array[0, 0, 3] = 0
    array[0, 1, 3] = 128
    Image.fromarray(array).save(tmp_path / "a.png")
    for result in (read_image(tmp_path / "a.png"), read_image(array), read_image(Image.fromarray(array))):
        assert_rgb(result, (6, 8, 3))
        assert result[0, 0].tolist() == [255, 255, 255]
        np.testing.assert_allclose(result[0, 1], [255, 127, 127], atol=1)
        np.testing.assert_array_equal(result[1:], colored()[1:])


def test_palette_with_and_without_transparency(tmp_path):
    palette = Image.fromarray(colored()).convert("P", palette=Image.Palette.ADAPTIVE, colors=4)
    palette.save(tmp_path / "p.png")
    np.testing.assert_array_equal(read_image(tmp_path / "p.png"), colored())
    index = palette.getpixel((0, 0))
    palette.save(tmp_path / "t.png", transparency=index)
    result = read_image(tmp_path / "t.png")
    assert (result[:3, :4] == 255).all()
    np.testing.assert_array_equal(result[3:], colored()[3:])


@pytest.mark.parametrize("mode", ["1", "L", "LA"])
def test_gray_modes(tmp_path, mode):
    Image.new("L", (7, 5), 255).convert(mode).save(tmp_path / "g.png")
    result = read_image(tmp_path / "g.png")
    assert_rgb(result, (5, 7, 3))
    assert (result == 255).all()


def test_sixteen_bit_gray_is_scaled_not_clipped(tmp_path):
    values = np.linspace(0, 65535, 12).round().astype(np.uint16).reshape(3, 4)
    Image.fromarray(values).save(tmp_path / "g.png")
    for result in (read_image(tmp_path / "g.png"), read_image(values)):
        assert_rgb(result, (3, 4, 3))
        np.testing.assert_array_equal(result[..., 0], np.rint(values / 257))


def test_dark_sixteen_bit_gray_stays_dark(tmp_path):
    values = np.full((3, 4), 514, np.uint16)
    Image.fromarray(values).save(tmp_path / "g.png")
    assert (read_image(tmp_path / "g.png") == 2).all()


def test_float_tiff_is_scaled(tmp_path):
    for values, expected in (
        (np.linspace(0, 1, 12), np.rint(np.linspace(0, 255, 12))),
        (np.linspace(0, 255, 12), np.rint(np.linspace(0, 255, 12))),
    ):
        Image.fromarray(values.reshape(3, 4).astype(np.float32)).save(tmp_path / "f.tiff")
        np.testing.assert_allclose(read_image(tmp_path / "f.tiff")[..., 1].ravel(), expected, atol=1)


def test_an_image_of_one_pixel(tmp_path):
    Image.new("RGB", (1, 1), GREEN).save(tmp_path / "one.png")
    assert read_image(tmp_path / "one.png").tolist() == [[list(GREEN)]]


def test_the_first_frame_of_an_animation_is_read(tmp_path):
    frames = [Image.new("RGB", (9, 7), color) for color in (RED, GREEN, BLUE)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=50)
    result = read_image(tmp_path / "a.gif")
    assert_rgb(result, (7, 9, 3))
    assert (result == RED).all()


@pytest.mark.parametrize("value", [None, 3, [[1, 2]], {"image": 1}])
def test_other_types_are_refused(value):
    with pytest.raises(TypeError, match="an image is a path"):
        read_image(value)


def test_hints_for_other_types():
    class Tensor:
        def __array__(self):
            return colored()

    with pytest.raises(TypeError, match=r"got Tensor; convert it with numpy\.asarray"):
        read_image(Tensor())
    with pytest.raises(TypeError, match=r"cv2\.imread returns None"):
        read_image(None)
    with pytest.raises(ImageError, match="one by one"):
        read_image(np.zeros((2, 9, 9, 3), np.uint8))
    with pytest.raises(ImageError, match="tobytes"):
        read_image(np.zeros(900, np.uint8))


def test_encoded_data_and_file_objects(tmp_path):
    path = tmp_path / "a.png"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.rot90(colored())).save(path, exif=exif)
    content = path.read_bytes()
    for source in (content, bytearray(content), memoryview(content), io.BytesIO(content)):
        np.testing.assert_array_equal(read_image(source), colored())
    with path.open("rb") as file:
        np.testing.assert_array_equal(read_image(file), colored())
        with pytest.raises(ImageError, match=r"the file object .*a\.png is empty"):
            read_image(file)  # everything has been read
    with path.open(encoding="latin-1") as text, pytest.raises(TypeError, match="binary mode"):
        read_image(text)
    for data, reason in ((b"", "the data is empty"), (b"photo.jpg", "not an image"), (content[:90], "damaged")):
        with pytest.raises(ImageError, match=reason):
            read_image(data)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_named_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    content = io.BytesIO()
    Image.fromarray(colored()).save(content, "PNG")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=[content.getvalue()])
    writer.start()
    np.testing.assert_array_equal(read_image(tmp_path / "pipe"), colored())
    writer.join()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("https://example.org/a.jpg", "is a URL; download"),
        ("data:image/png;base64,iVBORw0", "is a URL"),
        ("file:///home/a.jpg", "is a URL"),
        ("~/none.jpg", "expanduser"),
        ("/9j/" + "A" * 9000, r"\(9004 characters\)"),
        ("iVBORw0" + "A" * 400, "decode it and pass the bytes"),
    ],
)
def test_texts_that_are_not_paths_are_refused(text, reason):
    with pytest.raises(ImageError, match=reason) as caught:
        read_image(text)
    assert len(str(caught.value)) < 600


def test_a_broken_link_is_named(tmp_path):
    (tmp_path / "a.jpg").symlink_to(tmp_path / "none.jpg")
    with pytest.raises(ImageError, match="a link to a file that does not exist"):
        read_image(tmp_path / "a.jpg")


def test_frames_are_counted(tmp_path):
    frames = [Image.new("RGB", (9, 7), color) for color in (RED, GREEN, BLUE)]
    for name in ("a.gif", "a.tif", "a.webp", "a.png"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
        pixels, count = read_first_frame(tmp_path / name)
        assert count == 3 and np.abs(pixels.astype(int) - RED).max() < 12
        assert read_first_frame((tmp_path / name).read_bytes()).num_frames == 3
    # Cameras store previews and depth maps as further images of a JPEG file.
    frames[0].save(tmp_path / "a.mpo", save_all=True, append_images=frames[1:])
    frames[0].save(tmp_path / "a.jpg")
    for name in ("a.mpo", "a.jpg"):
        assert read_first_frame(tmp_path / name).num_frames == 1
    assert read_first_frame(colored()).num_frames == 1


def test_files_whose_names_look_like_urls_are_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("data:x.png", "file:y.png", "s3:z.png"):
        try:
            Image.fromarray(colored()).save(name)
        except OSError:
            pytest.skip("names cannot contain a colon here")
        np.testing.assert_array_equal(read_image(name), colored())
    for url in ("https://example.org/a.jpg", "data:image/png;base64," + "A" * 9000):
        with pytest.raises(ImageError, match="is a URL"):
            read_image(url)
