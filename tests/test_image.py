"""Reading of images: all kinds become (H, W, 3) uint8 RGB, or an ImageError with the file and the reason."""

import io
import os
import struct
import sys
import threading
import zlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from rdrface import image as image_module
from rdrface.errors import ImageError
from rdrface.image import read_first_frame, read_image

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def colored(width=8, height=6):
    """The top left quarter is red, the top right quarter green, the lower half blue."""
    array = np.zeros((height, width, 3), np.uint8)
    array[: height // 2, : width // 2] = RED
    array[: height // 2, width // 2 :] = GREEN
    array[height // 2 :] = BLUE
    return array


def assert_rgb(result, shape):
    assert result.shape == shape and result.dtype == np.uint8 and result.flags.c_contiguous


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


def test_broken_files_are_named(tmp_path):
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (80, 80, 3), dtype=np.uint8)).save(tmp_path / "whole.jpg")
    Image.fromarray(rng.integers(0, 256, (80, 80, 3), dtype=np.uint8)).save(tmp_path / "whole.png")
    for name in ("whole.jpg", "whole.png"):
        content = (tmp_path / name).read_bytes()
        broken = tmp_path / f"cut_{name}"
        broken.write_bytes(content[: len(content) // 2])
        with pytest.raises(ImageError, match=broken.name.replace(".", r"\.") + ".*(damaged|truncated)"):
            read_image(broken)
    (tmp_path / "head.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:10])
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "text.jpg").write_text("this is not an image")
    for name, reason in (
        ("head.jpg", "head"),
        ("empty.jpg", "is empty"),
        ("text.jpg", "not an image"),
        ("no.jpg", "no file"),
    ):
        with pytest.raises(ImageError, match=reason) as caught:
            read_image(tmp_path / name)
        assert name in str(caught.value)
    with pytest.raises(ImageError, match="is a folder"):
        read_image(tmp_path)
    with pytest.raises(ImageError, match="cannot be read"):
        read_image(tmp_path / ("n" * 5000))
    (tmp_path / "phone.heic").write_bytes(b"ftypheic" * 20)
    with pytest.raises(ImageError, match="convert it to JPEG"):
        read_image(tmp_path / "phone.heic")


def test_an_image_with_a_damaged_exif_block_can_be_read(tmp_path):
    Image.fromarray(colored(64, 48)).save(tmp_path / "a.jpg", quality=95, exif=b"Exif\0\0MM\0\x2a\0\0\xff\xff\1\2\3")
    assert_rgb(read_image(tmp_path / "a.jpg"), (48, 64, 3))


def write_png_with_size(path: Path, width: int, height: int) -> None:
    """Write a tiny PNG whose header has any size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)


def test_huge_images_are_refused_before_they_are_decoded(tmp_path, recwarn):
    for size in ((60000, 60000), (17000, 16000)):
        write_png_with_size(tmp_path / "bomb.png", *size)
        with pytest.raises(ImageError, match=r"bomb\.png.*shrink it"):
            read_image(tmp_path / "bomb.png")
    assert not [w for w in recwarn if issubclass(w.category, Image.DecompressionBombWarning)]


def test_large_images_below_the_limit_are_read(tmp_path, monkeypatch):
    Image.new("RGB", (40, 30)).save(tmp_path / "a.png")
    monkeypatch.setattr(image_module, "MAX_PIXELS", 40 * 30)
    assert_rgb(read_image(tmp_path / "a.png"), (30, 40, 3))
    monkeypatch.setattr(image_module, "MAX_PIXELS", 40 * 30 - 1)
    with pytest.raises(ImageError, match="40 x 30"):
        read_image(tmp_path / "a.png")
    with pytest.raises(ImageError, match="40 x 30"):
        read_image(np.zeros((30, 40, 3), np.uint8))


def test_uint8_rgb_arrays_are_returned_without_a_copy():
    array = colored()
    assert read_image(array) is array


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1)])
def test_gray_arrays(shape):
    result = read_image(np.full(shape, 9, np.uint8))
    assert_rgb(result, (5, 7, 3))
    assert (result == 9).all()


def test_float_and_bool_arrays():
    values = np.array([[0.0, 0.5, 1.0]])
    for dtype in (np.float64, np.float32, np.float16):
        np.testing.assert_array_equal(read_image(values.astype(dtype))[0, :, 0], [0, 128, 255])
    assert read_image(np.array([[True, False]]))[0, :, 2].tolist() == [255, 0]


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.zeros((3, 40, 40), np.uint8), "move the channels"),
        (np.zeros((40, 40, 2), np.uint8), "must be"),
        (np.zeros(40, np.uint8), "must be"),
        (np.zeros((2, 40, 40, 3), np.uint8), "must be"),
        (np.zeros((0, 40, 3), np.uint8), "no pixels"),
        (np.zeros((4, 4, 3), np.int64), "int64"),
        (np.zeros((4, 4, 3), complex), "complex128"),
        (np.full((4, 4, 3), 200.0), "0..1, got 200..200"),
        (np.full((4, 4, 3), -0.1), "0..1"),
        (np.full((4, 4, 3), np.nan), "NaN"),
        (np.full((4, 4), "x"), "<U1"),
    ],
)
def test_invalid_arrays_are_refused(array, reason):
    with pytest.raises(ImageError, match=reason):
        read_image(array)


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
        ("iVBORw0" + "A" * 400, "decode it and pass the bytes|cannot be read"),
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


HEIC_START = b"\0\0\0\x18ftypheic" + b"\0" * 40


def test_heic_without_its_package_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    (tmp_path / "a.jpg").write_bytes(HEIC_START)  # phones rename files without conversion
    (tmp_path / "a.heic").write_bytes(b"something else")
    for source in (tmp_path / "a.jpg", tmp_path / "a.heic", HEIC_START):
        with pytest.raises(ImageError, match=r"pip install 'rdrface\[heic\]'"):
            read_image(source)


def test_heic_is_read_with_a_package_that_is_loaded_when_needed(tmp_path, monkeypatch):
    """With a stand-in for pillow-heif that reads every HEIC file as one green image."""
    registered = []

    def open_green(file, name):
        return Image.new("RGB", (5, 4), GREEN)

    def register():
        registered.append("heif")
        Image.register_open("TEST-HEIF", open_green, lambda start: start[4:12] == b"ftypheic")

    monkeypatch.setitem(sys.modules, "pillow_heif", SimpleNamespace(register_heif_opener=register))
    Image.init()
    monkeypatch.setattr(Image, "OPEN", dict(Image.OPEN))
    monkeypatch.setattr(Image, "ID", list(Image.ID))
    Image.fromarray(colored()).save(tmp_path / "a.png")
    read_image(tmp_path / "a.png")
    assert registered == []
    assert (read_image(HEIC_START) == GREEN).all()
    assert registered == ["heif"]


def test_a_heic_file(tmp_path, monkeypatch):
    """With pillow-heif, if it is installed."""
    package = pytest.importorskip("pillow_heif")
    monkeypatch.setattr(Image, "OPEN", dict(Image.OPEN))
    monkeypatch.setattr(Image, "ID", list(Image.ID))
    pixels = np.kron(colored(), np.ones((16, 16, 1), np.uint8))
    package.from_pillow(Image.fromarray(pixels)).save(tmp_path / "a.heic", quality=100)
    for source in (tmp_path / "a.heic", (tmp_path / "a.heic").read_bytes()):
        result = read_image(source)
        assert_rgb(result, pixels.shape)
        assert np.abs(result[8:40, 8:56].astype(int) - pixels[8:40, 8:56]).mean() < 12
