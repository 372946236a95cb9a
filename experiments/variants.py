"""The rows of the tables in docs/ablation.md."""

from dataclasses import dataclass, field

from rdrface.training.face_profiling.face_profiling import SUFFIX as PROFILED


@dataclass(frozen=True)
class Variant:
    """One row of a table.

    Attributes:
        meaning: first column of the table.
        iterations: K.
        features, contour: options of `rdrface.network.rdr.RDR`.
        loss: weights that differ from those of the base (`rdrface.training.losses.weights.LossWeights`).
        heads: also train fc5 and fc6 of the initialization, where a loss on the 3D face has its effect first.
        profiled: add faces rotated to larger yaw angles (`rdrface.training.face_profiling`).
        without: leave out the training faces whose source contains this text.
        arbitrary_rotation: probability of a rotation by any angle in the augmentation; None for the default.
        seeds: number of trainings.
    """

    meaning: str
    iterations: int = 3
    features: str = "previous"
    contour: str = "line"
    loss: dict[str, float] = field(default_factory=dict)
    heads: bool = False
    profiled: bool = False
    without: str = ""
    arbitrary_rotation: float | None = None
    seeds: int = 1


LATER_LOSSES = {"vectors": 0.0, "expression": 0.0}
"""Losses that were added after the tables were measured. They are switched off in all variants."""

NO_FIT = {"projection_jawline": 0.0, "parameters": 0.0}
"""Switches off the losses that compare the 3D face with the fitted one."""

RECURRENCE = {
    "base": Variant("recurrence: K = 3, features at S_{k-1}, contour line", seeds=3),
    "K1": Variant("K = 1", iterations=1),
    "K2": Variant("K = 2", iterations=2),
    "K4": Variant("K = 4", iterations=4),
    "K5": Variant("K = 5", iterations=5),
    "features": Variant("features of C-LSTM at the new S_p", features="projection", seeds=2),
    "contour": Variant("contour by extreme x", contour="extreme", seeds=2),
    "heads": Variant("recurrence and heads: as above", heads=True, seeds=3),
    "heads-contour": Variant("contour by extreme x", contour="extreme", heads=True),
    "heads-no-jawline": Variant("without the 3D loss", loss={"projection_jawline": 0.0}, heads=True),
    "heads-no-projection": Variant("without the loss on S_p", loss={"projection": 0.0}, heads=True),
    "heads-landmarks": Variant(
        "loss on S_k only", loss={**NO_FIT, "projection": 0.0, "landmarks_jawline": 0.0}, heads=True
    ),
    # In place of the 3D loss, with equal median gradients: see `gradient_norms` in recurrence.py.
    "heads-none": Variant("no loss on the fit", loss=NO_FIT, heads=True),
    "heads-plain": Variant("plain parameter distance", loss={**NO_FIT, "parameters": 0.25}, heads=True),
    "heads-wpdc": Variant("WPDC", loss={**NO_FIT, "wpdc": 1.4}, heads=True),
    "heads-vertex": Variant("vertex distance", loss={**NO_FIT, "vertex": 0.5}, heads=True),
}

WHOLE_NETWORK = {
    "full": Variant("whole network, 64 px"),
    "full-no-conv6": Variant("without the loss of conv6", loss={"response": 0.0}),
    "full-profiled": Variant("with turned faces added", profiled=True),
}

FROM_RELEASED = {
    "base": Variant("all parts of the recipe", seeds=3),
    "no-300w-lp": Variant("without 300W-LP's images", without="300w_lp"),
    "no-profiled": Variant("without profiled faces", without=PROFILED),
    "no-wpdc": Variant("without WPDC", loss={"wpdc": 0.0}),
    "no-conv6": Variant("without the loss of conv6", loss={"response": 0.0}),
    "K1": Variant("K = 1", iterations=1),
    "K2": Variant("K = 2", iterations=2),
    "any-angle": Variant("without upright crops: trained on faces at any angle", arbitrary_rotation=1.0),
}
