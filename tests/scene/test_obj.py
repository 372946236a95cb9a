"""Textured OBJ and colored PLY in millimeters."""

import numpy as np
import pytest
from PIL import Image

from rdrface.scene import FaceShape, write_obj, write_ply
from some_face import some_face

IMAGE = np.full((240, 320, 3), 128, np.uint8)


def test_obj_has_uv_normals_material_and_texture(tmp_path):
    write_obj(tmp_path / "a.b.obj", some_face(), IMAGE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.b.jpg", "a.b.mtl", "a.b.obj"]
    lines = [line.split() for line in (tmp_path / "a.b.obj").read_text().splitlines()]
    count = len(FaceShape.of(some_face()).surface.ends)
    for kind in ("v", "vt", "vn"):
        assert sum(line[0] == kind for line in lines) == count
    assert ["mtllib", "a.b.mtl"] in lines and ["usemtl", "skin"] in lines
    corner = next(line for line in lines if line[0] == "f")[1]
    assert len(set(corner.split("/"))) == 1 and corner.count("/") == 2
    material = (tmp_path / "a.b.mtl").read_text()
    assert material.startswith("newmtl skin\n") and "map_Kd a.b.jpg\n" in material
    with Image.open(tmp_path / "a.b.jpg") as texture:
        assert texture.size == (1024, 1024)


def test_texture_coordinates_count_from_the_bottom(tmp_path):
    write_obj(tmp_path / "a.obj", some_face())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mtl", "a.obj"]
    uv = [line.split()[1:] for line in (tmp_path / "a.obj").read_text().splitlines() if line.startswith("vt")]
    expected = FaceShape.of(some_face()).surface.uv * [1, -1] + [0, 1]
    np.testing.assert_allclose(np.array(uv, float), expected, atol=1e-5)


def test_unposed_is_upright_and_posed_is_rotated(tmp_path):
    face, found = some_face(), {}
    for pose in ("neutral", "expression", "posed"):
        write_obj(tmp_path / "a.obj", face, pose=pose)
        rows = [line.split()[1:] for line in (tmp_path / "a.obj").read_text().splitlines() if line.startswith("v ")]
        found[pose] = np.array(rows, float)
    shape = FaceShape.of(face)
    np.testing.assert_allclose(found["neutral"], shape.vertices(), atol=1e-3)
    np.testing.assert_allclose(found["expression"], shape.vertices(face.parameters.expression), atol=1e-3)
    np.testing.assert_allclose(found["posed"], found["expression"] @ face.pose.rotation.T, atol=2e-3)
    assert np.ptp(found["neutral"][:, 1]) == pytest.approx(200, abs=40)  # mm


def test_ply_has_normals_and_colors(tmp_path):
    write_ply(tmp_path / "a.ply", some_face(), IMAGE)
    header, body = (tmp_path / "a.ply").read_bytes().split(b"end_header\n", 1)
    count = len(FaceShape.of(some_face()).surface.ends)
    names = [line.split()[-1].decode() for line in header.splitlines() if line.startswith(b"property float")]
    assert names == ["x", "y", "z", "nx", "ny", "nz"] and header.count(b"property uchar") == 3
    rows = np.frombuffer(body, [("at", "<f4", 3), ("normal", "<f4", 3), ("color", "u1", 3)], count)
    np.testing.assert_allclose(np.linalg.norm(rows["normal"], axis=1), 1, atol=1e-5)
    assert np.abs(np.median(rows["color"], axis=0) - 128).max() < 3


def test_other_suffixes_are_errors(tmp_path):
    with pytest.raises(ValueError, match=r"must end in \.obj; got a\.ply"):
        write_obj(tmp_path / "a.ply", some_face())
    with pytest.raises(ValueError, match=r"must end in \.ply; got a\.obj"):
        write_ply(tmp_path / "a.obj", some_face())
    with pytest.raises(ValueError, match=r"for GLB use `rdrface\.scene\.write_glb`"):
        some_face().mesh().save(tmp_path / "a.glb")
