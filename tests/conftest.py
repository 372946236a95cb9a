"""Shared fixtures. Tests that need the research datasets use `shared_data`, and are skipped without them."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from filelock import FileLock

from untraced import untraced


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """The mark `no_cover` also in the processes of pytest-xdist, where that of pytest-cov has no effect."""
    with untraced() if item.get_closest_marker("no_cover") else nullcontext():
        return (yield)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with 300w/, merl_rav/ and aflw2000_3d_dev/: $RDRFACE_DATA, or shared/data next to the checkout."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("RDRFACE_DATA", default))
    if not (folder / "merl_rav").is_dir():
        pytest.skip("the research datasets are not available (set RDRFACE_DATA to their folder)")
    return folder


@pytest.fixture(scope="session")
def two_size_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights file that `exported.export_two_sizes` writes, in a folder with its other files. All tests share the
    folder, so a test must not change it."""
    pytest.importorskip("torch")
    from exported import export_two_sizes

    return _once_per_run(tmp_path_factory, "two_sizes", export_two_sizes) / "two.safetensors"


@pytest.fixture(scope="session")
def untrained_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights file that `exported.export_untrained` writes. All tests share it, so a test must not change it."""
    pytest.importorskip("torch")
    from exported import export_untrained

    return _once_per_run(tmp_path_factory, "untrained", export_untrained) / "mine.safetensors"


def _once_per_run(factory: pytest.TempPathFactory, name: str, write: Callable[[Path], None]) -> Path:
    """The folder `name`, filled by `write` in the first of the processes that need it: an export takes long."""
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder = base / name
    with FileLock(base / f"{name}.lock"):
        if not folder.is_dir():
            partial = base / f"{name}.partial"
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            write(partial)
            partial.rename(folder)
    return folder
