"""Fine-tuning to custom landmarks, from aligned faces to the fitted read-out."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from custom_faces import SIZE, custom_faces  # noqa: E402
from exported import untrained_network  # noqa: E402
from rdrface.finetuning.finetune import fit_custom_landmarks  # noqa: E402


def test_fine_tuning_fits_the_points_and_does_not_change_the_network(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = untrained_network().requires_grad_(False)
    network.iterations = 1
    faces = custom_faces(network, tmp_path / "images", 20)
    crops = torch.rand(2, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0)) * 255
    before = network(crops)
    state = {name: value.clone() for name, value in network.state_dict().items()}
    fitted, fit, error = fit_custom_landmarks(network, SIZE, faces, 0.0, 0, tmp_path / "sheet.jpg")
    printed = capsys.readouterr().out
    assert len(fitted) == 18
    np.testing.assert_array_equal(fit.mirror, [0, 2, 1, 4, 3])
    # The features of an untrained network carry little information, but the surface points must still fit.
    assert float(printed.split("surface points only")[1].split()[0]) < 2.0, printed
    assert fit.readout.count == 5 and np.isfinite(error)
    assert [path.name for path in tmp_path.glob("*.jpg")] == ["sheet.jpg"]
    after = network(crops)
    assert torch.equal(before.steps[-1].landmarks, after.steps[-1].landmarks)
    assert torch.equal(before.steps[-1].q, after.steps[-1].q)
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
