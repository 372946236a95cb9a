"""Textured OBJ and colored PLY in millimeters."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rdrface.errors import DataError
from rdrface.scene import FaceShape, to_obj, write_obj, write_ply
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


def test_the_image_itself_is_not_replaced_by_the_texture(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(IMAGE).save("photo.jpg")
    before = (tmp_path / "photo.jpg").read_bytes()
    (tmp_path / "link.jpg").symlink_to("photo.jpg")
    for name in ("photo.obj", "link.obj"):
        with pytest.raises(DataError, match=r"\.jpg is the image, and its name is that of the texture; choose another"):
            write_obj(name, some_face(), tmp_path / "photo.jpg")
    refused = pytest.raises(DataError, match="is the image, and its name is that of the texture")
    with Image.open("photo.jpg") as image, refused:
        write_obj("photo.obj", some_face(), image)
    with Path("photo.jpg").open("rb") as file, refused:
        write_obj("photo.obj", some_face(), file)
    assert (tmp_path / "photo.jpg").read_bytes() == before and not (tmp_path / "photo.obj").exists()


def test_the_obj_file_gets_the_given_name(tmp_path):
    write_obj(tmp_path / "A.OBJ", some_face())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["A.OBJ", "A.mtl"]


def test_names_that_are_not_utf8_or_have_line_breaks():
    files = to_obj("\udce9 é", some_face())
    assert b"mtllib \xe9 \xc3\xa9.mtl\n" in files["obj"]
    for name in ("a\nb", "a\n"):
        with pytest.raises(ValueError, match="must be one line"):
            to_obj(name, some_face())


def test_a_face_that_is_not_finite_is_an_error(tmp_path):
    face = some_face()
    broken = replace(face, parameters=replace(face.parameters, identity=np.full(50, np.nan, np.float32)))
    for write, name in ((write_obj, "a.obj"), (write_ply, "a.ply")):
        with pytest.raises(ValueError, match="the face is not finite"):
            write(tmp_path / name, broken)
    assert not list(tmp_path.iterdir())
