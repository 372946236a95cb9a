"""Head angles taken from fitted records."""

import numpy as np
import pytest

from annotated import records_of
from rdrface.errors import DataError
from rdrface.evaluation.predictions.fitted_poses import with_fitted_poses


def test_fitted_angles_are_assigned_to_the_same_faces(tmp_path):
    fitted = records_of(tmp_path, 4)
    fitted.select([3, 1, 0]).save(tmp_path / "fits.npz")
    faces = with_fitted_poses(fitted, tmp_path / "fits.npz")
    np.testing.assert_allclose(faces.angles[[0, 1, 3]], np.degrees(fitted.Q[[0, 1, 3], 50:53]), rtol=1e-6)
    assert np.isnan(faces.yaw[2])


def test_files_without_fits_or_with_other_faces_are_rejected(tmp_path):
    records_of(tmp_path, 2, fitted=False).save(tmp_path / "plain.npz")
    faces = records_of(tmp_path, 2)
    with pytest.raises(DataError, match="no fitted faces"):
        with_fitted_poses(faces, tmp_path / "plain.npz")
    fitted = records_of(tmp_path, 2)
    fitted.points[:] += 30
    fitted.save(tmp_path / "others.npz")
    with pytest.raises(DataError, match="fits of other faces"):
        with_fitted_poses(faces, tmp_path / "others.npz")
