"""WFLW's protocol on faces with known errors, and its 98 points from 68 points and from the mesh."""

import numpy as np
import pytest

from rdrface.datasets.records import FaceRecords
from rdrface.evaluation.predictions.interpolate import interpolated_landmarks
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.protocols import wflw
from rdrface.evaluation.protocols.notes import UNVERIFIED
from rdrface.morphable.schemes import WFLW98_BROWS, WFLW98_MIRROR
from some_face import some_face

LOWER_BROWS = sorted(WFLW98_BROWS)
SOURCES = ["wflw/test/pose+blur", "wflw/test", "wflw/test/pose", "wflw/test"]


def annotated() -> FaceRecords:
    """Four faces whose outer eye corners are 100 px apart."""
    points = np.random.default_rng(0).uniform(0, 300, (4, 98, 2))
    points[:, 60], points[:, 72] = (50, 80), (150, 80)
    return FaceRecords(
        image=np.array([f"{i}.jpg" for i in range(4)]),
        points=points,
        state=np.zeros((4, 98)),
        box=np.concatenate([points.min(1), points.max(1)], 1),
        source=np.array(SOURCES),
        is_test=np.ones(4, bool),
    )


def predicted(faces: FaceRecords) -> np.ndarray:
    """Errors of 2, 4 and 12 % and a face that was not found."""
    points = faces.points + np.array([2.0, 4, 12, np.nan])[:, None, None] * [1, 0]
    points[3] = np.nan
    return points


def row(table, name: str) -> tuple:
    (found,) = [row for row in table.rows if row.name == name and not row.quoted]
    return found.cells


def test_errors_and_subsets() -> None:
    faces = annotated()
    values = wflw.errors(faces, Predictions({"landmarks": predicted(faces)}))
    assert list(values) == ["landmarks", "landmarks, 90 points"]
    np.testing.assert_allclose(values["landmarks"], [2, 4, 12, np.nan])
    nmes, failures, areas = wflw.tables(faces, Predictions({"landmarks": predicted(faces)}))
    full, pose, expression, *_, blur = row(nmes, "rdrface landmarks")
    assert (full, pose, blur) == pytest.approx((6, 7, 2)) and np.isnan(expression)
    assert row(failures, "rdrface landmarks")[:2] == pytest.approx(
        (50, 50)
    )  # one of 12 % and one not found of four; one of 12 % of two
    assert row(areas, "rdrface landmarks")[:2] == pytest.approx((100 * (0.8 + 0.6) / 4, 40))
    assert row(nmes, "faces") == (4, 2, 0, 0, 0, 0, 1)
    assert "1 of 4 faces were not found" in nmes.to_text() and UNVERIFIED in nmes.to_text()
    assert "[1] quoted, not measured here: Wu et al., CVPR 2018" in nmes.to_text()


def test_a_method_without_lower_brows_is_compared_on_90_points() -> None:
    faces = annotated()
    points = predicted(faces)
    points[:, LOWER_BROWS] = np.nan
    other = Predictions({"": points}, method="dlib")
    np.testing.assert_allclose(wflw.errors(faces, other)["90 points"], [2, 4, 12, np.nan])
    assert list(wflw.errors(faces, other)) == ["90 points"]
    text = wflw.tables(faces, other)[0].to_text()
    assert (
        "dlib 90 points" in text
        and "does not predict, not counted for any face: 38, 39, 40, 41, 47, 48, 49, 50" in text
    )
    ours = predicted(faces)
    ours[:, LOWER_BROWS] += 50
    values = wflw.errors(faces, Predictions({"landmarks": ours}))
    np.testing.assert_allclose(values["landmarks, 90 points"][:3], [2, 4, 12])
    assert (values["landmarks"][:3] > values["landmarks, 90 points"][:3] + 4).all()


def test_tables_are_made_when_no_face_was_found() -> None:
    faces = annotated()
    nmes, failures, _ = wflw.tables(faces, Predictions({"landmarks": np.full((4, 98, 2), np.nan)}))
    assert np.isnan(row(nmes, "rdrface landmarks")[0]) and row(failures, "rdrface landmarks")[0] == 100


def test_wrong_numbers_of_points_raise() -> None:
    faces = annotated()
    with pytest.raises(ValueError, match="98 points"):
        wflw.errors(faces, Predictions({"": faces.points[:, :68]}))
    with pytest.raises(ValueError, match="68"):
        wflw.from68(np.zeros((2, 98, 2)))


def test_98_points_from_68() -> None:
    face = some_face()
    missed = np.full((68, 2), np.nan)
    points, none = wflw.from68(np.stack([face.landmarks, missed]))
    assert np.isnan(none).all()
    assert np.flatnonzero(np.isnan(points).any(1)).tolist() == LOWER_BROWS
    known = face.landmarks.astype(np.float64)
    np.testing.assert_allclose(points[:33:2], known[:17])
    np.testing.assert_allclose(points[33:38], known[17:22])
    np.testing.assert_allclose(points[[42, 46, 51, 59, 60, 64, 68, 72]], known[[22, 26, 27, 35, 36, 39, 42, 45]])
    np.testing.assert_allclose(points[[76, 79, 82, 85, 88, 90, 92, 94]], known[[48, 51, 54, 57, 60, 62, 64, 66]])
    np.testing.assert_allclose(points[96], known[36:42].mean(0))
    # Every eyelid is divided into four parts of equal length, unlike by the 68.
    for lid in (points[60:65], points[[64, 65, 66, 67, 60]], points[68:73], points[[72, 73, 74, 75, 68]]):
        steps = np.linalg.norm(np.diff(lid, axis=0), axis=1)
        assert steps.max() < 1.1 * steps.min()


def test_outputs_use_the_68_and_take_lower_brows_and_pupils_from_the_mesh() -> None:
    face = some_face(size=200)
    ours = wflw.outputs(face)
    assert list(ours) == ["landmarks", "projection"]
    mesh = [*LOWER_BROWS, 96, 97]
    others = np.setdiff1d(np.arange(98), mesh)
    for points, landmarks in ((ours["landmarks"], face.landmarks), (ours["projection"], face.projection)):
        other = wflw.from68(landmarks[None])[0]
        np.testing.assert_allclose(points[others], other[others])
        # The pupils of the mesh are close to the mean of the eyes' points.
        assert np.linalg.norm(points[96:] - other[96:], axis=1).max() < 0.02 * face.size
    np.testing.assert_allclose(ours["landmarks"][mesh], interpolated_landmarks(face, "wflw98")[mesh])
    np.testing.assert_allclose(ours["projection"][mesh], face.points("wflw98")[mesh, :2])
    # The lower edge of a brow is below the upper one, by less than half the distance to the eyelid.
    for below, above, lid in ((39, 36, 63), (49, 43, 69)):
        down = (ours["landmarks"][lid] - ours["landmarks"][above]) / np.linalg.norm(
            ours["landmarks"][lid] - ours["landmarks"][above]
        )
        drop = (ours["landmarks"][below] - ours["landmarks"][above]) @ down
        assert 0.1 < drop / np.linalg.norm(ours["landmarks"][lid] - ours["landmarks"][above]) < 0.5


def test_the_mirrored_68_give_the_mirrored_98() -> None:
    from rdrface.landmarks import MIRROR

    known = some_face().landmarks.astype(np.float64)
    mirrored = (known * [-1, 1])[MIRROR]
    np.testing.assert_allclose(
        wflw.from68(mirrored[None])[0], (wflw.from68(known[None])[0] * [-1, 1])[WFLW98_MIRROR], atol=1e-9
    )
