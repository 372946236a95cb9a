"""Losses towards the outputs of a trained network, the teacher, on the same faces (Hinton et al. 2015).

The teacher's outputs are labels without the noise of annotations and fits, at all 68 points. They replace a part of the
losses on labels that have a counterpart in them, those of `rdrface.training.losses.iteration_losses`. WPDC and the
vertex distance are computed from labels only. So are visibility and uncertainty: the teacher sees the faces without
augmentation (`rdrface.training.teacher`), but augmentation covers points and degrades images.
"""

from torch import Tensor

from rdrface.network.rdr import Step
from rdrface.training.batch import Batch
from rdrface.training.losses.iteration_losses import iteration_losses


def distilled(
    labeled: dict[str, Tensor], steps: list[Step], teacher: Batch, std: Tensor, share: float
) -> dict[str, Tensor]:
    """Mix the losses on labels with those on the teacher's outputs.

    Args:
        labeled: losses () by name on labels.
        steps: RDR's steps.
        teacher: the teacher's outputs as labels.
        std: (103,) of `ParameterScale`.
        share: weight of the teacher, 0..1; that of the labels is 1 - `share`.

    Returns:
        The losses by the same names.
    """
    soft = iteration_losses(steps, teacher, std)
    return {name: (1 - share) * labeled[name] + share * soft[name] for name in labeled}
