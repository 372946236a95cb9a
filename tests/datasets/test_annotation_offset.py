"""Removal of annotation offsets, and invalid options."""

from dataclasses import replace

import numpy as np
import pytest

from annotated import records_of
from rdrface.datasets.annotation_offset import check_offset, parse_offset, without_offset
from rdrface.errors import ConfigError


def faces(folder, sources):
    records = records_of(folder, len(sources), fitted=False)
    return replace(records, source=np.array(sources), jawline_contour=records.points[:, :17] + 1)


def test_the_longest_match_is_used_and_matches_end_at_a_slash(tmp_path):
    records = faces(tmp_path, ["300w/helen/trainset", "300w/afw", "300w_lp/AFW", "merl_rav/left/trainset"])
    moved = without_offset(records, {"300w/helen": [0.4, 0.8], "300w": [1, 0]})
    side = np.sqrt((records.box[:, 2:] - records.box[:, :2]).prod(1))
    back = (records.points - moved.points) / side[:, None, None] * 100
    expected = np.array([[0.4, 0.8], [1, 0], [0, 0], [0, 0]])
    np.testing.assert_allclose(back, np.broadcast_to(expected[:, None], (4, 68, 2)), atol=1e-4)
    jawline = (records.jawline_contour - moved.jawline_contour) / side[:, None, None] * 100
    np.testing.assert_allclose(jawline, back[:, :17], atol=1e-4)
    np.testing.assert_allclose((records.box - moved.box) / side[:, None] * 100, np.tile(expected, 2), atol=1e-4)


def test_fitted_records_are_refused(tmp_path):
    with pytest.raises(ValueError, match="before the fit"):
        without_offset(records_of(tmp_path, 2), {})


@pytest.mark.parametrize("value", [0.95, [0.4], [0.4, "x"], [0.4, float("nan")], [True, 0.1], [1, 2, 3]])
def test_an_offset_is_two_numbers(value):
    with pytest.raises(ConfigError, match=r"'300w' must be two numbers.*percent"):
        check_offset({"300w": value})


def test_command_line_options_are_parsed():
    assert parse_offset(["300w/helen=0.4,-0.4", "300w/afw=1,0"]) == {"300w/helen": (0.4, -0.4), "300w/afw": (1.0, 0.0)}
    for option in ("0.95", "300w=0.4", "300w=a,b", "300w=1,2,3"):
        with pytest.raises(ConfigError, match=f"PART=DX,DY .*got '{option}'"):
            parse_offset([option])
    with pytest.raises(ConfigError, match="must be two numbers"):
        parse_offset(["300w=nan,1"])
    with pytest.raises(ConfigError, match="given twice for '300w'"):
        parse_offset(["300w=0,1", "300w=0,2"])
