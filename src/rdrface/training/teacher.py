"""A teacher's outputs on the packed faces of a run, computed once: labels for the training of a smaller network.

The teacher sees the faces as at inference, without augmentation, and augmentation moves its outputs like the other
labels. So its accuracy does not suffer from covered and degraded images, and a step costs no run of the teacher.
"""

import hashlib
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.numpy import save_file
from tqdm import tqdm

from rdrface.datasets.crops import PackedCrops
from rdrface.files import write_aside
from rdrface.loading import PACKAGED, PACKAGED_WEIGHTS
from rdrface.runtime.hub_folder import local_weights
from rdrface.runtime.session import Session
from rdrface.runtime.weights_session import open_session
from rdrface.training.augmentation.augment import draw_similarities, move_parameters, move_points
from rdrface.training.augmentation.config import no_augmentation
from rdrface.training.augmentation.crop_batch import CropBatch, teacher_fields
from rdrface.training.augmentation.resampling import sample
from rdrface.training.restore import restore

NAME = "teacher.safetensors"
"""File in the folder of a run."""

BATCH_SIZE = 32


def check_teacher(teacher: str) -> None:
    """Check that the weights of a teacher can be used, before anything slow.

    Args:
        teacher: see `teacher_labels`.

    Raises:
        WeightsError: the file is missing or damaged, or has another face model.
    """
    restore(_weights(teacher))


def teacher_labels(teacher: str, faces: PackedCrops, folder: Path) -> dict[str, np.ndarray]:
    """The outputs of a teacher on all faces of a pack, packed frame.

    They are stored in ``folder/teacher.safetensors`` and read from there if the file was made with the same weights and
    faces: a resumed run gets exactly the same labels.

    Args:
        teacher: `TrainingConfig.teacher`: a ``NAME.safetensors`` with its graph in the same folder, or
            `rdrface.loading.PACKAGED`.
        faces: N packed faces.
        folder: folder of the run.

    Returns:
        Names of the teacher's fields of `CropBatch` -> (N, ...) float32.

    Raises:
        WeightsError: the weights are missing or damaged.
    """
    session, info = open_session(_weights(teacher))
    key = f"{info.checksum} {len(faces)} {hashlib.sha256(faces.Q.tobytes()).hexdigest()}"
    file = folder / NAME
    if file.is_file():
        with safe_open(file, "np") as stored:
            if stored.metadata() == {"key": key}:
                return {name: stored.get_tensor(name) for name in teacher_fields()}
    labels = run_teacher(session, info.input_size, faces)
    with write_aside(file) as partial:
        save_file(labels, partial, {"key": key})
    return labels


def _weights(teacher: str) -> Path:
    return PACKAGED_WEIGHTS if teacher == PACKAGED else local_weights(teacher)


@torch.no_grad()
def run_teacher(session: Session, size: int, faces: PackedCrops) -> dict[str, np.ndarray]:
    """Run a teacher on every face, see `teacher_labels`.

    Args:
        session: runs the teacher's graph.
        size: N, side of its crops in pixels.
        faces: packed faces.
    """
    config, generator, device = no_augmentation(), torch.Generator().manual_seed(0), torch.device("cpu")
    parts: dict[str, list[np.ndarray]] = {"teacher_points": [], "teacher_jawline": [], "teacher_Q": []}
    for start in tqdm(range(0, len(faces), BATCH_SIZE), desc="teacher", disable=None, file=sys.stderr):
        batch = CropBatch.of(faces, np.arange(start, min(start + BATCH_SIZE, len(faces))), device)
        scale, angle, shift = draw_similarities(batch, config, generator)
        crops = sample(batch.images, batch.valid, size, scale, angle, shift, config.padding, generator)
        outputs = {name: torch.from_numpy(value) for name, value in session.run(crops.numpy()).items()}
        # The inverse of crop = scale packed + shift; without augmentation the angle is 0.
        back = (1 / scale, torch.zeros_like(scale), -shift / scale[:, None])
        parts["teacher_points"].append(move_points(outputs["landmarks"], *back).numpy())
        parts["teacher_jawline"].append(move_points(outputs["landmarks_jawline"], *back).numpy())
        parts["teacher_Q"].append(move_parameters(outputs["parameters"], *back).numpy())
    return {name: np.ascontiguousarray(np.concatenate(rows), np.float32) for name, rows in parts.items()}
