"""Shared fixtures. Tests that need the research datasets use `shared_data`, and are skipped without them."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with 300w/, merl_rav/ and aflw2000_3d_dev/: $RDRFACE_DATA, or shared/data next to the checkout."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("RDRFACE_DATA", default))
    if not (folder / "merl_rav").is_dir():
        pytest.skip("the research datasets are not available (set RDRFACE_DATA to their folder)")
    return folder
