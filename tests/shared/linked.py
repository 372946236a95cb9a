"""Weights files behind symbolic links, in the layouts of package managers and caches."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from rdrface.runtime.weights import graph_path


def hugging_face_cache(weights: Path, folder: Path) -> Path:
    """Each file is a link into a folder of blobs whose names are hashes."""
    return _snapshot((weights, graph_path(weights)), folder) / weights.name


def hugging_face_snapshot(model: Path, folder: Path) -> Path:
    """A copy of a folder of the Hub as `huggingface_hub.snapshot_download` leaves it in its cache `folder`."""
    folder.mkdir()
    try:
        return _snapshot(sorted(model.iterdir()), folder)
    except OSError:
        pytest.skip("this system does not permit symbolic links")


def _snapshot(files: Sequence[Path], folder: Path) -> Path:
    (folder / "blobs").mkdir()
    snapshot = folder / "snapshots" / "0123abc"
    snapshot.mkdir(parents=True)
    for number, file in enumerate(files):
        blob = folder / "blobs" / f"{number}f00d"
        shutil.copy(file, blob)
        (snapshot / file.name).symlink_to(os.path.relpath(blob, snapshot))
    return snapshot


def separate_folders(weights: Path, folder: Path) -> Path:
    """Each file is a link to a file of the same name in a folder of its own, as in git-annex."""
    for number, file in enumerate((weights, graph_path(weights))):
        (folder / f"store{number}").mkdir()
        shutil.copy(file, folder / f"store{number}" / file.name)
        (folder / file.name).symlink_to(folder / f"store{number}" / file.name)
    return folder / weights.name


def linked_files(weights: Path, folder: Path) -> Path:
    """Each file is a link to a file of the same name in one other folder, as uv installs with link mode symlink."""
    for file in (weights, graph_path(weights)):
        (folder / file.name).symlink_to(file)
    return folder / weights.name


def linked_folder(weights: Path, folder: Path) -> Path:
    """The folder is a link."""
    (folder / "weights").symlink_to(weights.parent, target_is_directory=True)
    return folder / "weights" / weights.name


def linked_tensors(weights: Path, folder: Path) -> Path:
    """Only the weights file is a link, to a folder with both files."""
    (folder / weights.name).symlink_to(weights)
    return folder / weights.name


def linked_under_another_name(weights: Path, folder: Path) -> Path:
    """A link with another name to a snapshot in the cache of Hugging Face."""
    (folder / "latest.safetensors").symlink_to(hugging_face_cache(weights, folder))
    return folder / "latest.safetensors"


LAYOUTS = (
    hugging_face_cache,
    separate_folders,
    linked_files,
    linked_folder,
    linked_tensors,
    linked_under_another_name,
)


@pytest.fixture(params=LAYOUTS, ids=lambda layout: layout.__name__)
def linked_layout(request, tmp_path):
    """Function from a weights file to the path of its linked version, one of `LAYOUTS`."""
    try:
        (tmp_path / "link").symlink_to(tmp_path)
    except OSError:
        pytest.skip("this system does not permit symbolic links")
    return lambda weights: request.param(weights, tmp_path)
