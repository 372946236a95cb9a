"""The packaged face model: symmetry, names, scale, file format, linear combination."""

import numpy as np
import pytest
import torch

from rdrface.errors import DataError
from rdrface.geometry.mesh import triangle_normals
from rdrface.morphable import FaceModel, PointModel
from rdrface.morphable.blend import blend
from rdrface.morphable.model import PACKAGED
from rdrface.morphable.params import NUM_EXPRESSION, NUM_IDENTITY
from rdrface.morphable.surface import positions

FLIP = np.array([-1, 1, 1], np.float32)


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return FaceModel.load()


def test_array_shapes_dtypes_and_file_size(model: FaceModel) -> None:
    count = len(model.mean)
    assert model.mean.shape == (count, 3) and model.uv.shape == (count, 2)
    assert model.identity_basis.shape == (NUM_IDENTITY, count, 3)
    assert model.expression_basis.shape == (NUM_EXPRESSION, count, 3)
    for name in ("mean", "identity_basis", "expression_basis", "identity_mirror"):
        assert getattr(model, name).dtype == np.float32
    assert model.triangles.dtype == np.int32 and model.triangles.max() == count - 1
    assert PACKAGED.stat().st_size < 5_000_000


def test_mean_face_is_symmetric_with_pupils_63_mm_apart(model: FaceModel) -> None:
    mirror = model.mirror_vertices
    np.testing.assert_array_equal(mirror[mirror], np.arange(len(mirror)))
    np.testing.assert_array_equal(model.mean[mirror] * FLIP, model.mean)
    left, right = positions(model.mean, model.triangles, model.points["eye_centers"])
    assert right[0] - left[0] == pytest.approx(63, abs=0.01)
    centroid = positions(model.mean, model.triangles, model.points["ibug68"]).mean(0)
    assert np.abs(centroid).max() < 0.5


def test_topology_is_symmetric(model: FaceModel) -> None:
    def canonical(triangles: np.ndarray) -> set[tuple[int, ...]]:
        # Rotations of a triangle are the same triangle; its reverse is not.
        return {tuple(np.roll(row, -row.argmin()).tolist()) for row in triangles}

    mirrored = model.mirror_vertices[model.triangles[:, ::-1]]
    assert canonical(model.triangles) == canonical(mirrored)


def test_bases_are_symmetric_up_to_sign_and_permutation(model: FaceModel) -> None:
    mirror = model.mirror_vertices
    signs = model.identity_mirror
    assert set(signs.tolist()) == {-1.0, 1.0}
    np.testing.assert_array_equal(model.identity_basis[:, mirror] * FLIP, model.identity_basis * signs[:, None, None])
    order = model.expression_mirror
    np.testing.assert_array_equal(order[order], np.arange(NUM_EXPRESSION))
    np.testing.assert_array_equal(model.expression_basis[:, mirror] * FLIP, model.expression_basis[order])
    for name, other in zip(model.expression_names, order, strict=True):
        partner = model.expression_names[other]
        swapped = name.replace("Left", "#").replace("Right", "Left").replace("#", "Right")
        assert partner == swapped


def test_mirrored_coefficients_give_the_mirrored_face(model: FaceModel) -> None:
    rng = np.random.default_rng(0)
    alpha_id = rng.normal(0, 1, (2, NUM_IDENTITY)).astype(np.float32)
    alpha_exp = rng.uniform(0, 1, (2, NUM_EXPRESSION)).astype(np.float32)
    face = model.shape(alpha_id, alpha_exp)
    other = model.shape(alpha_id * model.identity_mirror, alpha_exp[:, model.expression_mirror])
    np.testing.assert_allclose(other, face[:, model.mirror_vertices] * FLIP, atol=2e-4)


def test_expression_names_are_blendshape_names_of_arkit(model: FaceModel) -> None:
    names = set(model.expression_names)
    assert len(names) == len(model.expression_names) == NUM_EXPRESSION
    assert {"jawOpen", "eyeBlinkLeft", "mouthSmileRight", "browInnerUp", "cheekPuff", "noseSneerLeft"} <= names
    assert not names & {"tongueOut", "mouthClose", "eyeLookInLeft", "eyeLookOutRight"}
    # Left is the person's left, on the right of the image: +x.
    blink = model.expression_basis[model.expression_names.index("eyeBlinkLeft")]
    assert model.mean[np.linalg.norm(blink, axis=1).argmax(), 0] > 10


def test_blendshapes_move_the_part_that_they_name(model: FaceModel) -> None:
    landmarks = model.reduced(model.points["ibug68"])

    def moved(name: str, points: list[int]) -> np.ndarray:
        return landmarks.expression_basis[model.expression_names.index(name)][points].mean(0)

    assert moved("jawOpen", [8, 57, 66])[1] < -20
    assert moved("browInnerUp", [21, 22])[1] > 3
    assert moved("mouthSmileLeft", [54])[0] > 2
    assert moved("eyeBlinkRight", [37, 38])[1] < -3 and abs(moved("eyeBlinkRight", [43, 44])).max() < 0.5


def test_identity_modes_are_sorted_and_plausible(model: FaceModel) -> None:
    landmarks = model.reduced(model.points["ibug68"])
    std = np.sqrt((landmarks.identity_basis**2).sum((0, 2)))
    assert 2 < std.mean() < 8  # mm, of a landmark over people
    size = (model.identity_basis**2).mean((1, 2))
    assert size[:5].mean() > 4 * size[-5:].mean()


def test_triangles_face_outwards(model: FaceModel) -> None:
    corners = model.mean[model.triangles]
    normal = triangle_normals(corners)
    front = positions(model.mean, model.triangles, model.points["ibug68"])[[30, 33, 51, 57, 8, 22, 21]]
    assert (normal[model.points["ibug68"].triangle[[30, 51, 22, 21]], 2] > 0).all()
    assert np.isfinite(front).all()
    # The signed volume is positive if most normals point away from the origin.
    assert (corners.sum(axis=1) * normal).sum() > 0


def test_the_mesh_is_dense_on_the_face(model: FaceModel) -> None:
    edges = np.sort(np.concatenate([model.triangles[:, [0, 1]], model.triangles[:, [1, 2]]]), 1)
    edges = np.unique(edges, axis=0)
    ends = model.mean[edges]
    inside = (np.abs(ends[..., 0]) < 60).all(1) & (ends[..., 2] > -40).all(1) & (np.abs(ends[..., 1]) < 70).all(1)
    assert np.median(np.linalg.norm(ends[inside, 0] - ends[inside, 1], axis=1)) < 4


def test_blend_is_the_same_in_torch(model: FaceModel) -> None:
    points = model.reduced(model.points["ibug68"])
    assert isinstance(points, PointModel)
    rng = np.random.default_rng(1)
    alpha_id = rng.normal(0, 1, (3, NUM_IDENTITY)).astype(np.float32)
    alpha_exp = rng.uniform(0, 1, (3, NUM_EXPRESSION)).astype(np.float32)
    arrays = (points.mean, points.identity_basis, points.expression_basis, alpha_id, alpha_exp)
    from_torch = blend(*(torch.from_numpy(x) for x in arrays))
    assert isinstance(from_torch, torch.Tensor)
    np.testing.assert_allclose(from_torch.numpy(), points.shape(alpha_id, alpha_exp), atol=1e-3)
    vertices = model.shape(alpha_id, alpha_exp)
    expected = np.stack([positions(v, model.triangles, model.points["ibug68"]) for v in vertices])
    np.testing.assert_allclose(points.shape(alpha_id, alpha_exp), expected, atol=1e-3)


def test_blend_reports_wrong_numbers_of_coefficients(model: FaceModel) -> None:
    with pytest.raises(ValueError, match=r"alpha_id \(B, 50\)"):
        model.shape(np.zeros((1, NUM_IDENTITY - 1), np.float32), np.zeros((1, NUM_EXPRESSION), np.float32))


def test_a_saved_and_loaded_model_has_the_same_bytes(model: FaceModel, tmp_path) -> None:
    model.save(tmp_path / "a.safetensors")
    loaded = FaceModel.load(tmp_path / "a.safetensors")
    np.testing.assert_array_equal(loaded.identity_basis, model.identity_basis)
    assert loaded.points.keys() == model.points.keys() and loaded.expression_names == model.expression_names
    assert (tmp_path / "a.safetensors").read_bytes() == PACKAGED.read_bytes()


def test_load_reports_missing_and_damaged_files(tmp_path) -> None:
    with pytest.raises(DataError, match=r"rdrface\.model_building\.build"):
        FaceModel.load(tmp_path / "missing.safetensors")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"not a model")
    with pytest.raises(DataError, match="damaged"):
        FaceModel.load(broken)
