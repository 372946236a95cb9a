"""Cutting out the faces of a dataset: geometry and labels of packed crops."""

import numpy as np
import pytest
from PIL import Image

from annotated import records_of, write_photo
from rdrface.crop import EXPANSION, CropFrame, cut
from rdrface.datasets.crops import MARGIN
from rdrface.datasets.packing import pack
from rdrface.datasets.records import FaceRecords
from rdrface.errors import ImageError
from rdrface.geometry.camera import project
from rdrface.image import read_image
from rdrface.morphable.params import POSE


def replaced(records, **changes):
    return FaceRecords(**{**records.__dict__, **changes})


def test_the_packed_crop_is_an_enlarged_crop(tmp_path):
    records = records_of(tmp_path, 3)
    packed = pack(records, size=96)
    assert packed.images.shape == (3, 96, 96, 3) and packed.images.dtype == np.uint8
    assert packed.size == 96 and len(packed) == 3 and packed.margin == MARGIN
    # The landmark box is in the center of the packed crop; its side is 2 / (EXPANSION * margin).
    low, high = packed.outline.min(1), packed.outline.max(1)
    np.testing.assert_allclose(low + high, 0, atol=1e-5)
    np.testing.assert_allclose(np.sqrt((high - low).prod(1)), 2 / (EXPANSION * MARGIN), rtol=1e-4)
    frame = CropFrame.from_boxes(records.box)
    expected = cut(read_image(records.image[1]), CropFrame(frame.center[1:2], frame.half[1:2] * MARGIN), 96)[0]
    centers = (2 * np.arange(96) + 1) / 96 - 1
    x0, y0, x1, y1 = packed.valid[1]
    inside = ((centers > y0) & (centers < y1))[:, None] & ((centers > x0) & (centers < x1))
    np.testing.assert_allclose(packed.images[1].transpose(2, 0, 1), np.where(inside, expected, 0), atol=0.51)
    np.testing.assert_allclose(packed.resolution, 2 * frame.half * MARGIN / 96, rtol=1e-5)


def test_labels_and_pixels_agree(tmp_path):
    """A bright spot drawn at a landmark is at the position of the packed landmark."""
    records = records_of(tmp_path, 1)
    y, x = np.mgrid[0:120, 0:120]
    for landmark in (8, 36, 54):
        px, py = records.points[0, landmark]
        spot = 255 * np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * 2.0**2))
        Image.fromarray(np.repeat(spot.round().astype(np.uint8)[..., None], 3, 2)).save(tmp_path / "face0.png")
        packed = pack(records, size=200)
        image = packed.images[0, :, :, 0].astype(float)
        axis = (2 * np.arange(200) + 1) / 200 - 1
        found = [(image.sum(0) * axis).sum() / image.sum(), (image.sum(1) * axis).sum() / image.sum()]
        np.testing.assert_allclose(found, packed.points[0, landmark], atol=0.1 / 100)  # a tenth of a pixel


def test_the_packed_pose_projects_to_the_same_positions(tmp_path):
    records = records_of(tmp_path, 4)
    packed = pack(records, size=32)
    shape = np.random.default_rng(0).normal(0, 50, (4, 20, 3))
    in_image = project(shape, records.Q[:, POSE].astype(np.float64))
    in_pack = project(shape, packed.Q[:, POSE].astype(np.float64))
    frame = CropFrame.from_boxes(records.box)
    frame = CropFrame(frame.center, frame.half * MARGIN)
    np.testing.assert_allclose(in_pack, frame.to_crop(in_image), atol=1e-4)
    np.testing.assert_array_equal(packed.Q[:, :50], records.Q[:, :50])
    np.testing.assert_array_equal(packed.Q[:, 57:], records.Q[:, 57:])


def test_valid_is_the_part_inside_the_image(tmp_path):
    records = records_of(tmp_path, 2)
    white = Image.new("RGB", (120, 120), (255, 255, 255))
    white.save(tmp_path / "face0.png")
    moved = records.points.copy()
    moved[0, :, 0] -= 35
    packed = pack(replaced(records, points=moved, outline=moved), size=128)
    axis = (2 * np.arange(128) + 1) / 128 - 1
    lit = packed.images[0, :, :, 0] > 127
    x0, y0, x1, y1 = packed.valid[0]
    np.testing.assert_array_equal(lit.any(0), (axis > x0) & (axis < x1))
    np.testing.assert_array_equal(lit.any(1), (axis > y0) & (axis < y1))
    assert x0 > -0.8 and y0 >= -1 and x1 <= 1


def test_records_without_a_fit_have_nan_labels_of_the_fit(tmp_path):
    records = records_of(tmp_path, 3, fitted=False)
    points = records.points.copy()
    points[0, :17] = np.nan
    packed = pack(replaced(records, points=points, contour=np.array(["outline", "jawline", "outline"])), size=32)
    assert np.isnan(packed.Q).all() and np.isnan(packed.outline).all() and np.isnan(packed.residual).all()
    assert np.isnan(packed.points[0, :17]).all() and np.isfinite(packed.points[0, 17:]).all()
    assert packed.jawline_convention.tolist() == [False, True, False]


def test_two_faces_in_one_image_keep_their_order(tmp_path):
    records = records_of(tmp_path, 3)
    shared = records.image.copy()
    shared[2] = shared[0]
    together = pack(replaced(records, image=shared), size=48)
    write_photo(tmp_path / "face2.png", seed=0)
    np.testing.assert_array_equal(together.images, pack(records, size=48).images)


def test_invalid_arguments_and_missing_images_are_refused(tmp_path):
    records = records_of(tmp_path, 2)
    with pytest.raises(ValueError, match="size >= 16"):
        pack(records, size=8)
    with pytest.raises(ValueError, match="at least one face"):
        pack(records.select([]))
    with pytest.raises(ImageError, match=r"missing\.png"):
        pack(replaced(records, image=np.array([str(tmp_path / "face0.png"), str(tmp_path / "missing.png")])), size=32)
