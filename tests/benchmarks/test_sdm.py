"""The supervised descent method: training on drawn faces, files, predictions."""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, SimpleNamespace

import cv2
import numpy as np
import pytest
from PIL import Image

from annotated import face_points
from rdrface.crop import CropFrame
from rdrface.datasets.records import SELF_OCCLUDED, FaceRecords
from rdrface.errors import DataError, ImageError
from rdrface.evaluation.metrics.errors import nme
from rdrface.evaluation.predictions.files import read_prediction_file
from rdrface.geometry.boxes import bounding_boxes, box_size
from rdrface.landmarks import GROUPS, MIRROR

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks" / "sdm"
FACES = (60, 120)


@pytest.fixture(scope="module")
def programs() -> Iterator[SimpleNamespace]:
    """The modules of the benchmark."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(FOLDER)
        yield SimpleNamespace(**{name: load(name, patch) for name in ("features", "sdm", "train", "record")})


def load(name: str, patch: pytest.MonkeyPatch) -> ModuleType:
    spec = spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    patch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return module


def draw(points: np.ndarray, side: int) -> np.ndarray:
    """Image (side, side, 3) uint8 of a face: dark and light areas with soft edges."""
    image = np.full((side, side, 3), 120, np.uint8)
    hull = np.concatenate([points[GROUPS["contour"]], points[GROUPS["right_brow"]][::-1], points[17:22][::-1]])
    areas = [(hull, 200), (points[36:42], 30), (points[42:48], 30), (points[48:60], 90), (points[60:68], 240)]
    for area, gray in areas:
        cv2.fillPoly(image, [np.rint(area * 16).astype(np.int32)], (gray, gray, gray), cv2.LINE_AA, 4)
    for line in (points[17:22], points[22:27], points[27:31], points[31:36]):
        cv2.polylines(image, [np.rint(line * 16).astype(np.int32)], False, (60, 60, 60), 2, cv2.LINE_AA, 4)
    return cv2.GaussianBlur(image, (0, 0), 1)


def drawn(folder: Path, count: int, seed: int) -> FaceRecords:
    """Faces that differ in proportions, mouth and roll; one per image of 120 pixels."""
    rng = np.random.default_rng(seed)
    points = np.empty((count, 68, 2))
    for i in range(count):
        face = face_points(0, (0.0, 0.0), 1.0)
        face[48:68, 1] += (face[48:68, 1] - 0.3) * rng.uniform(0, 1.5)
        face[:, 0] += rng.normal(0, 0.05) * (1 - 4 * face[:, 0] ** 2)
        face *= rng.normal(1, 0.08, 2)
        angle = rng.normal(0, 0.15)
        rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        points[i] = face @ rotation.T * rng.uniform(60, 72) + rng.normal(60, 3, 2)
        Image.fromarray(draw(points[i], 120)).save(folder / f"{seed}_{i}.png")
    return FaceRecords(
        image=np.array([str(folder / f"{seed}_{i}.png") for i in range(count)]),
        points=points,
        state=np.ones((count, 68)),
        contour=np.full(count, "outline"),
        box=bounding_boxes(points),
        source=np.full(count, "drawn"),
        is_test=np.zeros(count, bool),
        outline=points,
    )


@pytest.fixture(scope="module")
def learned(programs: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A cascade of two stages and its training faces."""
    folder = tmp_path_factory.mktemp("sdm")
    records = drawn(folder, 60, 1)
    mean = programs.train.mean_shape(records)
    samples = programs.train.collect(records, mean, 1, 0)
    with pytest.MonkeyPatch.context() as patch:
        few_unknowns(programs, patch)
        model = programs.train.fit(samples, "mean", mean, FACES)
    return SimpleNamespace(folder=folder, records=records, samples=samples, model=model)


def few_unknowns(programs: SimpleNamespace, patch: pytest.MonkeyPatch) -> None:
    """Regularize less: the values for thousands of real faces are too strong for few drawn ones, and slow."""
    patch.setattr(programs.train, "COMPONENTS", 8)
    patch.setattr(programs.train, "RIDGE", 5.0)


def errors(model: object, records: FaceRecords, boxes: np.ndarray, stages: int) -> float:
    """Mean NME of the first stages of a cascade."""
    short = replace(model, stages=model.stages[:stages])  # type: ignore[type-var, attr-defined]
    images = [np.asarray(Image.open(path)) for path in records.image]
    found = [short.align(image, boxes=box[None])[0] for image, box in zip(images, boxes, strict=True)]
    return float(nme(np.stack(found), records.points, box_size(bounding_boxes(records.points))).mean())


def test_every_stage_reduces_the_error_on_training_and_new_faces(
    programs: SimpleNamespace, learned: SimpleNamespace
) -> None:
    rng = np.random.default_rng(7)
    for records, share in ((learned.records, 0.4), (drawn(learned.folder, 15, 2), 0.6)):
        boxes = programs.train.jittered(records.box.astype(np.float64), rng)
        before, first, second = (errors(learned.model, records, boxes, stages) for stages in (0, 1, 2))
        assert second < first < before
        assert second < share * before


def test_a_saved_cascade_gives_the_same_points(
    programs: SimpleNamespace, learned: SimpleNamespace, tmp_path: Path
) -> None:
    learned.model.save(tmp_path / "sdm.npz")
    loaded = programs.sdm.SDM.load(tmp_path / "sdm.npz")
    image = np.asarray(Image.open(learned.records.image[0]))
    box = learned.records.box[:1]
    assert loaded.start == "mean"
    np.testing.assert_array_equal(loaded.align(image, boxes=box), learned.model.align(image, boxes=box))


def test_mirrored_samples_are_mirror_images(programs: SimpleNamespace, learned: SimpleNamespace) -> None:
    samples = learned.samples
    np.testing.assert_array_equal(samples.crops[1], samples.crops[0][:, ::-1])
    # The outer corner of one eye becomes that of the other.
    np.testing.assert_allclose(samples.truth[1][36], samples.truth[0][45] * [-1, 1], atol=1e-6)
    np.testing.assert_allclose(samples.truth[1][MIRROR] * [-1, 1], samples.truth[0], atol=1e-6)
    np.testing.assert_allclose(samples.points[0], samples.points[1], atol=1e-6)


def test_descriptors_are_computed_at_the_points(programs: SimpleNamespace) -> None:
    # Mirroring crop and points exchanges the columns of cells, and the directions left and right.
    rng = np.random.default_rng(3)
    crop = cv2.GaussianBlur(rng.integers(0, 256, (200, 200), np.uint8), (0, 0), 4)[None]
    points = rng.uniform(-0.6, 0.6, (1, 68, 2))
    cells = programs.features.descriptors(crop, points, 100).reshape(68, 4, 4, 8).astype(int)
    mirrored = programs.features.descriptors(crop[:, :, ::-1], points * [-1, 1], 100).reshape(68, 4, 4, 8).astype(int)
    back = mirrored[:, :, ::-1][..., [4, 3, 2, 1, 0, 7, 6, 5]]
    assert np.abs(back - cells).max() <= 3
    assert np.abs(mirrored - cells).max() > 30


def test_points_outside_the_crop_get_descriptors(programs: SimpleNamespace) -> None:
    crop = np.random.default_rng(0).integers(0, 256, (1, 200, 200), np.uint8)
    found = programs.features.descriptors(crop, np.full((1, 68, 2), 3.0), 60)
    assert found.shape == (1, 68, 128)


def test_the_ridge_does_not_shrink_the_mean_update(programs: SimpleNamespace) -> None:
    rng = np.random.default_rng(4)
    phi = rng.integers(0, 200, (30, 68, 128), np.uint8)
    steps = rng.normal(0.1, 0.05, (30, 68, 2)).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        few_unknowns(programs, patch)
        found = programs.train.fit_stage(60, phi, steps).steps(phi)
    np.testing.assert_allclose(found.mean(0), steps.mean(0), atol=1e-4)
    assert np.abs(found - steps).mean() < np.abs(steps.mean(0) - steps).mean()


def test_targets_of_hidden_points_come_from_the_fit(programs: SimpleNamespace, learned: SimpleNamespace) -> None:
    records = learned.records.select([0, 1])
    points, state = records.points.copy(), records.state.copy()
    points[0, :5], state[0, :5] = np.nan, SELF_OCCLUDED
    outline = records.outline + 2
    contour = np.array(["outline", "jawline"])
    goal = programs.train.targets(replace(records, points=points, state=state, outline=outline, contour=contour))
    np.testing.assert_array_equal(goal[0, :5], outline[0, :5])
    np.testing.assert_array_equal(goal[0, 5:], records.points[0, 5:])
    np.testing.assert_array_equal(goal[1, :17], outline[1, :17])
    np.testing.assert_array_equal(goal[1, 17:], records.points[1, 17:])


def test_a_cascade_from_the_3d_output_starts_at_its_landmarks(
    programs: SimpleNamespace, learned: SimpleNamespace
) -> None:
    class ShiftedAligner:
        """Stand-in for the aligner: the true points, shifted by three pixels."""

        def align(self, image: np.ndarray, boxes: np.ndarray) -> list[SimpleNamespace]:
            index = next(i for i, other in enumerate(images) if np.array_equal(image, other))
            return [SimpleNamespace(projection=records.points[index] + 3) for _ in boxes]

    records = learned.records.select(np.arange(40))
    images = [np.asarray(Image.open(path)) for path in records.image]
    samples = programs.train.collect(records, None, 1, 0, ShiftedAligner())
    np.testing.assert_allclose(samples.points[1], programs.train.mirrored(samples.points[0]), atol=1e-6)
    with pytest.MonkeyPatch.context() as patch:
        few_unknowns(programs, patch)
        model = programs.train.fit(samples, "ours", programs.train.mean_shape(records), (100,))
    faces = [
        {"face": 4, "image": "a.png", "path": records.image[4], "box": records.box[4].tolist()},
        {"face": 2, "image": "b.png", "path": records.image[2], "box": records.box[2].tolist()},
    ]
    entries = programs.record.record(programs.record.Cascade(model, 1.0, ShiftedAligner()), faces).entries
    for entry, face in zip(entries, faces, strict=True):
        error = np.abs(np.array(entry["landmarks"]) - records.points[face["face"]]).mean()
        assert error < 1.5
    with pytest.raises(ValueError, match="starts and no boxes"):
        model.align(images[0], boxes=records.box[:1])
    with pytest.raises(ValueError, match="68"):
        model.align(images[0], starts=np.zeros((1, 5, 2)))


def test_the_evaluation_reads_the_written_predictions(
    programs: SimpleNamespace, learned: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = learned.records
    learned.model.save(tmp_path / "sdm.npz")
    # A relative path starts at the folder of the list.
    Path(tmp_path / "b.png").write_bytes(Path(records.image[1]).read_bytes())
    faces = [{"face": 7, "image": "b.png", "path": "b.png", "box": records.box[1].tolist()}]
    (tmp_path / "faces.json").write_text(json.dumps(faces))
    arguments = ["record.py", tmp_path / "sdm.npz", tmp_path / "faces.json", "-o", tmp_path / "out.json"]
    monkeypatch.setattr(sys, "argv", [str(argument) for argument in arguments])
    assert programs.record.main() == 0
    found = read_prediction_file(tmp_path / "out.json")
    assert found.method == "SDM" and found.megabytes > 1
    assert found.image == ("b.png",) and found.face.tolist() == [7] and found.box.tolist() == [faces[0]["box"]]
    assert found.milliseconds[0] > 0
    assert np.abs(found.landmarks[0] - records.points[1]).mean() < 5


def test_errors_name_the_bad_input(
    programs: SimpleNamespace, learned: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(DataError, match="rdrface fit"):
        programs.train.targets(replace(learned.records, outline=None))
    with pytest.raises(DataError, match=r"train\.py writes one"):
        programs.sdm.SDM.load(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("no arrays")
    with pytest.raises(DataError, match="not a readable cascade"):
        programs.sdm.SDM.load(tmp_path / "text.npz")
    learned.records.save(tmp_path / "records.npz")
    with pytest.raises(DataError, match="not a cascade of format"):
        programs.sdm.SDM.load(tmp_path / "records.npz")
    stage = learned.model.stages[0]
    replace(learned.model, stages=(replace(stage, bias=stage.bias[:5]),)).save(tmp_path / "short.npz")
    with pytest.raises(DataError, match="bias"):
        programs.sdm.SDM.load(tmp_path / "short.npz")
    image = np.zeros((50, 50, 3), np.uint8)
    with pytest.raises(ValueError, match="boxes and no starts"):
        learned.model.align(image, starts=np.zeros((1, 68, 2)))
    (tmp_path / "faces.json").write_text('[{"face": 0}]')
    with pytest.raises(DataError, match="entry 0"):
        programs.record.read_faces(tmp_path / "faces.json")
    method = programs.record.Cascade(learned.model, 1.0)
    with pytest.raises(DataError, match=r"face 3 of a\.png"):
        face = {"face": 3, "image": "a.png", "path": learned.records.image[0], "box": [5, 5, 5, 9]}
        programs.record.record(method, [face])
    with pytest.raises(ImageError):
        programs.record.record(method, [face | {"path": str(tmp_path / "gone.jpg")}])


def test_the_crop_frame_fits_the_box_of_the_initial_landmarks(
    programs: SimpleNamespace, learned: SimpleNamespace
) -> None:
    points = learned.records.points[:2].astype(np.float64)
    frame, inside = programs.sdm.from_landmarks(points)
    np.testing.assert_allclose(frame.half, CropFrame.from_boxes(bounding_boxes(points)).half)
    np.testing.assert_allclose(frame.to_image(inside), points, atol=1e-4)
