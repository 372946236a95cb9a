"""The crop size of each step of a stage with several crop sizes."""

import numpy as np

from rdrface.training.config import StageConfig


def crop_size(stage: StageConfig, seed: int, step: int) -> int:
    """Draw the side of the crops of a step, in pixels.

    The result depends only on the arguments, so all processes use the same size and a resumed run draws the same sizes.
    No other random numbers depend on it.

    Args:
        stage: the stage.
        seed: seed of the run and stage.
        step: number of finished steps of the stage.
    """
    sizes = stage.crop_sizes
    if len(sizes) == 1:
        return sizes[0]
    draws = np.array(stage.crop_size_draws or np.ones(len(sizes)))
    return int(np.random.default_rng([seed, step, 2]).choice(sizes, p=draws / draws.sum()))
