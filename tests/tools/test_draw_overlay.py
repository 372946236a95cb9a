"""The tool that draws the pictures of docs/drawing.md: its rendered faces."""

from pathlib import Path

import numpy as np
import pytest

from rdrface.morphable.model import FaceModel

TOOLS = Path(__file__).resolve().parents[2] / "tools"


def test_the_landmarks_of_a_rendered_face_are_on_its_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("skimage.data")
    monkeypatch.syspath_prepend(str(TOOLS))
    import draw_overlay as tool

    image, face = tool.rendered(FaceModel.load(), 80, seed=4)
    assert image.shape == (tool.SIDE, tool.SIDE, 3)
    visible = face.visibility > 0.5
    assert 30 < visible.sum() < 68
    inner = np.flatnonzero(visible[17:]) + 17
    column, row = np.rint(face.landmarks[inner]).astype(int).T
    # On the outline, a landmark can be half a pixel outside.
    assert (image[row, column].min(axis=1) < 250).mean() > 0.8
    column, row = np.rint(face.landmarks[:8]).astype(int).T
    assert (image[row, column] < 250).any(axis=1).all()
