"""Fit of custom landmarks to aligned faces: base, mirror permutation and both corrections."""

import sys
import time
from dataclasses import dataclass

import numpy as np

from rdrface.finetuning.faces import CustomFaces
from rdrface.finetuning.placement import Placement, mirror_pairs, place_points
from rdrface.finetuning.ridge_regression import fit_global_correction, fit_local_correction
from rdrface.finetuning.views import cache_features
from rdrface.landmarks import MIRROR
from rdrface.morphable.model import FaceModel
from rdrface.network.custom_landmarks import CustomLandmarks
from rdrface.network.rdr import RDR

GLOBAL_SHARE = 0.3
"""Share of the time for the views to which the first correction is fitted. The remaining time is for the second, whose
features are sampled at the landmarks after the first correction."""

MAX_MISFIT = 6.0
"""Misfit, percent of the face size, above which a custom landmark is probably not a point of the face."""


@dataclass(frozen=True)
class Fit:
    """Fitted custom landmarks.

    Attributes:
        readout: the custom landmarks.
        mirror: (L,) mirror permutation; None if the points do not form pairs.
        unpaired: reason why `mirror` is None; otherwise empty.
        placement: surface points of the landmarks; None if their base is an output of the network.
        views: numbers of views to which the first and the second correction were fitted.
    """

    readout: CustomLandmarks
    mirror: np.ndarray | None
    unpaired: str
    placement: Placement | None
    views: tuple[int, int]


def fit_readout(network: RDR, size: int, faces: CustomFaces, output: str | None, seconds: float, seed: int) -> Fit:
    """Fit custom landmarks to all faces; prints nothing.

    Args:
        network: frozen RDR in evaluation mode.
        size: N, side of its crops in pixels.
        faces: annotated faces.
        output: output of the network that is the base of the 68 landmarks; None places the landmarks on the 3D face.
        seconds: time for drawing views. At least one view of each face is drawn for each correction.
        seed: seed of all random numbers.
    """
    placement, mirror, unpaired = None, None, ""
    if output is None:
        model = FaceModel.load()
        placement = place_points(model, faces.q, faces.labels, faces.sizes)
        mirror, unpaired = mirror_pairs(model, placement.points)
        readout = CustomLandmarks(model.reduced(placement.points), network.sizes)
    else:
        mirror = MIRROR.astype(np.int64)
        readout = CustomLandmarks(output, network.sizes)
    readout = readout.requires_grad_(False).eval()
    start = time.monotonic()
    first = cache_features(network, readout, faces, mirror, size, GLOBAL_SHARE * seconds, seed)
    fit_global_correction(readout, first)
    remaining = seconds - (time.monotonic() - start)
    second = cache_features(network, readout, faces, mirror, size, remaining, seed + 1)
    fit_local_correction(readout, second)
    return Fit(readout, mirror, unpaired, placement, (len(first), len(second)))


def print_fit(fit: Fit, images: int) -> None:
    """Print the misfit of every custom landmark, the mirrored pairs and the number of views, with warnings.

    Args:
        fit: the fit.
        images: number of images that it was fitted to.
    """
    if fit.placement is not None:
        _print_misfits(fit.placement)
        _print_pairs(fit)
    first, second = fit.views
    print(f"fitted to {images} images: {first} views for the global, {second} for the local correction")


def _print_pairs(fit: Fit) -> None:
    if fit.mirror is None:
        print(
            f"warning: the points do not form left-right pairs ({fit.unpaired}), so mirrored views are not used. This "
            "is expected of an annotation scheme that is not symmetric; otherwise check that the points have the same "
            "order in all files",
            file=sys.stderr,
        )
        return
    middle = int((fit.mirror == np.arange(len(fit.mirror))).sum())
    print(f"mirror image: {(len(fit.mirror) - middle) // 2} pairs and {middle} points on the midline")


def _print_misfits(placement: Placement) -> None:
    """Print the misfit of every custom landmark, and a warning if some are large."""
    print("median distance of the annotations from the point's place on the 3D face, % of face size:")
    cells = [f"{k + 1:4d}: {misfit:4.1f}" for k, misfit in enumerate(placement.misfit)]
    for first in range(0, len(cells), 10):
        print(" ".join(cells[first : first + 10]))
    bad = np.flatnonzero(~(placement.misfit <= MAX_MISFIT)) + 1
    if len(bad):
        print(
            f"warning: points {', '.join(map(str, bad[:10]))}{', ...' if len(bad) > 10 else ''} do not fit any place "
            "on the 3D face. Check that they have the same order in all files and mark the same spot in every image",
            file=sys.stderr,
        )
