"""Choice of the held-out images in fine-tuning."""

import numpy as np
import pytest

pytest.importorskip("torch")

from rdrface.finetuning.validation import held_out


def test_a_tenth_is_held_out_by_file_name_alone() -> None:
    images = np.array([f"{i}.jpg" for i in range(30)])
    chosen = held_out(images)
    assert chosen.sum() == 3
    elsewhere = held_out(images[::-1])
    np.testing.assert_array_equal(elsewhere, chosen[::-1])
    assert held_out(images[:4]).sum() == 1
