"""The packaged texture layout is what the script computes."""

import numpy as np
import pytest

from rdrface.face import packaged_model
from rdrface.scene.layout import packaged_layout


def test_the_packaged_layout_is_reproduced():
    pytest.importorskip("cv2")
    pytest.importorskip("scipy")
    from rdrface.model_building.texture_layout import texture_layout

    built, packaged = texture_layout(packaged_model()), packaged_layout()
    for name, values in vars(packaged).items():
        np.testing.assert_allclose(getattr(built, name), values, atol=1e-4 if name == "uv" else 0.05)
