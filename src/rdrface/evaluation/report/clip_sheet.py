"""Contact sheet of clips: a row of frames per clip with the true landmarks."""

from collections.abc import Iterable

import numpy as np
from PIL import Image

from rdrface.datasets.contact_sheet import STATE_COLORS, draw_dot, write_label
from rdrface.datasets.records import SELF_OCCLUDED, VISIBLE
from rdrface.evaluation.clips.clip import Clip

_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)


def clip_sheet(clips: Iterable[Clip], columns: int = 6, tile_width: int = 320) -> np.ndarray:
    """Draw frames of clips.

    Args:
        clips: one row each.
        columns: frames per clip, at equal distances in time.
        tile_width: width of a frame on the sheet, pixels. The frames have the height of the highest one.

    Returns:
        (H, W, 3) uint8. Visible landmarks are green, hidden ones blue.
    """
    rows = [_row(clip, columns, tile_width) for clip in clips]
    height = max(row.shape[0] for row in rows)
    return np.concatenate([np.pad(row, ((0, height - len(row)), (0, 0), (0, 0))) for row in rows])


def _row(clip: Clip, columns: int, tile_width: int) -> np.ndarray:
    chosen = np.linspace(0, len(clip) - 1, columns).round().astype(int).tolist()
    scale = tile_width / clip.width
    tiles = {}
    for i, frame in enumerate(clip.frames()):
        if i not in chosen:
            continue
        tile = np.array(Image.fromarray(frame).resize((tile_width, round(scale * clip.height)), Image.Resampling.BOX))
        for points, hidden in zip(clip.landmarks[i], clip.hidden[i], strict=True):
            for point, is_hidden in zip((points + 0.5) * scale - 0.5, hidden.tolist(), strict=True):
                if np.isfinite(point).all() and (np.abs(point) < 2 * tile_width).all():
                    draw_dot(tile, point, STATE_COLORS[SELF_OCCLUDED if is_hidden else VISIBLE])
        write_label(tile, (3, 2), f"{clip.kind}, frame {i}", _WHITE, 12, outline=_BLACK)
        tiles[i] = tile
    return np.concatenate([tiles[i] for i in chosen], axis=1)
