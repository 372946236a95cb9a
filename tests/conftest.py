"""Shared fixtures. Tests that want the research data sets ask for `shared_data` and are skipped where it is absent."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with 300w/, merl_rav/ and aflw2000_3d_dev/: $RDRFACE_DATA, or shared/data beside the checkout."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("RDRFACE_DATA", beside))
    if not (folder / "merl_rav").is_dir():
        pytest.skip("the research data sets are not at hand (set RDRFACE_DATA)")
    return folder
