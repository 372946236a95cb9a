"""Another landmark setting: reading the points, placing them on the face, pairing them, learning the read-out."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from rdrface.cli.main import main
from rdrface.crop import CropFrame, cut
from rdrface.datasets.crops import MARGIN
from rdrface.datasets.custom_points import read_custom_points
from rdrface.datasets.synthetic import random_parameters
from rdrface.detection.protocol import Detections
from rdrface.errors import DataError
from rdrface.geometry.camera import project
from rdrface.image import read_image
from rdrface.landmarks import MIRROR
from rdrface.morphable.model import FaceModel, SurfacePoints
from rdrface.morphable.surface import positions

torch = pytest.importorskip("torch")

from exported import untrained_network  # noqa: E402
from rdrface.finetuning import finetune as tune  # noqa: E402
from rdrface.finetuning.faces import CustomFaces, start_box  # noqa: E402
from rdrface.finetuning.placement import mirror_pairs, place_points  # noqa: E402
from rdrface.finetuning.ridge_regression import fit_local, fit_place  # noqa: E402
from rdrface.finetuning.views import Notes, draw_views  # noqa: E402
from rdrface.network.custom_landmarks import CustomLandmarks  # noqa: E402
from rdrface.network.rdr import RDR  # noqa: E402
from rdrface.training.augmentation.config import no_augmentation  # noqa: E402

SIZE = 64


def write_face(folder: Path, name: str, points: np.ndarray) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(folder / f"{name}.png"), np.full((40, 40, 3), 90, np.uint8))
    lines = [" ".join(map(str, point)) for point in points]
    (folder / f"{name}.pts").write_text("\n".join(["version: 1", f"n_points: {len(points)}", "{", *lines, "}"]))


POINTS = np.array([[10.0, 12.5], [20.0, 12.0], [15.0, 30.0]])


def test_points_are_read_from_one_and_gaps_become_nan(tmp_path: Path) -> None:
    write_face(tmp_path, "a", POINTS)
    write_face(tmp_path, "b", np.array([[1, 1], [-1, -1], [5, 6]]))
    write_face(tmp_path, "c", np.array([[1, 1], [2, 2], [np.nan, np.nan]]))
    own = read_custom_points(tmp_path)
    assert [image.name for image in own.image] == ["a.png", "b.png", "c.png"]
    np.testing.assert_allclose(own.points[0], POINTS - 1)
    assert np.isnan(own.points[1, 1]).all() and np.isnan(own.points[2, 2]).all()
    np.testing.assert_allclose(own.points[1, 0], 0)
    np.testing.assert_allclose(read_custom_points(tmp_path, origin=0).points[0], POINTS)


def test_the_odd_file_is_named(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_face(tmp_path, name, POINTS)
    write_face(tmp_path, "odd", POINTS[:2])
    with pytest.raises(DataError, match=r"odd\.pts holds 2 points, most files .* hold 3"):
        read_custom_points(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("n_points: 3\n", "cut short"),
        ("{\n1 2\n3 x\n}", "other than numbers"),
        ("{\n1 2\n3\n}", "holds 3 numbers"),
        ("{\n}", "holds 0 numbers"),
        ("{\n1 2\n-1 -1\n-1 -1\n}", "gives a position to 1 of 3 points"),
        ("{\n1 2\n3 4\ninf 6\n}", "infinite"),
    ],
)
def test_damaged_files_are_named(tmp_path: Path, content: str, message: str) -> None:
    for name in ("a", "b"):
        write_face(tmp_path, name, POINTS)
    (tmp_path / "b.pts").write_text(content)
    with pytest.raises(DataError, match=message) as caught:
        read_custom_points(tmp_path)
    assert "b.pts" in str(caught.value)


def test_missing_photos_files_and_points_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no \.pts files"):
        read_custom_points(tmp_path)
    write_face(tmp_path, "a", np.array([[1, 1], [-1, -1], [5, 6]]))
    with pytest.raises(DataError, match="point 2 of 3"):
        read_custom_points(tmp_path)
    write_face(tmp_path, "a", POINTS)
    (tmp_path / "a.png").unlink()
    with pytest.raises(DataError, match="no photo beside"):
        read_custom_points(tmp_path)


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return FaceModel.load()


@pytest.fixture(scope="module")
def parameters() -> np.ndarray:
    return random_parameters(40, np.random.default_rng(2))


def labels_of(model: FaceModel, points: SurfacePoints, q: np.ndarray) -> np.ndarray:
    shape = model.reduced(points).shape(q[:, :50], q[:, 57:])
    return project(shape, q[:, 50:57])[..., :2]


def test_placement_recovers_known_surface_points(model: FaceModel, parameters: np.ndarray) -> None:
    known = model.points["ibug68"]
    chosen = [8, 19, 24, 27, 30, 33, 36, 39, 42, 45, 48, 54, 57]
    truth = SurfacePoints(known.triangle[chosen], known.barycentric[chosen])
    labels = labels_of(model, truth, parameters)
    # Slips and gaps must not matter.
    labels[::7] += 8.0
    labels[3, :5] = np.nan
    sizes = np.sqrt(np.ptp(labels_of(model, known, parameters), axis=1).prod(1))
    found = place_points(model, parameters, labels, sizes)
    off = positions(model.mean, model.triangles, found.points) - positions(model.mean, model.triangles, truth)
    assert np.median(np.linalg.norm(off, axis=1)) < 1.0, "mm"
    assert np.linalg.norm(off, axis=1).max() < 4.0
    assert found.misfit.max() < 1.0
    assert (found.seen > 0.4).all()


def test_mirror_pairs_are_recovered_in_any_order(model: FaceModel) -> None:
    order = np.random.default_rng(0).permutation(68)
    known = model.points["ibug68"]
    shuffled = SurfacePoints(known.triangle[order], known.barycentric[order])
    pairs, why = mirror_pairs(model, shuffled)
    assert pairs is not None, why
    np.testing.assert_array_equal(order[pairs], MIRROR[order])


def test_a_setting_of_one_side_has_no_mirror_image(model: FaceModel) -> None:
    known = model.points["ibug68"]
    left = [36, 37, 38, 48, 17]
    pairs, why = mirror_pairs(model, SurfacePoints(known.triangle[left], known.barycentric[left]))
    assert pairs is None and "points" in why


def test_the_face_that_holds_the_points_is_taken() -> None:
    boxes = np.array([[0, 0, 50, 50], [100, 0, 150, 50]], float)
    found = Detections(boxes, np.ones(2, np.float32), boxes)
    points = np.array([[110, 10], [140, 12], [np.nan, np.nan], [120, 55]], np.float32)
    box, detected = start_box(found, points)
    assert detected
    np.testing.assert_array_equal(box, boxes[1])
    box, detected = start_box(found, points + np.float32([0, 300]))
    assert not detected and box[1] >= 300 and (box[2:] > box[:2]).all()
    # Two points at one height still make a box.
    box, _ = start_box(Detections.empty(), np.array([[10, 10], [30, 10]], np.float32))
    assert (box[2:] - box[:2] > 10).all()


def drawn(model: FaceModel, network: RDR, folder: Path, count: int) -> CustomFaces:
    """Faces of an untrained network: their labels are what it says of the nose tip and eye corners, moved."""
    rng = np.random.default_rng(1)
    window = round(SIZE * MARGIN / 16) * 16
    coarse = rng.integers(0, 256, (count, 6, 6, 3), dtype=np.uint8)
    pictures = [cv2.resize(one, (4 * window, 4 * window), interpolation=cv2.INTER_LINEAR) for one in coarse]
    names, windows = [], np.stack([cv2.resize(p, (window, window), interpolation=cv2.INTER_AREA) for p in pictures])
    folder.mkdir()
    for i, picture in enumerate(pictures):
        names.append(str(folder / f"{i}.png"))
        cv2.imwrite(names[-1], cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    middle, half = (4 * window - 1) / 2, 4 * window / 2 / MARGIN
    frame = CropFrame(np.full((count, 2), middle), np.full(count, half))
    one = CropFrame(frame.center[:1], frame.half[:1])
    crops = np.concatenate([cut(read_image(name), one, SIZE) for name in names])
    with torch.no_grad():
        last = network(torch.from_numpy(crops)).steps[-1]
    side = half / 1.6
    start = np.tile([middle - side, middle - side, middle + side, middle + side], (count, 1))
    labels = last.projection_jawline[:, [30, 36, 45, 48, 54], :2].numpy() + np.float32([0.05, -0.03])
    full = np.tile(np.float32([-1, -1, 1, 1]), (count, 1))
    return CustomFaces(
        tuple(names), start, np.ones(count, bool), frame, labels, last.landmarks.numpy(), last.q.numpy(), windows, full
    )


@pytest.fixture(scope="module")
def network() -> RDR:
    rdr = untrained_network()
    rdr.iterations = 1
    return rdr.requires_grad_(False)


@pytest.fixture(scope="module")
def faces(model: FaceModel, network: RDR, tmp_path_factory: pytest.TempPathFactory) -> CustomFaces:
    return drawn(model, network, tmp_path_factory.mktemp("faces") / "photos", 20)


def test_views_carry_the_points_and_mirror_them(faces: CustomFaces) -> None:
    index, mirror = np.arange(4), np.array([0, 2, 1, 4, 3])
    plain = no_augmentation()
    generator = torch.Generator().manual_seed(0)
    crops, labels = draw_views(faces, index, mirror, SIZE, plain, generator)
    flipped, turned = draw_views(faces, index, mirror, SIZE, replace(plain, mirror=1.0), generator)
    np.testing.assert_allclose(turned.numpy(), labels.numpy()[:, mirror] * [-1, 1], atol=1e-5)
    np.testing.assert_allclose(flipped.numpy(), crops.numpy()[..., ::-1], atol=1.0)


def test_learning_leaves_the_network_alone(
    network: RDR, faces: CustomFaces, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    crops = torch.rand(2, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0)) * 255
    before = network(crops)
    state = {name: value.clone() for name, value in network.state_dict().items()}
    readout, mirror, error = tune.learn(network, SIZE, faces, 0.0, 0, tmp_path / "sheet.jpg")
    printed = capsys.readouterr().out
    np.testing.assert_array_equal(mirror, [0, 2, 1, 4, 3])
    # The network has learned nothing, so its faces say little of their views; the surface points must still fit.
    assert float(printed.split("surface points only")[1].split()[0]) < 2.0, printed
    assert readout.count == 5 and np.isfinite(error) and (tmp_path / "sheet.jpg").is_file()
    after = network(crops)
    assert torch.equal(before.steps[-1].landmarks, after.steps[-1].landmarks)
    assert torch.equal(before.steps[-1].q, after.steps[-1].q)
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())


def test_the_corrections_are_learned(model: FaceModel) -> None:
    """Notes whose labels follow context and features: both fits must find that, gaps and slips notwithstanding."""
    known = model.points["ibug68"]
    readout = CustomLandmarks(model.reduced(SurfacePoints(known.triangle[:3], known.barycentric[:3])))
    readout.requires_grad_(False)
    draw = torch.Generator().manual_seed(0)
    views = 2000
    surface = torch.randn(views, 3, 2, generator=draw)
    context = torch.cat([torch.randn(views, 256, generator=draw), 0.05 * torch.randn(views, 136, generator=draw)], 1)
    features = torch.randn(views, 3, 80, generator=draw).half()
    far = context[:, 256:262].view(-1, 3, 2) + 0.03 * context[:, :6].view(-1, 3, 2)
    labels = surface + 0.1 + far + 0.01 * features[..., :2].float()
    truth = labels.clone()
    labels[::9, 0] = torch.nan
    labels[5::29] += 0.3
    notes = Notes(torch.arange(views) // 4, surface, context, features, labels)
    fit_place(readout, notes)
    first = (readout.placed(surface, context) - truth).norm(dim=-1).mean()
    fit_local(readout, notes)
    local = readout.local_bias + (features.float().unsqueeze(-1) * readout.local).sum(2)
    second = (readout.placed(surface, context) + local - truth).norm(dim=-1).mean()
    start = (surface - truth).norm(dim=-1).mean()
    assert first < 0.3 * start and second < 0.85 * first, (start, first, second)


def test_mistakes_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for i in range(3):
        write_face(tmp_path / "photos", str(i), POINTS)
    command = ["train", "--setting", str(tmp_path / "photos"), "-o", str(tmp_path / "run")]
    for options, status, message in (
        ([], 1, "holds 3 labeled photos, wanted 10"),
        (["--config", "tiny"], 2, "leave out --config"),
        (["--name", "a/b"], 2, "wants a plain name"),
        (["--minutes", "-1"], 2, "--minutes must be 0 or more"),
    ):
        assert main([*command, *options]) == status, options
        assert message in capsys.readouterr().err
    assert main(["train", "-o", str(tmp_path / "run")]) == 2
    assert "--config is missing" in capsys.readouterr().err
