"""Bins of absolute yaw."""

import numpy as np

from rdrface.geometry.yaw_bins import YAW_BIN_NAMES, YAW_BINS, yaw_index


def test_an_edge_belongs_to_the_lower_bin():
    yaw = np.array([0, 30, -30, 30.001, -60, 60.001, 90])
    np.testing.assert_array_equal(yaw_index(yaw), [0, 0, 0, 1, 1, 2, 2])


def test_faces_beyond_90_degrees_are_in_the_last_bin_and_unknown_yaws_are_in_no_bin():
    np.testing.assert_array_equal(yaw_index(np.array([-97, np.nan])), [2, -1])


def test_names_match_the_edges():
    assert tuple(f"{'[' if low == 0 else '('}{low:g},{high:g}]" for low, high in YAW_BINS) == YAW_BIN_NAMES
