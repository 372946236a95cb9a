"""Finding by how much labels lie beside the photos."""

from types import SimpleNamespace

import numpy as np
import pytest

from rdrface.evaluation.metrics.annotation_offset import balanced_landmarks, shifts, summary
from rdrface.landmarks import MIRROR


def test_shift_of_the_inner_points() -> None:
    rng = np.random.default_rng(0)
    predicted = rng.uniform(0, 100, (30, 68, 2))
    labels = predicted + np.array([0.9, -0.5])
    labels[:, :17] += 50.0  # the contour says nothing
    labels[:5] += 20.0  # nor do a few failed faces
    labels[:, 20] = np.nan
    labels[7] = np.nan
    found = summary(shifts(labels, predicted))
    np.testing.assert_allclose(found.offset, [0.9, -0.5], atol=1e-9)
    assert found.faces == 29
    counted = np.zeros((30, 68), bool)
    assert summary(shifts(labels, predicted, counted)).faces == 0


def test_the_standard_error_is_that_of_a_median() -> None:
    rng = np.random.default_rng(1)
    medians = [summary(rng.normal(size=(100, 2))) for _ in range(400)]
    spread = np.std([one.offset for one in medians], axis=0)
    np.testing.assert_allclose(np.mean([one.error for one in medians], axis=0), spread, rtol=0.15)


class LopsidedAligner:
    """Finds the bright pixel, a little to the right of it, and takes over a part of where the box is."""

    def align(self, photo: np.ndarray, boxes: np.ndarray) -> list[SimpleNamespace]:
        row, column = np.unravel_index(int(photo[..., 0].argmax()), photo.shape[:2])
        half = np.linspace(-10, 10, 68)
        shape = np.stack([half, half[MIRROR] ** 2 / 10], 1)
        symmetric = (shape + (shape * [-1, 1])[MIRROR]) / 2
        middle = np.array([column + 2.0, row])
        return [SimpleNamespace(landmarks=symmetric + 0.8 * middle + 0.2 * (box[:2] + box[2:]) / 2) for box in boxes]


@pytest.mark.parametrize(("rounds", "left"), [(1, 0.2), (2, 0.04)])
def test_the_average_with_the_mirror_image_favors_no_side(rounds: int, left: float) -> None:
    photo = np.zeros((60, 81, 3), np.uint8)
    photo[30, 47] = 255
    box = np.array([[38.0, 20, 58, 40]])  # its middle is 1 px right of the bright pixel
    points = balanced_landmarks(LopsidedAligner(), photo, box, rounds)
    assert points.shape == (1, 68, 2)
    assert points[0, :, 0].mean() - 47 == pytest.approx(left, abs=1e-6)
