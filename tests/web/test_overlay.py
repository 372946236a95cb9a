"""Drawing on the photo in headless Chromium: what the photo hides is fainter."""

from typing import Any

import numpy as np

DRAW = """const [hidden, show] = arguments;
const canvas = Object.assign(document.createElement('canvas'), {width: 320, height: 320});
const at = (i) => [20 + 280 * ((i * 7) % 68) / 68, 20 + 280 * (i % 11) / 11];
const landmarks = Array.from({length: 68}, (_, i) => at(i));
landmarks[27] = [40, 310];  // the bridge of the nose is a line with nothing near it
landmarks[28] = [280, 310];
const face = {landmarks, landmarks_jawline: landmarks, visibility: landmarks.map((_, i) => hidden.includes(i) ? 0 : 1)};
return import('/js/overlay.js').then(({drawFace}) => {
  const context = canvas.getContext('2d', {willReadFrequently: true});
  drawFace(context, face, show, 1, null);
  return Array.from(context.getImageData(0, 300, 320, 20).data);
});"""


def test_a_line_with_a_hidden_end_is_fainter_than_one_with_visible_ends(page: Any) -> None:
    def opacity(*hidden: int) -> float:
        strip = page.execute_script(DRAW, hidden, {"points": True, "hidden": True})
        return float(np.array(strip).reshape(20, 320, 4)[:, 100:220, 3].sum(axis=0).mean())

    visible = opacity()
    for ends in ([27], [28], [27, 28]):
        assert 0 < opacity(*ends) < 0.3 * visible


def test_a_ring_has_no_filling_and_a_point_has(page: Any) -> None:
    def center(*hidden: int) -> int:
        strip = page.execute_script(DRAW, hidden, {"points": True, "hidden": True})
        return int(np.array(strip).reshape(20, 320, 4)[10, 280, 3])

    assert center() == 255
    assert center(27, 28) < 128
