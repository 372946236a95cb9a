"""The aligner: detection, alignment, batches, options of `load`, and invalid input."""

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import rdrface
from rdrface.aligner import Aligner
from rdrface.detection.protocol import Detections
from rdrface.errors import BoxError, ImageError, WeightsError
from rdrface.loading import LITE_WEIGHTS, PACKAGED_WEIGHTS
from rdrface.runtime.weights import graph_path, read_info, read_tensors, write_weights

BOX = np.array([[183.0, 92, 266, 176]])


@pytest.fixture(scope="module")
def aligner() -> Aligner:
    return rdrface.load(PACKAGED_WEIGHTS, threads=1)


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return pytest.importorskip("skimage.data").astronaut()


class OneBox:
    """A detector that always returns the same box."""

    def detect(self, image: np.ndarray) -> Detections:
        return Detections(BOX, np.array([0.5], np.float32), BOX)


def assert_same(a: rdrface.Face, b: rdrface.Face, atol: float = 1e-2) -> None:
    for name in ("box", "landmarks", "landmarks_jawline", "projection", "landmarks_3d"):
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), atol=atol)
    np.testing.assert_allclose(a.visibility, b.visibility, atol=1e-4)
    assert a.score == pytest.approx(b.score, abs=1e-6)


def test_detect_returns_faces_in_image_pixels(aligner, image):
    (face,) = aligner.detect(image)
    assert face.landmarks.shape == (68, 2) and face.projection.shape == (68, 2) and face.landmarks_3d.shape == (68, 3)
    assert face.visibility.shape == (68,) and face.uncertainty.shape == (68,)
    assert face.score > 0.9
    assert ((face.landmarks > face.box[:2] - 60) & (face.landmarks < face.box[2:] + 60)).all()
    assert len(face.blendshapes) == 46


def test_paths_pil_images_and_arrays_give_the_same_faces(aligner, image, tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(image).save(path)
    (expected,) = aligner.detect(image)
    for form in (path, str(path), Image.open(path)):
        (face,) = aligner.detect(form)
        assert_same(face, expected, atol=0)


def test_projecting_the_parameters_gives_the_3d_landmarks(aligner, image):
    """Projecting the face model with Q in image coordinates gives the 3D output of the network."""
    (face,) = aligner.align(image, BOX)
    np.testing.assert_allclose(face.points("ibug68"), face.landmarks_3d, atol=0.002 * face.size)
    np.testing.assert_allclose(face.projection[17:], face.landmarks_3d[17:, :2], atol=0.002 * face.size)


def test_a_batch_gives_the_same_faces_as_single_images(aligner, image):
    images = [image, np.zeros((40, 30, 3), np.uint8), np.concatenate([image, image[:, ::-1]], axis=1), image[:, ::-1]]
    together = aligner.detect_batch(images)
    alone = [aligner.detect(one) for one in images]
    assert [len(faces) for faces in together] == [len(faces) for faces in alone] == [1, 0, 2, 1]
    for faces, expected in zip(together, alone, strict=True):
        for a, b in zip(faces, expected, strict=True):
            assert_same(a, b, atol=1e-3)


def test_larger_network_batches_only_change_rounding(aligner, image):
    wide = Aligner(aligner.session, OneBox(), batch_size=3)
    brighter = np.minimum(image, 235) + np.uint8(20)
    together = wide.detect_batch([image] * 2 + [brighter] * 2)
    assert [len(faces) for faces in together] == [1] * 4
    (expected,) = aligner.align(image, BOX)
    assert_same(together[1][0], rdrface.Face.from_dict({**expected.to_dict(), "score": 0.5}), atol=0.05)


def test_a_batch_fills_runs_of_the_network_across_images(aligner, image):
    """Retries and rotated detections of several images share runs too."""
    sizes = []

    class Counting:
        input_size = aligner.session.input_size

        def run(self, crops):
            sizes.append(len(crops))
            return aligner.session.run(crops)

    counting = Aligner(Counting(), OneBox(), batch_size=4, max_uncertainty=None)
    results = counting.detect_batch_with_dropped([image] * 16)
    assert [len(faces) for faces, dropped in results] == [1] * 16
    assert sizes[:4] == [4] * 4
    assert not {1, 2, 3} & set(sizes)


def test_images_of_a_generator_are_taken_in_groups(aligner, image):
    seen = []

    class Watching(OneBox):
        def detect(self, image):
            seen.append(len(taken))
            return super().detect(image)

    taken = []
    Aligner(aligner.session, Watching(), batch_size=1).detect_batch(taken.append(i) or image for i in range(9))
    assert seen[0] == 1 and seen == sorted(seen)


def test_no_boxes_and_no_faces_give_empty_results(aligner, image):
    assert aligner.detect(np.zeros((64, 64, 3), np.uint8)) == []
    assert aligner.align(image, np.empty((0, 4))) == []
    assert aligner.align(image, []) == []
    assert aligner.detect_batch([]) == []
    assert aligner.detect_batch([np.zeros((9, 9, 3), np.uint8)]) == [[]]


def test_faces_move_with_a_shifted_image(aligner, image):
    """The crop is the same up to rounding, so all outputs shift with the image."""
    (face,) = aligner.align(image, BOX)
    moved = np.zeros((600, 700, 3), np.uint8)
    moved[40:552, 90:602] = image
    (shifted,) = aligner.align(moved, BOX + np.array([90, 40, 90, 40]))
    close = 0.002 * face.size
    np.testing.assert_allclose(shifted.landmarks, face.landmarks + np.array([90, 40]), atol=close)
    np.testing.assert_allclose(shifted.mesh().vertices, face.mesh().vertices + np.array([90, 40, 0]), atol=close)


def test_faces_have_the_order_of_the_boxes_which_may_extend_beyond_the_image(aligner, image):
    boxes = np.array([[-50.0, -50, 60, 60], *BOX, [480, 480, 560, 590], [440, 300, 700, 550]])
    faces = aligner.align(image, boxes)
    for face, box in zip(faces, boxes, strict=True):
        np.testing.assert_allclose(face.box, box)
        assert face.score == 1
        assert np.isfinite(face.landmarks).all()


@pytest.mark.parametrize("boxes", [[1, 2, 3, 4], [[1, 2, 3]], [[9, 9, 1, 1]], [[0, 0, np.nan, 1]]])
def test_invalid_boxes_are_refused(aligner, image, boxes):
    with pytest.raises(ValueError, match="boxes"):
        aligner.align(image, boxes)


def test_images_that_cannot_be_read_are_refused(aligner, tmp_path):
    with pytest.raises(ImageError):
        aligner.detect(tmp_path / "none.jpg")
    with pytest.raises(ImageError):
        aligner.detect_batch([np.zeros((9, 9, 3), np.uint8), tmp_path / "none.jpg"])


def test_a_batch_is_a_list_of_images(aligner, image):
    content = io.BytesIO()
    Image.fromarray(image).save(content, "PNG")
    one = ("photo.jpg", image, content.getvalue(), content, Image.fromarray(image))
    for images in (*one, np.stack([image, image]), {"a.jpg": image}, 3, iter(image), list(image)):
        with pytest.raises(TypeError, match="list"):
            aligner.detect_batch(images)
    (faces,) = aligner.detect_batch(iter([content.getvalue()]))
    assert len(faces) == 1


@pytest.mark.parametrize("box", [[0.3, 0.2, 0.5, 0.4], [900, 900, 950, 950]])
def test_boxes_that_are_not_in_the_image_are_refused(aligner, image, box):
    with pytest.raises(BoxError):
        aligner.align(image, [box])


def test_load_refuses_invalid_arguments(tmp_path):
    with pytest.raises(WeightsError, match="cannot be read"):
        rdrface.load(tmp_path / "none.safetensors")
    with pytest.raises(ValueError, match="backend"):
        rdrface.load(LITE_WEIGHTS, backend="tensorrt")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="threads"):
        rdrface.load(LITE_WEIGHTS, threads=0)
    with pytest.raises(ValueError, match="onnxruntime"):
        rdrface.load(LITE_WEIGHTS, providers=["CPUExecutionProvider"])
    with pytest.raises(ValueError, match="batch_size"):
        rdrface.load(LITE_WEIGHTS, batch_size=0)
    with pytest.raises(ValueError, match="score_threshold"):
        rdrface.load(LITE_WEIGHTS, score_threshold=1.5)
    with pytest.raises(ValueError, match="own detector"):
        rdrface.load(LITE_WEIGHTS, detector=OneBox(), max_side=640)


def test_the_options_of_load_are_passed_on():
    aligner = rdrface.load(
        LITE_WEIGHTS,
        backend="onnxruntime",
        providers=["CPUExecutionProvider"],
        threads=1,
        batch_size=4,
        score_threshold=0.9,
        max_side=320,
    )
    assert aligner.batch_size == 4
    assert (aligner.detector.score_threshold, aligner.detector.max_side) == (0.9, 320)


def test_weights_of_another_face_model_are_refused(tmp_path):
    info, _ = read_info(PACKAGED_WEIGHTS)
    path = tmp_path / PACKAGED_WEIGHTS.name
    tensors = read_tensors(PACKAGED_WEIGHTS)
    # The length of the header does not change, so the offsets in the graph stay valid.
    write_weights(path, tensors | {"projection.mean": tensors["projection.mean"] * np.float32(1.05)}, info)
    graph_path(path).write_bytes(graph_path(PACKAGED_WEIGHTS).read_bytes())
    with pytest.raises(WeightsError, match="another face model"):
        rdrface.load(path)


def test_a_custom_detector_is_used(image):
    aligner = rdrface.load(PACKAGED_WEIGHTS, threads=1, detector=OneBox())
    (face,) = aligner.detect(image)
    np.testing.assert_allclose(face.box, BOX[0])
    assert face.score == 0.5


def test_inference_does_not_import_pytorch():
    code = (
        "import sys, rdrface, numpy as np;"
        f"aligner = rdrface.load({str(PACKAGED_WEIGHTS)!r}, threads=1);"
        "face, = aligner.align(np.zeros((99, 99, 3), np.uint8), [[20, 20, 70, 80]]);"
        "face.mesh(), face.points('aflw21'), face.to_dict();"
        "print([m for m in ('torch', 'onnx', 'onnxruntime', 'scipy', 'matplotlib', 'retinaface') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "options",
    [
        {"batch_size": True},
        {"batch_size": 1.5},
        {"batch_size": "8"},
        {"max_side": float("nan")},
        {"max_side": 32.5},
        {"score_threshold": "0.5"},
        {"backend": "onnxruntime", "providers": "CPUExecutionProvider"},
        {"backend": "onnxruntime", "providers": ["NoExecutionProvider"]},
        {"backend": "onnxruntime", "providers": []},
    ],
)
def test_load_names_the_argument_that_is_wrong(options):
    with pytest.raises(ValueError, match=list(options)[-1]):
        rdrface.load(LITE_WEIGHTS, **options)


@pytest.mark.parametrize("detector", [object(), "retinaface", False])
def test_a_detector_must_have_a_method_detect(detector):
    with pytest.raises(TypeError, match="detect"):
        rdrface.load(LITE_WEIGHTS, detector=detector)


@pytest.mark.parametrize("result", [None, [], np.zeros((1, 4))])
def test_a_detector_must_return_detections(image, result):
    class Wrong:
        def detect(self, pixels):
            return result

    with pytest.raises(TypeError, match="Detections"):
        rdrface.load(LITE_WEIGHTS, threads=1, detector=Wrong()).detect(image)


def test_detections_of_different_lengths_are_rejected():
    with pytest.raises(ValueError, match="scores"):
        Detections(np.zeros((2, 4)), np.ones(1), np.zeros((2, 4)))


@pytest.mark.parametrize(
    "boxes",
    [
        [[-1e300, -1e300, 1e300, 1e300]],
        [[1e12, 1e12, 1e12 + 100, 1e12 + 100]],
        [[0, 0, 1e-200, 1e-200]],
        [["1", "2", "30", "40"]],
        np.zeros((3, 0)),
        np.zeros((0, 5)),
    ],
)
def test_boxes_without_a_usable_area_or_of_another_type_are_rejected(aligner, image, boxes):
    with pytest.raises(ValueError, match="boxes"):
        aligner.align(image, boxes)


def test_the_packaged_weights_also_serve_the_crop_size_of_the_paper(aligner, image):
    large = rdrface.load(size=256, threads=1)
    assert large.session.input_size == 256
    ((face,), (expected,)) = large.align(image, BOX), aligner.align(image, BOX)
    distance = np.linalg.norm(face.landmarks - expected.landmarks, axis=1)
    assert 0 < distance.mean() < 0.02 * expected.size
    assert face.pose.yaw == pytest.approx(expected.pose.yaw, abs=5)
