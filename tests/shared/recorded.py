"""Frames with synthetic faces, for the tests of recordings."""

from dataclasses import replace

import numpy as np

from rdrface.face import Face, Parameters
from rdrface.recording import FrameRecord, RecordedFace
from some_face import some_face


def face_with(jaw_open: float = 0.4, **changes: object) -> Face:
    """`some_face` with another jawOpen coefficient."""
    face = some_face()
    expression = face.parameters.expression.copy()
    expression[list(face.blendshapes).index("jawOpen")] = jaw_open
    parameters = Parameters(face.parameters.pose, face.parameters.identity, expression)
    return replace(face, parameters=parameters, **changes)


def record(index: int, ids: tuple[int, ...] = (1,), time: float | None = None, jaw_open: float = 0.4) -> FrameRecord:
    """Frame `index` of a video of 25 frames a second, with these people."""
    faces = [RecordedFace(one, face_with(jaw_open)) for one in ids]
    return FrameRecord(index, index / 25 if time is None else time, 320, 240, faces)


def assert_same(found: FrameRecord, expected: FrameRecord, pixels: float) -> None:
    """Compare two frames; positions may differ by `pixels`."""
    assert (found.index, found.width, found.height) == (expected.index, expected.width, expected.height)
    assert abs(found.time - expected.time) < 1e-6
    assert [one.id for one in found.faces] == [one.id for one in expected.faces]
    for a, b in zip(found.faces, expected.faces, strict=True):
        for name in (
            "box",
            "landmarks",
            "landmarks_jawline",
            "landmarks_3d",
            "projection",
            "visibility",
            "uncertainty",
        ):
            np.testing.assert_allclose(getattr(a.face, name), getattr(b.face, name), atol=pixels)
        for name in ("pose", "identity", "expression"):
            np.testing.assert_allclose(
                getattr(a.face.parameters, name),
                getattr(b.face.parameters, name),
                rtol=1e-6,
                atol=1e-5 if pixels else 0,
            )
        assert abs(a.face.score - b.face.score) <= 1e-4
        np.testing.assert_allclose(a.face.mesh().vertices, b.face.mesh().vertices, atol=5 * pixels)
        assert (a.face.custom_landmarks is None) == (b.face.custom_landmarks is None)
