"""The exported form of RDR computes the same outputs as RDR."""

import pytest

torch = pytest.importorskip("torch")

from exported import SIZE, some_crops, untrained_network  # noqa: E402
from rdrface.morphable.model import FaceModel  # noqa: E402
from rdrface.morphable.schemes import surface_points  # noqa: E402
from rdrface.network.custom_landmarks import CustomLandmarks, extract_features  # noqa: E402
from rdrface.network.inference_graph import InferenceGraph  # noqa: E402
from rdrface.network.point_features import PointFeatures  # noqa: E402
from rdrface.network.rdr import RDR  # noqa: E402
from rdrface.network.regression_features import RegressionFeatures  # noqa: E402
from rdrface.network.shape_indexed import shape_indexed  # noqa: E402
from rdrface.network.sizes import LITE  # noqa: E402

CROP_FRAME = 1e-5
"""Tolerance of points: 0.001 pixels of a crop of 128 pixels are 1.6e-5."""


def _same_outputs(network, crops, readout=None):
    with torch.no_grad():
        features = extract_features(network, crops)
        outputs = InferenceGraph(network, readout)(crops)
        expected = [] if readout is None else [readout(features)]
    prediction = features.prediction
    last = prediction.steps[-1]
    expected = [
        last.landmarks,
        last.landmarks_jawline,
        last.projection,
        last.projection_jawline,
        last.q,
        torch.sigmoid(prediction.visibility_logits),
        torch.exp(prediction.log_uncertainty),
        *expected,
    ]
    assert len(outputs) == len(expected)
    for output, truth in zip(outputs, expected, strict=True):
        torch.testing.assert_close(output, truth, atol=CROP_FRAME, rtol=1e-5)


@pytest.mark.parametrize(
    ("iterations", "features", "contour", "size"),
    [
        (3, "previous", "line", SIZE),
        (2, "projection", "line", SIZE),
        (1, "previous", "extreme", SIZE),
        (0, "previous", "line", SIZE),
        (1, "previous", "line", 256),
    ],
)
def test_all_options_of_rdr_give_the_same_outputs(iterations, features, contour, size):
    network = RDR(iterations, features, contour)
    network.load_state_dict(untrained_network().state_dict())
    _same_outputs(network.eval(), torch.from_numpy(some_crops(4, size)))


def test_the_light_network_and_custom_landmarks_give_the_same_outputs():
    torch.manual_seed(0)
    network = RDR(2, sizes=LITE).eval()
    network.scale.mean[50:57] = torch.tensor([0.1, 0.7, 0.05, 0.5, 1.0, -0.5, 0.0085])
    model = FaceModel.load()
    readout = CustomLandmarks(model.reduced(surface_points(model, "inner51")), LITE)
    torch.nn.init.normal_(readout.local)
    torch.nn.init.normal_(readout.place.weight, std=1e-3)
    _same_outputs(network, torch.from_numpy(some_crops(3, SIZE)), readout)


def test_features_at_points_inside_and_outside_the_crop_equal_those_of_the_whole_map():
    torch.manual_seed(0)
    layers = RegressionFeatures()
    norm = layers.deconv5[1]
    torch.nn.init.normal_(norm.weight, 1, 0.2)
    torch.nn.init.normal_(norm.bias)
    torch.nn.init.normal_(norm.running_mean, std=0.1)
    layers.eval()
    points = torch.rand(2, 500, 2) * 2.6 - 1.3
    points[0, :4] = torch.tensor([[-1.0, -1], [1, 1], [0, 0], [1 / 64, 63 / 64]])
    with torch.no_grad():
        deconv4 = layers.deconv4(torch.randn(2, 128, 8, 8))
        expected = shape_indexed(layers.deconv5(deconv4), points)
        table = torch.nn.functional.pad(deconv4, (1, 1, 1, 1)).permute(0, 2, 3, 1)
        sampled = PointFeatures(layers)(table, *points.unbind(-1))
    torch.testing.assert_close(sampled, expected, atol=1e-5, rtol=1e-5)
