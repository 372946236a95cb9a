"""Constant offset between annotations and images."""

from types import SimpleNamespace

import numpy as np
import pytest

from rdrface.evaluation.metrics.annotation_offset import (
    median_offset,
    mirror_averaged_landmarks,
    offsets_by_face,
)
from rdrface.landmarks import MIRROR


def test_offset_is_the_median_over_faces_of_the_inner_points() -> None:
    rng = np.random.default_rng(0)
    predicted = rng.uniform(0, 100, (30, 68, 2))
    annotated = predicted + np.array([0.9, -0.5])
    annotated[:, :17] += 50.0  # the contour is not used
    annotated[:5] += 20.0  # the median ignores a few failed faces
    annotated[:, 20] = np.nan
    annotated[7] = np.nan
    estimate = median_offset(offsets_by_face(annotated, predicted))
    np.testing.assert_allclose(estimate.offset, [0.9, -0.5], atol=1e-9)
    assert estimate.faces == 29
    counted = np.zeros((30, 68), bool)
    assert median_offset(offsets_by_face(annotated, predicted, counted)).faces == 0


def test_the_standard_error_is_that_of_a_median() -> None:
    rng = np.random.default_rng(1)
    medians = [median_offset(rng.normal(size=(100, 2))) for _ in range(400)]
    std = np.std([one.offset for one in medians], axis=0)
    np.testing.assert_allclose(np.mean([one.standard_error for one in medians], axis=0), std, rtol=0.15)


class BiasedAligner:
    """Places the landmarks to the right of the bright pixel, and moves them partly towards the middle of the box."""

    def align(self, image: np.ndarray, boxes: np.ndarray) -> list[SimpleNamespace]:
        row, column = np.unravel_index(int(image[..., 0].argmax()), image.shape[:2])
        half = np.linspace(-10, 10, 68)
        shape = np.stack([half, half[MIRROR] ** 2 / 10], 1)
        symmetric = (shape + (shape * [-1, 1])[MIRROR]) / 2
        middle = np.array([column + 2.0, row])
        return [SimpleNamespace(landmarks=symmetric + 0.8 * middle + 0.2 * (box[:2] + box[2:]) / 2) for box in boxes]


@pytest.mark.parametrize(("rounds", "bias"), [(1, 0.2), (2, 0.04)])
def test_average_with_the_mirror_image_has_no_bias_to_one_side(rounds: int, bias: float) -> None:
    image = np.zeros((60, 81, 3), np.uint8)
    image[30, 47] = 255
    box = np.array([[38.0, 20, 58, 40]])  # its middle is 1 px to the right of the bright pixel
    points = mirror_averaged_landmarks(BiasedAligner(), image, box, rounds)
    assert points.shape == (1, 68, 2)
    assert points[0, :, 0].mean() - 47 == pytest.approx(bias, abs=1e-6)
