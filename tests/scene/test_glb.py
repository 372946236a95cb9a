"""Binary glTF: structure, morph targets, states, animation."""

import io
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

from glb_file import GLBFile
from rdrface.errors import DataError
from rdrface.geometry.rotation import rotation_matrix
from rdrface.scene import FaceShape, PersonClip, to_glb, write_clip, write_glb
from rdrface.scene.glb import quaternion
from recorded import face_with
from some_face import some_face

IMAGE = np.full((240, 320, 3), 128, np.uint8)

VALIDATOR = """
const validator = require("gltf-validator"), fs = require("fs");
validator.validateBytes(new Uint8Array(fs.readFileSync(process.argv[1]))).then(report => {
  console.log(report.issues.numErrors, report.issues.numWarnings); });
"""


def matrix(x, y, z, w):
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


@pytest.fixture(scope="module")
def posed() -> GLBFile:
    return GLBFile(to_glb(some_face(), texture=np.full((64, 64, 3), 99, np.uint8), pose="posed"))


def test_there_are_46_named_targets_with_positions_and_normals(posed):
    (mesh,) = posed.json["meshes"]
    (primitive,) = mesh["primitives"]
    assert tuple(mesh["extras"]["targetNames"]) == FaceShape.of(some_face()).names
    assert len(primitive["targets"]) == len(mesh["weights"]) == 46
    count = len(posed.accessor(primitive["attributes"]["POSITION"]))
    for target in primitive["targets"]:
        assert posed.accessor(target["POSITION"]).shape == posed.accessor(target["NORMAL"]).shape == (count, 3)
        assert np.abs(posed.accessor(target["POSITION"])).max() > 0.3
    for attribute in (primitive["attributes"]["POSITION"], *(one["POSITION"] for one in primitive["targets"])):
        assert "min" in posed.json["accessors"][attribute]
    assert posed.accessor(primitive["indices"]).max() == count - 1


def test_targets_and_weights_give_the_face_of_the_image_in_meters(posed):
    face = some_face()
    (mesh,), (node,) = posed.json["meshes"], posed.json["nodes"]
    primitive = mesh["primitives"][0]
    at = posed.accessor(primitive["attributes"]["POSITION"]).astype(float)
    for weight, target in zip(mesh["weights"], primitive["targets"], strict=True):
        at += weight * posed.accessor(target["POSITION"])
    np.testing.assert_allclose(at, FaceShape.of(face).vertices(face.parameters.expression), atol=1e-3)
    rotated = node["scale"][0] * at @ matrix(*node["rotation"]).T
    # In the image, apart from its position and scale; y points down there.
    scale = face.parameters.pose[6]
    shape = FaceShape.of(face)
    pixels = shape.surface.exported(face.mesh().vertices) * [1, -1, 1] / scale / 1000
    is_lip = np.abs(at[:, :2] - [0, -30]).max(axis=1) < 45  # the mouth cavity is shallower than in `Face.mesh`
    offset = (pixels - rotated)[~is_lip]
    np.testing.assert_allclose(offset, np.broadcast_to(offset.mean(axis=0), offset.shape), atol=1e-5)
    np.testing.assert_allclose(matrix(*node["rotation"]), face.pose.rotation, atol=1e-6)


def test_normals_are_unit_vectors_and_point_outwards(posed):
    attributes = posed.json["meshes"][0]["primitives"][0]["attributes"]
    normals = posed.accessor(attributes["NORMAL"])
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-5)
    nose = np.argmax(posed.accessor(attributes["POSITION"])[:, 2])
    assert normals[nose, 2] > 0.8


@pytest.mark.parametrize(("pose", "has_expression", "is_rotated"), [("neutral", 0, 0), ("expression", 1, 0)])
def test_initial_states(pose, has_expression, is_rotated):
    content = GLBFile(to_glb(some_face(), pose=pose)).json
    assert any(content["meshes"][0]["weights"]) == bool(has_expression)
    assert ("rotation" in content["nodes"][0]) == bool(is_rotated)
    assert "textures" not in content and "baseColorFactor" in content["materials"][0]["pbrMetallicRoughness"]


def test_the_texture_is_embedded(posed):
    (image,) = posed.json["images"]
    decoded = np.asarray(Image.open(io.BytesIO(posed.view(image["bufferView"]))))
    assert decoded.shape == (64, 64, 3) and abs(int(decoded.mean()) - 99) < 2


def test_the_person_changes_the_shape_and_unknown_states_are_errors(tmp_path):
    with pytest.raises(ValueError, match="pose must be one of neutral, expression, posed; got 'up'"):
        to_glb(some_face(), pose="up")
    with pytest.raises(ValueError, match="region must be one of face, head; got 'ear'"):
        to_glb(some_face(), region="ear")
    with pytest.raises(DataError, match="its folder does not exist"):
        write_glb(tmp_path / "none" / "a.glb", some_face())
    write_glb(tmp_path / "a.glb", some_face(), IMAGE)
    assert GLBFile((tmp_path / "a.glb").read_bytes()).json["textures"]


def test_quaternions_of_all_rotations():
    for angles in np.random.default_rng(0).uniform(-3, 3, (50, 3)):
        rotation = rotation_matrix(angles)
        np.testing.assert_allclose(matrix(*quaternion(rotation)), rotation, atol=1e-9)


def test_a_clip_has_keys_for_weights_and_rotation(tmp_path):
    frames = [(i / 25, face_with(0.02 * i)) for i in range(20)]
    # Two faces at the same time: glTF requires increasing times.
    write_clip(tmp_path / "a.glb", [*frames, frames[-1]])
    file = GLBFile((tmp_path / "a.glb").read_bytes())
    (animation,) = file.json["animations"]
    outputs = {
        channel["target"]["path"]: animation["samplers"][channel["sampler"]] for channel in animation["channels"]
    }
    times = file.accessor(outputs["weights"]["input"])
    np.testing.assert_allclose(times[:, 0], [time for time, _ in frames], atol=1e-6)
    weights = file.accessor(outputs["weights"]["output"]).reshape(20, 46)
    jaw = file.json["meshes"][0]["extras"]["targetNames"].index("jawOpen")
    np.testing.assert_allclose(weights[:, jaw], 0.02 * np.arange(20), atol=1e-6)
    rotation = file.accessor(outputs["rotation"]["output"])
    assert rotation.shape == (20, 4) and (np.diff(rotation, axis=0) ** 2).sum() < 1e-9
    with pytest.raises(ValueError, match="at least one frame"):
        write_clip(tmp_path / "b.glb", [])


def test_a_rotation_through_half_a_turn_has_no_jump():
    clip = PersonClip()
    for i in range(30):
        clip.add(i / 30, some_face(angles=(0.0, 0.0, i * 0.25)))
    file = GLBFile(clip.to_bytes())
    keys = file.accessor(file.json["animations"][0]["samplers"][1]["output"])
    assert np.linalg.norm(np.diff(keys, axis=0), axis=1).max() < 0.2


def test_the_texture_of_a_clip_is_from_the_frontal_image():
    clip = PersonClip()
    for i, (yaw, gray) in enumerate([(0.9, 40), (0.05, 180), (-0.8, 90)]):
        clip.add(float(i), some_face(angles=(0.0, yaw, 0.0)), np.full_like(IMAGE, gray))
    file = GLBFile(clip.to_bytes())
    texture = np.asarray(Image.open(io.BytesIO(file.view(file.json["images"][0]["bufferView"]))))
    assert abs(int(np.median(texture)) - 180) < 4


def test_trimesh_reads_the_file(tmp_path):
    trimesh = pytest.importorskip("trimesh")
    write_glb(tmp_path / "a.glb", some_face(), IMAGE)
    scene = trimesh.load(tmp_path / "a.glb")
    (mesh,) = scene.geometry.values()
    assert mesh.visual.uv.shape == (len(mesh.vertices), 2) and mesh.is_winding_consistent
    assert 0.1 < scene.extents[1] < 0.3  # meters


def test_the_khronos_validator_finds_nothing(tmp_path):
    node = shutil.which("node")
    if node is None or subprocess.run([node, "-e", "require('gltf-validator')"], capture_output=True).returncode:
        pytest.skip("needs Node.js and the npm package gltf-validator (NODE_PATH)")
    clip = PersonClip()
    clip.add(0.0, some_face(), IMAGE)
    clip.add(0.5, face_with(0.1))
    for content in (to_glb(some_face(), pose="posed", region="head"), clip.to_bytes()):
        (tmp_path / "a.glb").write_bytes(content)
        done = subprocess.run([node, "-e", VALIDATOR, str(tmp_path / "a.glb")], capture_output=True, text=True)
        assert done.stdout.split() == ["0", "0"], done.stdout + done.stderr


def test_textures_of_another_kind_are_errors():
    for texture in (IMAGE[..., 0], np.dstack([IMAGE, IMAGE[..., :1]]), IMAGE / 255, IMAGE[:0], [[0, 0]]):
        with pytest.raises(ValueError, match=r"a texture must be \(S, S, 3\) uint8 RGB"):
            to_glb(some_face(), texture=texture)


def test_times_that_the_file_cannot_contain_are_errors(tmp_path):
    with pytest.raises(ValueError, match="must be finite; got nan"):
        PersonClip().add(float("nan"), some_face())
    with pytest.raises(ValueError, match=r"below 131072 s; got 1700000000\.0: subtract the time of the first frame"):
        write_clip(tmp_path / "a.glb", [(1.7e9, some_face()), (1.7e9 + 0.04, some_face())])
