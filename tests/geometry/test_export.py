"""Geometry in exported and compiled graphs: any batch size, no graph breaks, same results."""

import numpy as np
import onnxruntime
import pytest
import torch

import ellipsoid
from rdrface.geometry.camera import TRANSLATION, project
from rdrface.geometry.contour import points_on_lines, slide_contour_line, slide_extreme_x
from rdrface.geometry.visibility import facing


class Outline(torch.nn.Module):
    def __init__(self, slide):
        super().__init__()
        self.slide = slide
        lines, normals = ellipsoid.lines_and_normals(1)
        self.register_buffer("lines", torch.from_numpy(lines))
        self.register_buffer("normals", torch.from_numpy(normals))

    def forward(self, pose: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        # The lines depend on the input, as in the network.
        lines = self.lines * (1 + 0.01 * pose[:, None, None, TRANSLATION])
        normals = self.normals + 0 * lines
        s = self.slide(lines, normals, pose)
        return project(points_on_lines(lines, s), pose), facing(normals[:, :, 0], pose)


@pytest.mark.no_cover  # tracing makes the export several times slower
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("slide", [slide_contour_line, slide_extreme_x])
def test_one_graph_runs_with_every_batch_size(slide, tmp_path):
    module, pose = Outline(slide), torch.from_numpy(ellipsoid.random_poses(3, seed=1))
    any_batch = ({0: torch.export.Dim("batch", min=1, max=1024)},)
    path = tmp_path / "outline.onnx"
    torch.onnx.export(module, (pose,), dynamo=True, dynamic_shapes=any_batch, verbose=False).save(path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for batch in (1, 5):
        pose = torch.from_numpy(ellipsoid.random_poses(batch, seed=batch))
        outputs = session.run(None, {session.get_inputs()[0].name: pose.numpy()})
        for output, expected in zip(outputs, module(pose), strict=True):
            np.testing.assert_allclose(output, expected.numpy(), rtol=1e-4, atol=2e-3)


@pytest.mark.no_cover  # tracing makes the export several times slower
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("slide", [slide_contour_line, slide_extreme_x])
def test_the_geometry_compiles_without_graph_breaks(slide):
    module, pose = Outline(slide), torch.from_numpy(ellipsoid.random_poses(3, seed=2))
    compiled = torch.compile(module, fullgraph=True, backend="eager", dynamic=True)
    torch.testing.assert_close(compiled(pose), module(pose))
