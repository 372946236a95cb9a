"""``rdrface train --setting DIR``: weights that also give landmarks of one's own, from some hundred labeled photos."""

import hashlib
import sys
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch

from rdrface.crop import CropFrame, cut
from rdrface.datasets.contact_sheet import contact_sheet
from rdrface.datasets.readers.custom_points import read_custom_points
from rdrface.datasets.records import VISIBLE
from rdrface.detection.retinaface import RetinaFace
from rdrface.detection.retinaface import weights as retinaface_weights
from rdrface.errors import ConfigError, DataError
from rdrface.finetuning.faces import CustomFaces, see_faces
from rdrface.finetuning.placement import Placement, mirror_pairs, place_points
from rdrface.finetuning.ridge_regression import fit_local, fit_place
from rdrface.finetuning.views import take_notes
from rdrface.finetuning.weights import load_network
from rdrface.image import read_image
from rdrface.morphable.model import FaceModel
from rdrface.network.custom_landmarks import CustomLandmarks, extract_features
from rdrface.network.rdr import RDR
from rdrface.runtime.session import open_graph
from rdrface.runtime.weights import CustomScheme
from rdrface.training.export import describe, export

FEWEST_FACES = 10
"""Labeled photos without which nothing can be learned, let alone checked."""

CHECKED = 0.1
"""Share of the photos that is held out."""

MINUTES = 3.0
"""Default time to learn in, beside reading the photos before and writing the graph after."""

FIRST_PART = 0.3
"""Share of the time for the views of the first correction, on which the places of the second one's features depend."""

BAD_FIT = 6.0
"""Percent of the face's size: a point whose labels lie further from its best place is probably no point of the face."""

PICTURED = 24


def fine_tune(
    start: Path, photos: Path, out: Path, name: str, minutes: float = MINUTES, origin: int = 1, seed: int = 0
) -> Path:
    """Learn a setting and write ``OUT/weights/NAME.safetensors`` with its graph.

    Args:
        start: see `rdrface.finetuning.weights.load_network`.
        photos: folder of photos and .pts files, see `rdrface.datasets.readers.custom_points`.
        out: folder of the run; gets ``setting.jpg`` too, held-out faces with their new landmarks.
        name: of the setting and of its weights file.
        minutes: how long to learn.
        origin: what the .pts files call the first pixel, 1 or 0.
        seed: of everything random.

    Returns:
        Path of the weights file.

    Raises:
        ConfigError: an impossible name or time.
        DataError: photos or labels cannot be used; the message names the file.
        WeightsError: `start` cannot be used.
    """
    if not name or name != Path(name).name or name.startswith("."):
        raise ConfigError(f"--name wants a plain name, which the weights file gets; got {name!r}")
    if not minutes >= 0:
        raise ConfigError(f"--minutes must be 0 or more; got {minutes}")
    own = read_custom_points(photos, origin)
    if len(own) < FEWEST_FACES:
        raise DataError(f"{photos} holds {len(own)} labeled photos, wanted {FEWEST_FACES} or more, better hundreds")
    network, size, trained_on = load_network(start)
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    faces = see_faces(own, network, size, RetinaFace(open_graph(retinaface_weights())))
    print(
        f"{len(faces)} photos, {own.points.shape[1]} points each; in {int(faces.detected.sum())} the face was detected"
    )
    readout, mirror, error = learn(network, size, faces, minutes * 60, seed, out / "setting.jpg")
    path = out / "weights" / f"{name}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    setting = CustomScheme(name, readout.count, None if mirror is None else tuple(mirror.tolist()))
    info = describe(network, size, (*trained_on, name), {f"{name}, held-out photos, % of face size": round(error, 3)})
    # The memory format of training would change the graph.
    network = network.to(memory_format=torch.contiguous_format)
    export(network, path, replace(info, custom_scheme=setting), readout=readout)
    print(f"weights: {path}")
    return path


def learn(
    network: RDR, size: int, faces: CustomFaces, seconds: float, seed: int, picture: Path | None = None
) -> tuple[CustomLandmarks, np.ndarray | None, float]:
    """Place the points, fit both corrections and print what came of it.

    Args:
        network: RDR in evaluation mode; left as it is.
        size: N, side of its crops in pixels.
        faces: all labeled faces; a tenth is held out.
        seconds: how long views of the faces are drawn; each is seen once at least.
        seed: of everything random.
        picture: where a contact sheet of held-out faces goes, if anywhere.

    Returns:
        The read-out, the setting's mirror permutation (L,) or None, and the mean error on the held-out faces in percent
        of the face's size.
    """
    held = held_out(faces.name)
    mine, check = faces.select(~held), faces.select(held)
    model = FaceModel.load()
    placement = place_points(model, mine.q, mine.labels, mine.sizes)
    _report(placement)
    mirror, why = mirror_pairs(model, placement.points)
    if mirror is None:
        print(
            f"warning: no mirror image of this setting was found ({why}): faces are not mirrored in learning. Harmless "
            "where the setting is not symmetric; else check that the points have the same order in all files",
            file=sys.stderr,
        )
    else:
        middle = int((mirror == np.arange(len(mirror))).sum())
        print(f"mirror images: {(len(mirror) - middle) // 2} pairs and {middle} points in the middle")
    readout = CustomLandmarks(model.reduced(placement.points)).requires_grad_(False).eval()
    before = errors(network, readout, check, size)
    started = time.monotonic()
    notes = take_notes(network, readout, mine, mirror, size, FIRST_PART * seconds, seed)
    fit_place(readout, notes)
    between = errors(network, readout, check, size)
    left = seconds - (time.monotonic() - started)
    more = take_notes(network, readout, mine, mirror, size, left, seed + 1)
    fit_local(readout, more)
    after = errors(network, readout, check, size, picture)
    print(
        f"learned from {len(mine)} photos in {len(notes)} + {len(more)} views\n"
        f"error on {len(check)} held-out photos, % of face size:\n"
        f"  surface points only          {before:.2f}\n  and the first correction     {between:.2f}\n"
        f"  and the second, local one    {after:.2f}"
    )
    if after >= before:
        print(
            "warning: learning made it worse: too few photos, or labels that do not follow the face. More photos help "
            "most; `--minutes` hardly",
            file=sys.stderr,
        )
    return readout, mirror, after


def held_out(names: tuple[str, ...]) -> np.ndarray:
    """(N,) bool: a tenth of the photos, at least one, by their file names alone."""
    digests = [hashlib.sha256(Path(name).name.encode()).hexdigest() for name in names]
    chosen = np.zeros(len(names), bool)
    chosen[np.argsort(np.array(digests), kind="stable")[: max(1, round(CHECKED * len(names)))]] = True
    return chosen


@torch.no_grad()
def errors(network: RDR, readout: CustomLandmarks, faces: CustomFaces, size: int, picture: Path | None = None) -> float:
    """Mean distance from the labels, percent of the face's size, when started from the detector's boxes as in use.

    Args:
        network: RDR in evaluation mode.
        readout: the setting's.
        faces: labeled faces.
        size: N, side of the crops in pixels.
        picture: where a contact sheet goes, if anywhere.
    """
    rows, crops, points = [], [], []
    for i, name in enumerate(faces.name):
        frame = CropFrame.from_boxes(faces.start[i : i + 1])
        crop = cut(read_image(name), frame, size)
        heard = extract_features(network, torch.from_numpy(crop))
        found = readout(heard).numpy()
        photo = frame.to_image(found)
        landmarks = frame.to_image(heard.prediction.steps[-1].landmarks.numpy())
        here = CropFrame(faces.frame.center[i : i + 1], faces.frame.half[i : i + 1])
        distance = np.linalg.norm(photo - here.to_image(faces.labels[i : i + 1]), axis=-1)
        rows.append(100 * np.nanmean(distance) / np.sqrt(np.ptp(landmarks, axis=1).prod()))
        crops.append(crop)
        points.append(found)
    if picture is not None:
        picture.parent.mkdir(parents=True, exist_ok=True)
        some = slice(0, PICTURED)
        titles = [f"{row:.1f}" for row in rows[some]]
        states = np.full((len(titles), readout.count), VISIBLE)
        sheet = contact_sheet(np.concatenate(crops[some]), np.concatenate(points[some]), states, titles)
        cv2.imwrite(str(picture), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))
    return float(np.mean(rows))


def _report(placement: Placement) -> None:
    """One number per point: how far its labels lie from its best place on the face."""
    print("how far the labels lie from the best place of their point on the 3D face, median, % of face size:")
    cells = [f"{k + 1:4d}: {misfit:4.1f}" for k, misfit in enumerate(placement.misfit)]
    for first in range(0, len(cells), 10):
        print(" ".join(cells[first : first + 10]))
    bad = np.flatnonzero(~(placement.misfit <= BAD_FIT)) + 1
    if len(bad):
        print(
            f"warning: points {', '.join(map(str, bad[:10]))}{', ...' if len(bad) > 10 else ''} have no good place on "
            "the face: are they in the same order in all files, and do they mark the same spot in every photo?",
            file=sys.stderr,
        )
