"""Options for choices that the supplement does not state: sampling of C-LSTM's features, and the contour method."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from lightning_fabric import Fabric

from rdrface.datasets.packing import pack
from rdrface.datasets.synthetic import draw_faces
from rdrface.errors import ConfigError
from rdrface.geometry.contour import slide_extreme_x
from rdrface.network import rdr
from rdrface.network.projection import Projection
from rdrface.network.rdr import RDR, Prediction
from rdrface.network.shape_indexed import shape_indexed
from rdrface.training import config
from rdrface.training.config import StageConfig, TrainingConfig
from rdrface.training.config_file import load_config
from rdrface.training.loop import train

STAGE = '[[stage]]\ntrain = "joint"\nsteps = 3\n'


def some_network(**options: str) -> RDR:
    """A network with two iterations that move the points."""
    torch.manual_seed(0)
    network = RDR(2, **options).eval()
    with torch.no_grad():
        network.scale.mean[50:57] = torch.tensor([0.5, 0.6, 0.05, 0.5, 1.0, -0.5, 0.0085])
        network.scale.std[50:57] = torch.tensor([0.1, 0.3, 0.1, 2.0, 2.0, 2.0, 0.0004])
        for part in (network.pe_lstm, network.c_lstm):
            part.correct.weight.normal_(0, 0.2)
    return network


def sampled_features(network: RDR) -> tuple[Prediction, list[torch.Tensor], list[torch.Tensor]]:
    """A prediction, and the features of PE-LSTM and of C-LSTM in each step."""
    inputs_of: tuple[list[torch.Tensor], list[torch.Tensor]] = ([], [])
    hooks = [
        part.register_forward_pre_hook(lambda _m, inputs, kept=kept: kept.append(inputs[0]))
        for part, kept in zip((network.pe_lstm, network.c_lstm), inputs_of, strict=True)
    ]
    with torch.no_grad():
        prediction = network(torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1)) * 255)
    for hook in hooks:
        hook.remove()
    return prediction, *inputs_of


def test_by_default_both_components_sample_at_the_previous_landmarks() -> None:
    prediction, by_pe, by_c = sampled_features(some_network())
    for k in (1, 2):
        at = shape_indexed(prediction.deconv5, prediction.steps[k - 1].landmarks)
        assert torch.equal(by_pe[k - 1], at)
        assert torch.equal(by_c[k - 1], at)


def test_with_projection_c_lstm_samples_at_the_refined_projection() -> None:
    prediction, by_pe, by_c = sampled_features(some_network(features="projection"))
    for k in (1, 2):
        before, now = prediction.steps[k - 1], prediction.steps[k]
        assert (now.projection - before.projection).abs().max() > 1e-3
        assert torch.equal(by_pe[k - 1], shape_indexed(prediction.deconv5, before.landmarks))
        assert torch.equal(by_c[k - 1], shape_indexed(prediction.deconv5, now.projection[..., :2]))
        assert not torch.equal(by_c[k - 1], by_pe[k - 1])


def test_the_contour_method_is_that_of_the_projection() -> None:
    network = some_network(contour="extreme")
    prediction, _, _ = sampled_features(network)
    for step in prediction.steps:
        assert torch.equal(step.projection, Projection(slide=slide_extreme_x)(step.q)[0])
        assert not torch.allclose(step.projection, Projection()(step.q)[0], atol=1e-3)


def test_options_do_not_change_the_shapes_of_the_weights() -> None:
    plain = RDR(1).state_dict()
    other = RDR(1, "projection", "extreme").state_dict()
    assert [(name, value.shape) for name, value in plain.items()] == [(n, v.shape) for n, v in other.items()]


def test_options_have_the_same_names_in_network_and_configuration() -> None:
    assert config.FEATURES == rdr.FEATURES
    assert tuple(rdr.CONTOURS) == config.CONTOURS


def test_unknown_options_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="features must be one of previous, projection; got 'next'"):
        RDR(1, features="next")
    with pytest.raises(ValueError, match="contour must be one of line, extreme; got 'x'"):
        RDR(1, contour="x")
    path = tmp_path / "run.toml"
    for text, message in (
        ('features = "next"\n', "features must be one of previous, projection; got 'next'"),
        ('contour = "x"\n', "contour must be one of line, extreme; got 'x'"),
        ("contour = 3\n", "contour must be str; got 3"),
    ):
        path.write_text(text + STAGE)
        with pytest.raises(ConfigError, match=message):
            load_config(path)


def test_training_uses_the_options_of_its_configuration(tmp_path: Path) -> None:
    faces = pack(draw_faces(tmp_path / "faces", 4), 64)
    fabric = Fabric(accelerator="cpu", devices=1, precision="32-true")
    fabric.launch()
    plain = TrainingConfig(
        (StageConfig("joint", 1, crop_sizes=[32], batch_size=4),),
        iterations=1,
        log_every=1,
        loss={"wpdc": 0.1, "vertex": 0.1},
    )
    network = train(replace(plain, features="projection", contour="extreme"), faces, None, tmp_path / "run", fabric)
    assert network is not None
    assert (network.features, network.contour) == ("projection", "extreme")
    assert network.projection.slide is slide_extreme_x
    header = (tmp_path / "run" / "log.csv").read_text().splitlines()[0]
    assert header.endswith("wpdc,vertex")
