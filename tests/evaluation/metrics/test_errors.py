"""Normalized mean error, normalizers and yaw bins on hand-made faces."""

import numpy as np
import pytest

from rdrface.evaluation.metrics.errors import angle_errors, bounding_box_size, by_yaw, interocular, mean_of_counted, nme


def faces_with_box(count=1, points=68, width=40.0, height=10.0):
    """Faces whose landmark box is `width` x `height` pixels, with one corner at the origin."""
    truth = np.random.default_rng(0).uniform(0.2, 0.8, (count, points, 2)) * [width, height]
    truth[:, 0] = (0, 0)
    truth[:, 1] = (width, height)
    return truth


def test_nme_of_known_displacements():
    truth = faces_with_box()
    size = bounding_box_size(truth)
    np.testing.assert_allclose(size, 20.0)
    assert nme(truth, truth, size)[0] == 0
    np.testing.assert_allclose(nme(truth + np.array([3, 4]), truth, size), 25.0)  # 5 px of 20
    moved = truth.copy()
    moved[0, 7] += [6.8, 0]
    np.testing.assert_allclose(nme(moved, truth, size), 100 * 6.8 / 68 / 20)


def test_nme_counts_only_masked_points_with_a_position():
    truth = faces_with_box(3)
    size = bounding_box_size(truth)
    moved = truth.copy()
    moved[:, 10] += [10, 0]
    truth[0, 10] = np.nan
    mask = np.ones(68, bool)
    mask[20:] = False
    np.testing.assert_allclose(nme(moved, truth, size, mask), [0, 50 / 20, 50 / 20])
    per_face = np.zeros((3, 68), bool)
    per_face[1, 10] = True
    np.testing.assert_allclose(nme(moved, truth, size, per_face), [np.nan, 50, np.nan])


def test_nme_is_nan_for_missed_faces_and_rejects_partly_predicted_faces():
    truth = faces_with_box(2)
    predicted = truth.copy()
    predicted[1] = np.nan
    np.testing.assert_array_equal(nme(predicted, truth, bounding_box_size(truth)), [0, np.nan])
    predicted[0, 3] = np.nan
    with pytest.raises(ValueError, match="face 0 has predictions for only some"):
        nme(predicted, truth, bounding_box_size(truth))


def test_normalizers_and_their_errors():
    truth = faces_with_box(2)
    truth[:, 36] = (10, 5)
    truth[:, 45] = (13, 9)
    np.testing.assert_allclose(interocular(truth), 5)
    truth[0, 0] = np.nan  # the box is that of the remaining points
    assert bounding_box_size(truth)[0] < 20 == bounding_box_size(truth)[1]
    truth[1, 36] = np.nan
    with pytest.raises(ValueError, match="face 1: the distance between the outer eye corners"):
        interocular(truth)
    with pytest.raises(ValueError, match="face 0 has no point with a position"):
        bounding_box_size(np.full((1, 68, 2), np.nan))
    with pytest.raises(ValueError, match="must be positive"):
        bounding_box_size(np.zeros((1, 68, 2)))


@pytest.mark.parametrize(
    ("predicted", "truth", "size", "message"),
    [
        (np.zeros((2, 68, 2)), np.zeros((2, 51, 2)), np.ones(2), "must both be"),
        (np.zeros((2, 68, 3)), np.zeros((2, 68, 3)), np.ones(2), "must both be"),
        (np.zeros((2, 68, 2)), np.zeros((2, 68, 2)), np.ones(3), "one normalizer per face"),
        (np.zeros((2, 68, 2)), np.zeros((2, 68, 2)), np.array([1, 0]), "face 1: the normalizer"),
    ],
)
def test_nme_rejects_wrong_shapes_and_normalizers(predicted, truth, size, message):
    with pytest.raises(ValueError, match=message):
        nme(predicted, truth, size)


def test_yaw_bins_include_their_upper_edge():
    yaw = np.array([0, 30, -30, 30.001, -60, 60.001, 90, -97])
    result = by_yaw(np.array([1.0, 2, 3, 4, 6, 7, 8, 12]), yaw)
    assert result.counts == (3, 2, 3)
    assert result.bins == (2, 5, 9)
    assert result.mean_of_bins == pytest.approx(16 / 3)
    assert result.mean == pytest.approx(43 / 8)


def test_empty_bins_are_nan_and_missed_faces_are_not_counted():
    result = by_yaw(np.array([1.0, np.nan, 3.0]), np.array([5, 10, 45]))
    assert result.counts == (1, 1, 0) and result.mean == 2
    assert np.isnan(result.bins[2]) and np.isnan(result.mean_of_bins)
    assert np.isnan(mean_of_counted(np.array([np.nan])))
    with pytest.raises(ValueError, match="yaw contains NaN"):
        by_yaw(np.ones(2), np.array([1, np.nan]))
    with pytest.raises(ValueError, match="must both be"):
        by_yaw(np.ones(2), np.ones(3))


def test_angle_errors_wrap_at_180_degrees():
    np.testing.assert_allclose(angle_errors([179, -179, 10], [-179, 179, 4]), [-2, 2, 6])
