"""A teacher's outputs as labels: their place on the crops, their storage, and runs that use them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from exported import SIZE
from rdrface.datasets.crops import PackedCrops
from rdrface.datasets.packing import pack
from rdrface.datasets.synthetic import draw_faces
from rdrface.errors import WeightsError
from rdrface.loading import PACKAGED_WEIGHTS
from rdrface.morphable.model import FaceModel
from rdrface.network.projection import Projection
from rdrface.runtime.weights_session import open_session
from rdrface.training import loop, teacher
from rdrface.training.augmentation.augment import augment
from rdrface.training.augmentation.config import AugmentConfig, no_augmentation
from rdrface.training.augmentation.mirror import CoefficientMirror
from rdrface.training.batch import make_batch
from rdrface.training.config import StageConfig, TrainingConfig
from rdrface.training.device_crops import DeviceCrops
from rdrface.training.loop import train
from rdrface.training.teacher import check_teacher, run_teacher, teacher_labels

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> PackedCrops:
    return pack(draw_faces(tmp_path_factory.mktemp("faces"), 12), 176)


@pytest.fixture(scope="module")
def labels(faces: PackedCrops) -> dict[str, np.ndarray]:
    return run_teacher(open_session(PACKAGED_WEIGHTS)[0], SIZE, faces)


def crops_and_batch(faces: PackedCrops, labels: dict[str, np.ndarray], config: AugmentConfig):  # type: ignore[no-untyped-def]
    on_device = DeviceCrops(faces, np.ones(len(faces), np.float32), CPU, labels)
    mirror = CoefficientMirror.of(FaceModel.load(), CPU)
    batch = on_device.batch(np.arange(len(faces)))
    crops, moved = augment(batch, SIZE, config, torch.Generator().manual_seed(3), mirror)
    return crops, make_batch(crops, moved, Projection())


def test_without_augmentation_the_labels_are_the_outputs_on_the_crop(
    faces: PackedCrops, labels: dict[str, np.ndarray]
) -> None:
    crops, batch = crops_and_batch(faces, labels, no_augmentation())
    outputs = open_session(PACKAGED_WEIGHTS)[0].run(crops.numpy())
    soft = batch.teacher
    assert np.abs(soft.points.numpy() - outputs["landmarks"]).max() < 1e-3
    assert np.abs(soft.jawline[..., :2].numpy() - outputs["landmarks_jawline"]).max() < 1e-3
    assert np.abs(soft.jawline[..., 2].numpy() - outputs["projection_jawline"][..., 2]).max() < 1e-3
    assert np.abs(soft.q[:, :50].numpy() - outputs["parameters"][:, :50]).max() < 1e-3


def test_augmentation_moves_the_labels_with_the_face(faces: PackedCrops, labels: dict[str, np.ndarray]) -> None:
    """If the teacher were exact, its labels would be the fitted face: on mirrored and rotated crops too."""
    exact = {"teacher_points": faces.outline, "teacher_jawline": faces.jawline, "teacher_Q": faces.Q}
    _, batch = crops_and_batch(faces, exact, AugmentConfig())
    projection = Projection()
    outline, jawline = projection(batch.q)
    assert (batch.teacher.points - outline[..., :2]).abs().max() < 2e-2
    assert (batch.teacher.jawline - jawline).abs().max() < 2e-2
    assert (batch.teacher.q - batch.q).abs().max() < 1e-5


def test_without_a_teacher_there_are_no_labels_of_one(faces: PackedCrops) -> None:
    assert crops_and_batch(faces, {}, no_augmentation())[1].teacher is None


def test_labels_are_stored_for_the_same_weights_and_faces(
    faces: PackedCrops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = []
    monkeypatch.setattr(teacher, "run_teacher", lambda *args: runs.append(args) or run_teacher(*args))
    first = teacher_labels(str(PACKAGED_WEIGHTS), faces, tmp_path)
    second = teacher_labels(str(PACKAGED_WEIGHTS), faces, tmp_path)
    assert len(runs) == 1
    assert all(np.array_equal(first[name], second[name]) for name in first)
    teacher_labels(str(PACKAGED_WEIGHTS), faces.select(np.arange(6)), tmp_path)
    assert len(runs) == 2


def test_missing_weights_of_a_teacher_are_reported(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"none\.safetensors"):
        check_teacher(str(tmp_path / "none.safetensors"))


def test_a_run_with_a_teacher_resumes_with_the_same_weights(
    faces: PackedCrops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = StageConfig("joint", 3, crop_sizes=[32], batch_size=4)
    config = TrainingConfig(
        (stage,),
        network="lite",
        iterations=1,
        teacher=str(PACKAGED_WEIGHTS),
        validation_every=100,
        checkpoint_every=0.0,
    )

    def cpu() -> Fabric:
        fabric = Fabric(accelerator="cpu", devices=1, precision="32-true")
        fabric.launch()
        return fabric

    whole = train(config, faces, None, tmp_path / "whole", cpu())
    assert whole is not None
    real, calls = loop.augment, []

    def killed(*args, **kwargs):  # type: ignore[no-untyped-def]
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    monkeypatch.setattr(loop, "augment", killed)
    with pytest.raises(KeyboardInterrupt):
        train(config, faces, None, tmp_path / "resumed", cpu())
    resumed = train(config, faces, None, tmp_path / "resumed", cpu())
    assert resumed is not None
    state = resumed.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in whole.state_dict().items())
