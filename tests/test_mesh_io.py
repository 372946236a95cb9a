"""Mesh files: OBJ and PLY."""

import numpy as np
import pytest

from rdrface.mesh_io import write_mesh
from some_face import some_face


def read_obj(path):
    lines = [line.split() for line in path.read_text().splitlines()]
    vertices = np.array([[float(v) for v in line[1:]] for line in lines if line[0] == "v"])
    faces = [[int(corner.split("/")[0]) for corner in line[1:]] for line in lines if line[0] == "f"]
    uv = np.array([[float(v) for v in line[1:]] for line in lines if line[0] == "vt"])
    return vertices, np.array(faces) - 1, uv


def read_ply(path):
    content = path.read_bytes()
    header, body = content.split(b"end_header\n", 1)
    counts = [int(line.split()[-1]) for line in header.splitlines() if line.startswith(b"element")]
    vertices = np.frombuffer(body, "<f4", counts[0] * 3).reshape(-1, 3)
    faces = np.frombuffer(body, [("n", "u1"), ("i", "<i4", 3)], counts[1], counts[0] * 12)
    assert (faces["n"] == 3).all()
    assert len(body) == counts[0] * 12 + counts[1] * 13
    return vertices, faces["i"]


def test_obj_and_ply_contain_the_same_upright_mesh(tmp_path):
    mesh = some_face().mesh()
    for suffix in ("obj", "ply"):
        write_mesh(tmp_path / f"a.{suffix}", *mesh)
    from_obj, obj_faces, uv = read_obj(tmp_path / "a.obj")
    from_ply, ply_faces = read_ply(tmp_path / "a.ply")
    upright = mesh.vertices * [1, -1, 1]
    np.testing.assert_allclose(from_obj, upright, atol=1e-4)
    np.testing.assert_allclose(from_ply, upright, atol=1e-4)
    np.testing.assert_array_equal(obj_faces, mesh.triangles)
    np.testing.assert_array_equal(ply_faces, mesh.triangles)
    assert len(uv) == 0


def test_the_written_triangles_face_outwards(tmp_path):
    """The signed volume about the centroid is positive, because triangles are counterclockwise seen from outside."""
    write_mesh(tmp_path / "a.ply", *some_face().mesh())
    vertices, faces = read_ply(tmp_path / "a.ply")
    a, b, c = (vertices[faces[:, i]] - vertices.mean(0) for i in range(3))
    assert np.einsum("ij,ij->i", a, np.cross(b, c)).sum() > 0


def test_texture_coordinates_are_written(tmp_path):
    vertices, triangles = np.eye(3), np.array([[0, 1, 2]])
    uv = np.array([[0, 0], [0.5, 1], [1, 0.25]])
    write_mesh(tmp_path / "a.obj", vertices, triangles, uv, y_down=False)
    read, faces, read_uv = read_obj(tmp_path / "a.obj")
    np.testing.assert_allclose(read, vertices)
    np.testing.assert_array_equal(faces, triangles)
    np.testing.assert_allclose(read_uv, uv)


@pytest.mark.parametrize(
    ("name", "vertices", "triangles", "message"),
    [
        ("a.stl", np.zeros((3, 3)), [[0, 1, 2]], "must end in"),
        ("a.obj", np.zeros((3, 2)), [[0, 1, 2]], "vertices"),
        ("a.obj", np.full((3, 3), np.nan), [[0, 1, 2]], "finite"),
        ("a.obj", np.zeros((3, 3)), [[0, 1, 3]], "vertex 3"),
        ("a.obj", np.zeros((3, 3)), [[0, 1]], "triangles"),
    ],
)
def test_invalid_meshes_are_refused(tmp_path, name, vertices, triangles, message):
    with pytest.raises(ValueError, match=message):
        write_mesh(tmp_path / name, vertices, np.array(triangles))
    assert not list(tmp_path.iterdir())
