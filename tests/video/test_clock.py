"""Times of frames whose timestamps are missing, equal, or go back."""

import itertools

import pytest

from rdrface.video.clock import Clock


def times(timestamps):
    clock = Clock(0.04)
    return [clock.time(one) for one in timestamps], clock.num_estimated


def test_good_timestamps_do_not_change():
    given = [0.5, 0.533, 0.6, 5.0]
    assert times(given) == (given, 0)


def test_missing_timestamps_continue_at_the_frame_rate():
    found, estimated = times([None, None, 0.1, None])
    assert found == pytest.approx([0, 0.04, 0.1, 0.14]) and estimated == 3


def test_an_equal_timestamp_is_moved_and_the_following_ones_stay():
    found, estimated = times([0.0, 0.04, 0.04, 0.08, 0.12])
    assert found[:2] == [0.0, 0.04] and 0.04 < found[2] < 0.08 and found[3:] == [0.08, 0.12] and estimated == 1


def test_equal_timestamps_only_still_give_about_the_frame_rate():
    found, _ = times([0.0] * 26)
    assert all(b > a for a, b in itertools.pairwise(found)) and found[-1] == pytest.approx(1.0, abs=0.05)


def test_after_a_jump_back_the_times_continue_without_a_gap():
    found, estimated = times([10.0, 10.04, 0.0, 0.04, 0.08])
    assert found == pytest.approx([10.0, 10.04, 10.08, 10.12, 10.16]) and estimated == 1
