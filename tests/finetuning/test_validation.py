"""Choice of the held-out images in fine-tuning."""

import numpy as np
import pytest

pytest.importorskip("torch")

from rdrface.finetuning.validation import held_out


def test_a_tenth_is_held_out_by_file_name_alone() -> None:
    images = tuple(f"/a/{i}.jpg" for i in range(30))
    chosen = held_out(images)
    assert chosen.sum() == 3
    elsewhere = held_out(tuple(f"/b/{i}.jpg" for i in reversed(range(30))))
    np.testing.assert_array_equal(elsewhere, chosen[::-1])
    assert held_out(images[:4]).sum() == 1
