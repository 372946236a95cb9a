"""Offset of annotations, measured on drawn faces that are annotated with a known offset."""

import cv2
import numpy as np
import pytest

from annotated import face_points
from rdrface.datasets.records import FaceRecords
from rdrface.evaluation.metrics.image_offset import (
    MIN_FACES,
    closed_lips,
    measure_image_offset,
    mirror_axis,
    near_frontal,
    peak,
)
from rdrface.geometry.boxes import bounding_boxes

SIZE = 160
FACES = 40


def drawn_faces(folder, offset, count=FACES):
    """Records of symmetric, rotated, noisy faces lit from one side, annotated with an offset of `offset` percent."""
    rng = np.random.default_rng(3)
    # Drawn eight times as large, so that the edges are smooth in the image.
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
        rotation = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        matrix = np.column_stack([rotation, rng.uniform(70, 90, 2) - rotation @ (640, 640)])
        light = np.linspace(0, rng.uniform(-60, 60), SIZE) + rng.normal(0, 4, (SIZE, SIZE))
        drawn = cv2.warpAffine(large, matrix, (SIZE, SIZE), flags=cv2.INTER_AREA, borderValue=150)
        images.append(str(folder / f"{i}.png"))
        cv2.imwrite(images[-1], np.clip(drawn + light, 0, 255).astype(np.uint8))
        at = face @ rotation.T + matrix[:, 2]
        size = np.sqrt(np.ptp(at, axis=0).prod())
        # Along the axes of the face: the offset is measured on the upright mean face.
        points[i] = at + np.array(offset) / 100 * size @ (rotation / scale).T + rng.normal(0, 0.2, (68, 2))
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
def test_known_offset_is_measured(tmp_path, offset):
    measured = measure_image_offset(drawn_faces(tmp_path, offset), progress=False)
    assert measured.faces == measured.closed_mouths == FACES
    assert measured.horizontal == pytest.approx(offset[0], abs=0.12)
    assert measured.vertical == pytest.approx(offset[1], abs=0.2)
    assert 0 < measured.horizontal_error < 0.12 and 0 < measured.vertical_error < 0.2


def test_open_mouths_turned_faces_and_missing_points_are_left_out(tmp_path):
    records = drawn_faces(tmp_path, (0, 0))
    records.points[:3, 65:68, 1] += 5
    records.points[3:7, 30, 0] += 10
    records.points[7, 40] = np.nan
    measured = measure_image_offset(records, progress=False)
    assert (measured.faces, measured.closed_mouths) == (FACES - 5, FACES - 8)
    records.points[:, 60:68] = np.nan  # a set without inner lip points
    measured = measure_image_offset(records, progress=False)
    assert measured.closed_mouths == 0 and np.isnan(measured.vertical) and abs(measured.horizontal) < 0.15


def test_too_few_faces_give_nan(tmp_path):
    measured = measure_image_offset(drawn_faces(tmp_path, (0, 0), MIN_FACES - 1), progress=False)
    assert measured.faces == MIN_FACES - 1 and np.isnan(measured.horizontal) and np.isnan(measured.vertical)


def test_near_frontal_faces_and_closed_lips_are_recognized_by_their_annotations():
    points = np.stack([face_points()] * 2)
    points[1, 30, 0] += 4
    assert near_frontal(points).tolist() == [True, False]
    assert not closed_lips(points, np.full(2, 60.0)).any()


def test_mirror_axis_and_peak_are_found_between_samples():
    x = np.arange(141.0)
    image = np.tile(-np.exp(-(((np.abs(x - 73.4) - 25) / 6) ** 2)), (20, 1))
    assert mirror_axis(image) == pytest.approx(3.4 / 2, abs=0.02)
    assert peak(-((np.arange(9.0) - 4.3) ** 2)) == pytest.approx(4.3)
