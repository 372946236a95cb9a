"""The network: all dimensions in section 2 of the supplement, and the refinement loop."""

import pytest
import torch
from torch import nn
from torch.nn.functional import grid_sample

from rdrface.network.dual_refinement import CLSTM, PELSTM
from rdrface.network.parameter_initialization import ParameterScale
from rdrface.network.rdr import RDR
from rdrface.network.shape_indexed import ShapeIndexedFeatures, shape_indexed


@pytest.fixture(scope="module")
def network() -> RDR:
    torch.manual_seed(0)
    rdr = RDR().eval()
    # The approximate scale of a face in its crop, so that projections are finite and different.
    rdr.scale.mean[56] = 0.009
    return rdr


@pytest.fixture(scope="module")
def crops() -> torch.Tensor:
    return torch.rand(2, 3, 256, 256, generator=torch.Generator().manual_seed(1)) * 255


def test_rescaling_the_parameters_does_not_change_the_output(crops: torch.Tensor) -> None:
    torch.manual_seed(3)
    network = RDR(2).eval()
    network.scale.mean[56] = 0.009
    torch.nn.init.normal_(network.initialization.fc6_exp.weight, std=0.02)
    torch.nn.init.normal_(network.pe_lstm.correct.weight, std=0.02)
    q = torch.randn(50, 103)
    q[:, 56] = 0.008 + 0.001 * q[:, 56]
    with torch.no_grad():
        before = network(crops).steps[-1]
        network.rescale(q)
        after = network(crops).steps[-1]
    assert network.scale.std[60] == pytest.approx(q[:, 60].std().item())
    torch.testing.assert_close(after.q, before.q, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(after.landmarks, before.landmarks, rtol=1e-3, atol=1e-4)


def outputs(module: nn.Module, name: str, crops: torch.Tensor) -> torch.Size:
    """Shape of the output of the submodule `name` for `crops`."""
    shapes: list[torch.Size] = []
    hook = module.get_submodule(name).register_forward_hook(lambda _m, _i, out: shapes.append(out.shape))
    with torch.no_grad():
        module(crops)
    hook.remove()
    return shapes[0]


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("backbone.res3", (2, 128, 32, 32)),
        ("initialization.pool5", (2, 512, 4, 4)),
        ("initialization.fc5_p", (2, 128)),
        ("initialization.fc5_id", (2, 256)),
        ("initialization.fc5_exp", (2, 512)),
        ("initialization.fc6_p", (2, 7)),
        ("initialization.fc6_id", (2, 50)),
        ("initialization.fc6_exp", (2, 46)),
        ("regression_features.deconv4", (2, 48, 64, 64)),
        ("regression_features.deconv5", (2, 80, 128, 128)),
        ("pe_lstm.reduce", (2, 256)),
        ("c_lstm.reduce", (2, 256)),
        ("pe_lstm.correct", (2, 53)),
        ("c_lstm.correct", (2, 136)),
        ("jawline_readout.correct", (2, 34)),
    ],
)
def test_dimensions_are_those_of_the_supplement(
    network: RDR, crops: torch.Tensor, name: str, shape: tuple[int, ...]
) -> None:
    assert outputs(network, name, crops) == shape


def test_conv6_has_one_channel_per_landmark_at_half_resolution(network: RDR, crops: torch.Tensor) -> None:
    with torch.no_grad():
        assert network.response(network(crops).deconv5).shape == (2, 68, 128, 128)


def test_deconvolutions_have_kernel_4_and_stride_2(network: RDR) -> None:
    for part in (network.regression_features.deconv4, network.regression_features.deconv5):
        deconvolution = part[0]
        assert isinstance(deconvolution, nn.ConvTranspose2d)
        assert deconvolution.kernel_size == (4, 4)
        assert deconvolution.stride == (2, 2)


def test_the_shape_indexed_vector_has_5440_numbers(network: RDR) -> None:
    assert network.pe_lstm.reduce.in_features == network.c_lstm.reduce.in_features == 80 * 68


def test_every_step_is_in_the_output_and_identity_is_not_refined(network: RDR, crops: torch.Tensor) -> None:
    with torch.no_grad():
        prediction = network(crops)
    assert len(prediction.steps) == network.iterations + 1 == 4
    first, last = prediction.steps[0], prediction.steps[-1]
    assert torch.equal(first.landmarks, first.projection[..., :2])
    assert torch.equal(first.q[:, :50], last.q[:, :50])
    assert not torch.equal(first.q[:, 50:], last.q[:, 50:])
    assert not torch.equal(last.landmarks, last.projection[..., :2])
    for step in prediction.steps:
        assert step.q.shape == (2, 103)
        assert step.projection.shape == step.projection_jawline.shape == (2, 68, 3)
        assert torch.equal(step.projection[:, 17:], step.projection_jawline[:, 17:])
        assert torch.equal(step.landmarks_jawline[:, 17:], step.landmarks[:, 17:])
    assert torch.equal(first.landmarks_jawline, first.projection_jawline[..., :2])
    assert not torch.equal(last.landmarks_jawline[:, :17], last.projection_jawline[:, :17, :2])


def test_batch_equals_single(network: RDR, crops: torch.Tensor) -> None:
    with torch.no_grad():
        both = network(crops).steps[-1].landmarks
        alone = torch.cat([network(crop[None]).steps[-1].landmarks for crop in crops])
    assert torch.allclose(both, alone, atol=1e-5)


@pytest.mark.parametrize("size", [64, 128])
def test_other_crop_sizes_give_the_same_shapes(network: RDR, size: int) -> None:
    with torch.no_grad():
        prediction = network(torch.full((1, 3, size, size), 99.0))
    assert prediction.deconv5.shape == (1, 80, size // 2, size // 2)
    assert prediction.steps[-1].landmarks.shape == (1, 68, 2)


def test_negative_iterations_are_refused() -> None:
    with pytest.raises(ValueError, match="0 or more; got -1"):
        RDR(-1)


def test_refinement_components_have_the_outputs_of_the_paper() -> None:
    features = torch.rand(3, 68, 80)
    for component, outputs_ in ((PELSTM(), 53), (CLSTM(), 136)):
        state = component.start(features)
        correction, (hidden, cell) = component(features, state)
        assert correction.shape == (3, outputs_)
        assert hidden.shape == cell.shape == (3, 256)
        again, _ = component(features, (hidden, cell))
        assert not torch.equal(again, correction), "the state must change the output"


def test_shape_indexed_samples_at_the_landmarks() -> None:
    # The value of the map is its own position, so the sampled value must equal the position.
    size = 32
    axis = (2 * torch.arange(size) + 1) / size - 1
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    field = torch.stack([x, y])[None].expand(3, -1, -1, -1)
    points = (torch.rand(3, 68, 2) * 2 - 1) * (1 - 1 / size)
    assert torch.allclose(shape_indexed(field, points), points, atol=1e-6)


def test_shape_indexed_is_bilinear_and_samples_the_edge_outside_the_crop() -> None:
    field = torch.rand(2, 80, 16, 16, generator=torch.Generator().manual_seed(0)).bfloat16()
    points = (torch.rand(2, 68, 2, generator=torch.Generator().manual_seed(1)) - 0.5) * 3
    known = grid_sample(field.float(), points.unsqueeze(2), mode="bilinear", padding_mode="border", align_corners=False)
    assert torch.allclose(shape_indexed(field, points), known.squeeze(3).transpose(1, 2), atol=1e-5)


def test_shape_indexed_passes_no_gradient_to_the_landmarks() -> None:
    points = torch.zeros(1, 68, 2, requires_grad=True)
    field = torch.rand(1, 80, 8, 8, requires_grad=True)
    shape_indexed(field, points).sum().backward()
    assert points.grad is None
    assert field.grad is not None


def test_the_gradient_of_several_samples_is_the_sum_of_theirs() -> None:
    generator = torch.Generator().manual_seed(0)
    field = torch.rand(2, 80, 8, 8, generator=generator, requires_grad=True)
    # Points near each other share cells, and some are outside the crop.
    sets = [torch.rand(2, 68, 2, generator=generator) * scale for scale in (0.2, 1.5)]
    indexed = ShapeIndexedFeatures(field)
    weights = [torch.rand(2, 68, 80, generator=generator) for _ in sets]
    samples = [indexed.at(points) for points in sets]
    # The second set enters twice, as the features of a recurrence enter two components.
    (samples[0] * weights[0] + samples[1] * weights[1] + samples[1]).sum().backward()
    collected = field.grad
    field.grad = None
    known = [grid_sample(field, p.unsqueeze(2), padding_mode="border", align_corners=False) for p in sets]
    first, second = (sampled.squeeze(3).transpose(1, 2) for sampled in known)
    (first * weights[0] + second * weights[1] + second).sum().backward()
    torch.testing.assert_close(collected, field.grad)


def test_parameter_scale_round_trip() -> None:
    scale = ParameterScale()
    q = torch.randn(50, 103) * 3 + 1
    scale.measure(q)
    standardized = scale.standardize(q)
    assert torch.allclose(scale(standardized), q, atol=1e-5)
    assert torch.allclose(standardized.std(0), torch.ones(103), atol=1e-4)


def test_every_kind_of_parameter_has_its_own_minimum_of_the_standard_deviation() -> None:
    """f is much smaller than a translation: a common minimum of 1 % of 14 mm would be 16 times f."""
    scale = ParameterScale()
    q = torch.randn(500, 103) * 0.5
    q[:, 53:56] *= 30
    q[:, 56] = 0.0087 + 0.0006 * torch.randn(500)
    scale.measure(q)
    assert scale.std[56] == pytest.approx(0.0006, rel=0.2)
    scale.measure(q[:1].expand(10, -1))
    assert 0 < scale.std[56] < 0.001, "constant parameters have a standard deviation above 0"
    assert (scale.std > 0).all()
