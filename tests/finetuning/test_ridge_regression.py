"""Fit of the corrections of custom landmarks."""

import pytest

from rdrface.morphable.model import FaceModel, SurfacePoints

torch = pytest.importorskip("torch")

from rdrface.finetuning.ridge_regression import fit_global_correction, fit_local_correction  # noqa: E402
from rdrface.finetuning.views import FeatureCache  # noqa: E402
from rdrface.network.custom_landmarks import CustomLandmarks  # noqa: E402


def test_both_corrections_are_recovered_despite_missing_points_and_outliers() -> None:
    model = FaceModel.load()
    known = model.points["ibug68"]
    readout = CustomLandmarks(model.reduced(SurfacePoints(known.triangle[:3], known.barycentric[:3])))
    readout.requires_grad_(False)
    generator = torch.Generator().manual_seed(0)
    views = 2000
    surface = torch.randn(views, 3, 2, generator=generator)
    hidden = torch.randn(views, 256, generator=generator)
    context = torch.cat([hidden, 0.05 * torch.randn(views, 136, generator=generator)], 1)
    features = torch.randn(views, 3, 80, generator=generator).half()
    # Labels that are linear in context and features.
    offset = context[:, 256:262].view(-1, 3, 2) + 0.03 * context[:, :6].view(-1, 3, 2)
    labels = surface + 0.1 + offset + 0.01 * features[..., :2].float()
    truth = labels.clone()
    labels[::9, 0] = torch.nan
    labels[5::29] += 0.3
    cache = FeatureCache(torch.arange(views) // 4, surface, context, features, labels)
    fit_global_correction(readout, cache)
    after_global = (readout.placed(surface, context) - truth).norm(dim=-1).mean()
    fit_local_correction(readout, cache)
    local = readout.local_bias + (features.float().unsqueeze(-1) * readout.local).sum(2)
    after_local = (readout.placed(surface, context) + local - truth).norm(dim=-1).mean()
    before = (surface - truth).norm(dim=-1).mean()
    assert after_global < 0.3 * before and after_local < 0.85 * after_global, (before, after_global, after_local)
