"""Augmented views of faces with custom landmarks, and their cached features."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from custom_faces import SIZE, custom_faces  # noqa: E402
from exported import untrained_network  # noqa: E402
from rdrface.finetuning.faces import CustomFaces  # noqa: E402
from rdrface.finetuning.views import cache_features, draw_views  # noqa: E402
from rdrface.morphable.model import FaceModel, SurfacePoints  # noqa: E402
from rdrface.network.custom_landmarks import CustomLandmarks  # noqa: E402
from rdrface.network.rdr import RDR  # noqa: E402
from rdrface.training.augmentation.config import no_augmentation  # noqa: E402

MIRROR = np.array([0, 2, 1, 4, 3])


@pytest.fixture(scope="module")
def network() -> RDR:
    rdr = untrained_network()
    rdr.iterations = 1
    return rdr.requires_grad_(False)


@pytest.fixture(scope="module")
def faces(network: RDR, tmp_path_factory: pytest.TempPathFactory) -> CustomFaces:
    return custom_faces(network, tmp_path_factory.mktemp("views") / "images", 4)


def test_mirrored_views_mirror_pixels_and_points(faces: CustomFaces) -> None:
    index = np.arange(4)
    plain = no_augmentation()
    generator = torch.Generator().manual_seed(0)
    crops, labels = draw_views(faces, index, MIRROR, SIZE, plain, generator)
    flipped, mirrored = draw_views(faces, index, MIRROR, SIZE, replace(plain, mirror=1.0), generator)
    np.testing.assert_allclose(mirrored.numpy(), labels.numpy()[:, MIRROR] * [-1, 1], atol=1e-5)
    np.testing.assert_allclose(flipped.numpy(), crops.numpy()[..., ::-1], atol=1.0)


def test_without_time_every_face_is_cached_with_its_mirror_image_and_the_seed_determines_further_views(
    network: RDR, faces: CustomFaces
) -> None:
    model = FaceModel.load()
    known = model.points["ibug68"]
    readout = CustomLandmarks(model.reduced(SurfacePoints(known.triangle[:5], known.barycentric[:5])))
    readout.requires_grad_(False)
    first, again, other = (cache_features(network, readout, faces, MIRROR, SIZE, 0.0, seed) for seed in (0, 0, 1))
    assert first.photo.tolist() == [0, 1, 2, 3, 0, 1, 2, 3]
    assert first.features.shape == (8, 5, 80) and first.labels.shape == (8, 5, 2)
    np.testing.assert_allclose(first.labels[4:], first.labels[:4, MIRROR] * torch.tensor([-1.0, 1.0]), atol=1e-5)
    assert torch.equal(first.labels, other.labels), "these views do not depend on the seed"
    unpaired = cache_features(network, readout, faces, None, SIZE, 0.0, 0)
    assert unpaired.photo.tolist() == [0, 1, 2, 3]
    first, again, other = (
        cache_features(network, readout, faces, MIRROR, SIZE, 1e9, seed, max_views=12) for seed in (0, 0, 1)
    )
    assert len(first) == 12
    assert torch.equal(first.photo, again.photo) and torch.equal(first.labels, again.labels)
    assert not torch.equal(first.labels[first.photo.argsort()], other.labels[other.photo.argsort()])
