"""Texture of the 3D face in headless Chromium, on drawn photos: a face of one color in front of green."""

from typing import Any

import numpy as np
import pytest

TEXTURE = """const [yaw, top, inset] = arguments;
return Promise.all(['pose', 'texture'].map((name) => import(`/js/${name}.js`))).then(([{project}, {faceTexture}]) => {
  const {model} = rdrface.view, f = 1.5, a = 200 / f, b = -(200 - top) / f;
  const pose = [0, yaw, 0, Math.cos(yaw) * a, b, Math.sin(yaw) * a, f];
  const landmarks = Array.from({length: 68}, (_, i) => [i % 2 * 200, i % 3 * 100]);
  const face = {expected_error: 2, landmarks, parameters: {pose}};
  const at = project(model.mean, pose);
  const photo = Object.assign(document.createElement('canvas'), {width: 400, height: 400 - top});
  const context = photo.getContext('2d');
  context.fillStyle = 'rgb(210, 150, 120)';
  for (let i = 0; i < model.triangles.length; i += 3) {
    context.beginPath();
    for (const v of model.triangles.subarray(i, i + 3)) context.lineTo(at[v * 3], at[v * 3 + 1]);
    context.closePath();
    context.fill();
    context.lineWidth = 1;
    context.strokeStyle = context.fillStyle;
    context.stroke();
  }
  // The face of the photo ends before that of the model.
  const copy = Object.assign(document.createElement('canvas'), {width: 400, height: 400 - top});
  const out = copy.getContext('2d');
  out.fillStyle = 'rgb(0, 255, 0)';
  out.fillRect(0, 0, 400, 400);
  const narrow = Object.assign(document.createElement('canvas'), {width: 400, height: 400 - top});
  const cut = narrow.getContext('2d');
  cut.drawImage(photo, 0, 0);
  cut.globalCompositeOperation = 'destination-in';
  for (const [x, y] of [[1, 0], [-1, 0], [0, 1]]) cut.drawImage(photo, x * inset, y * inset);
  out.drawImage(narrow, 0, 0);
  if (top) out.fillRect(0, 0, 400, 1);
  const texture = faceTexture(model, model.mean, face, copy, {width: 400, height: 400 - top});
  const {data} = texture.getContext('2d').getImageData(0, 0, texture.width, texture.height);
  const colors = [];
  for (let i = 0; i < model.count; i++) {
    if (model.part[i]) continue;
    const limit = (value, side) => Math.min(Math.max(Math.round(value * side - .5), 0), side - 1);
    const x = limit(model.uv[i * 2], texture.width), y = limit(1 - model.uv[i * 2 + 1], texture.height);
    const start = (y * texture.width + x) * 4;
    colors.push([...data.subarray(start, start + 3), at[i * 3 + 1]]);
  }
  return colors;
});"""


@pytest.mark.parametrize("yaw", [0, 60, 85])
def test_the_background_along_the_outline_is_not_part_of_the_texture(page: Any, yaw: float) -> None:
    colors = np.array(page.execute_script(TEXTURE, np.deg2rad(yaw), 0, 1.5))
    assert (colors[:, 1] < colors[:, 0]).all()


def test_skin_above_the_photo_has_the_color_of_the_skin_and_not_of_the_edge_of_the_photo(page: Any) -> None:
    colors = np.array(page.execute_script(TEXTURE, 0, 150, 0))
    above = colors[colors[:, 3] < 0]
    assert len(above) > 100
    np.testing.assert_allclose(above[:, :3], np.broadcast_to([210, 150, 120], above[:, :3].shape), atol=12)
