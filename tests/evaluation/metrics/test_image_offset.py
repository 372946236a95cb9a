"""The offset of labels is found on drawn faces that were labeled beside their place."""

import cv2
import numpy as np
import pytest

from annotated import face_points
from rdrface.datasets.records import FaceRecords
from rdrface.evaluation.metrics.image_offset import LEAST, closed_lips, measure_offset, mirror_axis, near_frontal, peak
from rdrface.geometry.boxes import bounding_boxes

SIZE = 160
FACES = 40


def drawn_faces(folder, offset, count=FACES):
    """Symmetric faces, each turned in the picture, lit from one side and noisy; labels off by `offset` percent."""
    rng = np.random.default_rng(3)
    # A face eight times as large, so that its edges are smooth in the photo.
    face = face_points(center=(640, 640), side=640)
    large = np.full((1280, 1280), 150, np.uint8)
    for eye in (face[36:42], face[42:48]):
        cv2.ellipse(large, tuple(eye.mean(0).astype(int).tolist()), (60, 22), 0, 0, 360, 40, -1)
    for brow in (face[17:22], face[22:27]):
        cv2.polylines(large, [brow.astype(np.int32)], False, 70, 16)
    cv2.ellipse(large, tuple(face[33].astype(int).tolist()), (70, 25), 0, 0, 360, 100, -1)
    face[60:68, 1] = face[48:60, 1].mean()  # closed lips
    cv2.line(large, *(tuple(face[i].astype(int).tolist()) for i in (60, 64)), 30, 14)
    points, images = np.empty((count, 68, 2)), []
    for i in range(count):
        angle, scale = rng.uniform(-0.3, 0.3), rng.uniform(0.1, 0.15)
        turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        matrix = np.column_stack([turn, rng.uniform(70, 90, 2) - turn @ (640, 640)])
        light = np.linspace(0, rng.uniform(-60, 60), SIZE) + rng.normal(0, 4, (SIZE, SIZE))
        photo = cv2.warpAffine(large, matrix, (SIZE, SIZE), flags=cv2.INTER_AREA, borderValue=150)
        images.append(str(folder / f"{i}.png"))
        cv2.imwrite(images[-1], np.clip(photo + light, 0, 255).astype(np.uint8))
        at = face @ turn.T + matrix[:, 2]
        side = np.sqrt(np.ptp(at, axis=0).prod())
        # Along the face's own axes: what is measured is relative to the upright mean face.
        points[i] = at + np.array(offset) / 100 * side @ (turn / scale).T + rng.normal(0, 0.2, (68, 2))
    return FaceRecords(
        image=np.array(images),
        points=points,
        state=np.zeros((count, 68)),
        contour=np.full(count, "outline"),
        box=bounding_boxes(points),
        source=np.full(count, "drawn"),
        is_test=np.zeros(count, bool),
    )


@pytest.mark.parametrize("offset", [(0.0, 0.0), (1.2, -0.6), (-0.7, 0.9)])
def test_a_known_offset_is_found(tmp_path, offset):
    found = measure_offset(drawn_faces(tmp_path, offset), progress=False)
    assert found.faces == found.closed == FACES
    assert found.across == pytest.approx(offset[0], abs=0.12)
    assert found.down == pytest.approx(offset[1], abs=0.2)
    assert 0 < found.across_error < 0.12 and 0 < found.down_error < 0.2


def test_open_mouths_turned_faces_and_missing_points_are_left_out(tmp_path):
    records = drawn_faces(tmp_path, (0, 0))
    records.points[:3, 65:68, 1] += 5
    records.points[3:7, 30, 0] += 10
    records.points[7, 40] = np.nan
    found = measure_offset(records, progress=False)
    assert (found.faces, found.closed) == (FACES - 5, FACES - 8)
    records.points[:, 60:68] = np.nan  # a set without inner lips
    found = measure_offset(records, progress=False)
    assert found.closed == 0 and np.isnan(found.down) and abs(found.across) < 0.15


def test_too_few_faces_give_no_number(tmp_path):
    found = measure_offset(drawn_faces(tmp_path, (0, 0), LEAST - 1), progress=False)
    assert found.faces == LEAST - 1 and np.isnan(found.across) and np.isnan(found.down)


def test_near_frontal_and_closed_lips_by_the_labels():
    points = np.stack([face_points()] * 2)
    points[1, 30, 0] += 4
    assert near_frontal(points).tolist() == [True, False]
    assert not closed_lips(points, np.full(2, 60.0)).any()


def test_mirror_axis_and_peak_between_samples():
    x = np.arange(141.0)
    image = np.tile(-np.exp(-(((np.abs(x - 73.4) - 25) / 6) ** 2)), (20, 1))
    assert mirror_axis(image) == pytest.approx(3.4 / 2, abs=0.02)
    assert peak(-((np.arange(9.0) - 4.3) ** 2)) == pytest.approx(4.3)
