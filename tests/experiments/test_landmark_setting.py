"""Designs of the landmark setting: each corrects what its inputs can express, on faces that it was not fitted to."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"
FACES, POINTS = 300, 8


@pytest.fixture(autouse=True)
def import_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXPERIMENTS))


def views(displacement):  # type: ignore[no-untyped-def]
    """Crops whose annotations are displaced from the network's output, given the angles (M, 2) and contexts (M, D)."""
    from landmark_setting import Views

    rng = torch.Generator().manual_seed(0)
    output = torch.randn(FACES, POINTS, 2, generator=rng) * 0.3
    angles = torch.rand(FACES, 2, generator=rng) - 0.5
    context = torch.randn(FACES, 4 + 2 * 68, generator=rng)
    labels = output + displacement(angles, context)[:, None]
    return Views(torch.arange(FACES), labels, output, output + 0.1, context, angles)


def errors(design, faces):  # type: ignore[no-untyped-def]
    from landmark_setting import design_errors

    return design_errors(design, faces, faces, np.arange(FACES) % 5, np.full(FACES, 1.0)).mean()


def test_each_design_removes_the_displacement_that_it_can_express() -> None:
    from landmark_setting import DESIGNS

    constant, cubic, _, from_projection = DESIGNS
    offset = views(lambda angles, _: torch.tensor([[0.05, -0.02]]).expand(FACES, 2))
    assert errors(constant, offset) < 0.01 and errors(cubic, offset) < 0.1
    turned = views(lambda angles, _: torch.stack([angles[:, 1].sin() ** 3, angles[:, 0].sin()], dim=1))
    assert errors(constant, turned) > 5 and errors(cubic, turned) < 1
    by_state = views(lambda _, context: context[:, :2] / 10)
    assert errors(cubic, by_state) > 5 and errors(from_projection, by_state) < errors(cubic, by_state) / 2


def test_a_row_has_the_mean_of_the_yaw_bins() -> None:
    from landmark_setting import row

    yaw = np.array([0.0, 10.0, 45.0, -80.0])
    values = np.repeat([[1.0], [3.0], [5.0], [8.0]], 68, axis=1)
    values[:, :17] *= 2
    cells = row("name", values, yaw).cells
    assert cells[1] == pytest.approx((2 + 5 + 8) / 3)
    assert cells[0] == pytest.approx((2 + 5 + 8) / 3 * (1 + 17 / 68))
